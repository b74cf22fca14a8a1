"""Where an arm's joints turn so that its palm is carried elsewhere: a few damped Gauss-Newton steps.

Linear maps of displacement hurt from about 15 degrees on; three steps end within a millimetre of what can be reached.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import INDEX, SIDES

CHAIN = ("collar", "shoulder", "elbow", "wrist")
ARMS = np.array([[INDEX[f"{side}_{joint}"] for joint in CHAIN] for side in SIDES])
"""The joints of each arm, (2, 4)."""
CHEST = INDEX["spine3"]
"""What both arms hang on."""
PALMS = np.array([INDEX[f"{side}_middle1"] for side in SIDES])
"""The joint of each hand that stands for its palm."""
STEPS = 3
_EASE = np.repeat([0.3, 1.0, 1.0, 1.0], 3).astype(np.float32)  # how readily each joint turns
_TURN_M = 0.3  # metres a radian: how much a turn of the palm weighs against its displacement
_DAMPING = 1e-4
_STEP_RAD = 0.5  # largest turn of one step about any axis


def arm_joints(position: Float[Array, "52 3"]) -> Float[Array, "2 5 3"]:
    """The joints of each arm and its palm, of all joints."""
    return jnp.concatenate([position[ARMS], position[PALMS][:, None]], axis=1)


def turned_arms(
    joints: Float[Array, "2 5 3"],
    rotation: Float[Array, "2 4 4"],
    chest: Float[Array, "4"],
    local: Float[Array, "2 4 4"],
) -> tuple[Float[Array, "2 5 3"], Float[Array, "2 4 4"]]:
    """Joints of each arm with its palm, and rotations of its joints, in the world, if these had the rotations `local`
    relative to their parents and the chest, of rotation `chest`, stayed. `joints`, `rotation`: the arms as they are."""
    bones = rot.rotate_inverse(rotation, joints[:, 1:] - joints[:, :-1])
    at, turned = [joints[:, 0]], [rot.quat_mul(chest[None], local[:, 0])]
    for k in range(4):
        at.append(at[-1] + rot.rotate(turned[-1], bones[:, k]))
        if k < 3:
            turned.append(rot.quat_mul(turned[-1], local[:, k + 1]))
    return jnp.stack(at, axis=1), jnp.stack(turned, axis=1)


def displaced_arms(
    joints: Float[Array, "2 5 3"], rotation: Float[Array, "2 4 4"], palm: Float[Array, "2 3"], hand: Float[Array, "2 4"]
) -> Float[Array, "2 4 3"]:
    """Rotation vectors of `ARMS`, in the joints' own frames, that bring each palm to `palm` and each wrist's rotation
    to `hand`, from joints with their palms and rotations in the world."""
    return jax.vmap(_displaced)(joints, rotation, palm, hand)


def _displaced(
    joints: Float[Array, "5 3"], rotation: Float[Array, "4 4"], palm: Float[Array, "3"], hand: Float[Array, "4"]
) -> Float[Array, "4 3"]:
    bones = rot.rotate_inverse(rotation, joints[1:] - joints[:-1])
    local = rot.quat_mul(rot.quat_conj(rotation[:-1]), rotation[1:])
    turns = jnp.zeros((4, 4)).at[:, 0].set(1.0)
    for _ in range(STEPS):
        at, turned = _forward(joints[0], rotation[0], bones, local, turns)
        gap = jnp.concatenate([palm - at[4], _TURN_M * rot.quat_log(rot.quat_mul(hand, rot.quat_conj(turned[3])))])
        axes = jnp.swapaxes(rot.quat_to_matrix(turned), -1, -2)  # a ball joint's own axes, seen from the world
        moves = rot.cross(axes, jnp.broadcast_to((at[4][None] - at[:4])[:, None], axes.shape))
        rows = jnp.concatenate([moves, _TURN_M * axes], axis=-1).reshape(12, 6) * _EASE[:, None]
        change = rows @ jnp.linalg.solve(rows.T @ rows + _DAMPING * jnp.eye(6), gap)
        change = (change * _EASE).reshape(4, 3)
        # of a goal out of reach the linear step is far too long
        change = change * jnp.minimum(1.0, _STEP_RAD / jnp.maximum(jnp.max(jnp.abs(change)), 1e-9))
        turns = rot.quat_mul(turns, rot.quat_exp(change))
    return rot.quat_log(turns)


def _forward(
    root: Float[Array, "3"],
    first: Float[Array, "4"],
    bones: Float[Array, "4 3"],
    local: Float[Array, "3 4"],
    turns: Float[Array, "4 4"],
) -> tuple[Float[Array, "5 3"], Float[Array, "4 4"]]:
    """Positions of the chain's joints and its palm, and rotations of its joints, each turned in its own frame."""
    at, turned = [root], [rot.quat_mul(first, turns[0])]
    for k in range(4):
        at.append(at[-1] + rot.rotate(turned[-1], bones[k]))
        if k < 3:
            turned.append(rot.quat_mul(turned[-1], rot.quat_mul(local[k], turns[k + 1])))
    return jnp.stack(at), jnp.stack(turned)
