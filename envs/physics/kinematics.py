"""Forward kinematics of the human in JAX, from generalised coordinates to world poses and velocities.

One definition for all engines: what a `SimState` shows never depends on which engine made it, and is current right
after a step or a reset. One level of the tree at a time, so that a batch of environments is a few wide operations.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import PARENTS, TIPS, levels

_LEVELS = levels()
_ORDER = np.argsort(np.concatenate([np.array(level) for level in _LEVELS]))


def forward(
    rotation: Float[Array, "52 4"],
    root_position: Float[Array, "3"],
    angular: Float[Array, "52 3"],
    root_linear: Float[Array, "3"],
    offsets: Float[Array, "52 3"],
) -> tuple[Float[Array, "52 3"], Float[Array, "52 4"], Float[Array, "52 3"], Float[Array, "52 3"]]:
    """World position, rotation, linear and angular velocity of all joints.

    `rotation`: each joint relative to its parent (pelvis: world). `angular`: angular velocity of each joint relative to
    its parent, in the joint's own frame, rad/s, as MuJoCo's ball and free joints have it. `offsets`: joints from their
    parents in the T-pose, metres.
    """
    p, q = root_position[None], rotation[:1]
    v, w = root_linear[None], rot.rotate(rotation[:1], angular[:1])
    done = [(p, q, v, w)]
    for above, level in zip(_LEVELS[:-1], _LEVELS[1:], strict=True):
        slots = np.array([above.index(PARENTS[i]) for i in level])
        p0, q0, v0, w0 = (x[slots] for x in (p, q, v, w))
        index = np.array(level)
        arm = rot.rotate(q0, offsets[index])
        p, v = p0 + arm, v0 + rot.cross(w0, arm)
        q = rot.quat_mul(q0, rotation[index])
        w = w0 + rot.rotate(q, angular[index])
        done.append((p, q, v, w))
    position, world, linear, spin = (jnp.concatenate(x)[_ORDER] for x in zip(*done, strict=True))
    return position, world, linear, spin


def fingertips(
    position: Float[Array, "52 3"], rotation: Float[Array, "52 4"], tips: Float[Array, "10 3"]
) -> Float[Array, "10 3"]:
    """World positions of the ten fingertips; `tips`: their places in the distal phalanges' frames."""
    index = np.array(TIPS)
    return position[index] + rot.rotate(rotation[index], tips)
