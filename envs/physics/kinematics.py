"""Forward kinematics in JAX, from generalised coordinates to world poses and velocities.

One definition for all engines: what a `SimState` shows never depends on which engine made it, and is current right
after a step or a reset. One level of the tree at a time, so that a batch of environments is a few wide operations.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import levels
from envs.embodiments import JointTable


def forward(
    rotation: Float[Array, "B 4"],
    root_position: Float[Array, "3"],
    angular: Float[Array, "B 3"],
    root_linear: Float[Array, "3"],
    offsets: Float[Array, "B 3"],
    parents: tuple[int, ...],
    sliding: Float[Array, "B 3"] | None = None,
) -> tuple[Float[Array, "B 3"], Float[Array, "B 4"], Float[Array, "B 3"], Float[Array, "B 3"]]:
    """World position, rotation, linear and angular velocity of all bodies.

    `rotation`: each body relative to its parent (root: world). `angular`: angular velocity of each body relative to
    its parent, in the body's own frame, rad/s, as MuJoCo's ball and free joints have it. `offsets`: bodies from their
    parents, metres; `sliding`: how fast these change, m/s, both in the parents' frames.
    """
    tree = levels(parents)
    in_order = np.argsort(np.concatenate([np.array(level) for level in tree]))
    p, q = root_position[None], rotation[:1]
    v, w = root_linear[None], rot.rotate(rotation[:1], angular[:1])
    done = [(p, q, v, w)]
    for above, level in zip(tree[:-1], tree[1:], strict=True):
        slots = np.array([above.index(parents[i]) for i in level])
        p0, q0, v0, w0 = (x[slots] for x in (p, q, v, w))
        index = np.array(level)
        arm = rot.rotate(q0, offsets[index])
        p, v = p0 + arm, v0 + rot.cross(w0, arm)
        if sliding is not None:
            v = v + rot.rotate(q0, sliding[index])
        q = rot.quat_mul(q0, rotation[index])
        w = w0 + rot.rotate(q, angular[index])
        done.append((p, q, v, w))
    position, world, linear, spin = (jnp.concatenate(x)[in_order] for x in zip(*done, strict=True))
    return position, world, linear, spin


def with_scalars(
    joints: JointTable,
    rotation: Float[Array, "R 4"],
    angular: Float[Array, "R 3"],
    scalars: Float[Array, " n"],
    rates: Float[Array, " n"],
) -> tuple[Float[Array, "B 4"], Float[Array, "B 3"], Float[Array, "B 3"], Float[Array, "B 3"]]:
    """`rotation`, `angular`, `offsets` and `sliding` of `forward` for a body with hinges and slides.

    `rotation`, `angular`: of root and ball joints. `scalars`, `rates`: of hinges (rad, rad/s) and slides (m, m/s).
    """
    bodies = len(joints.parents)
    turned = np.concatenate([[0], joints.balls]).astype(int)
    slides = jnp.asarray(joints.slides)[:, None]
    along = joints.axes * scalars[:, None]
    speed = joints.axes * rates[:, None]
    local = jnp.zeros((bodies, 4)).at[:, 0].set(1.0).at[turned].set(rotation)
    local = local.at[joints.scalars].set(rot.quat_exp(jnp.where(slides, 0.0, along)))
    local = local.at[1:].set(rot.quat_mul(jnp.asarray(joints.turns[1:]), local[1:]))
    spin = jnp.zeros((bodies, 3)).at[turned].set(angular).at[joints.scalars].set(jnp.where(slides, 0.0, speed))
    turns = jnp.asarray(joints.turns[joints.scalars])
    offsets = jnp.asarray(joints.offsets, jnp.float32)
    offsets = offsets.at[joints.scalars].add(rot.rotate(turns, jnp.where(slides, along, 0.0)))
    sliding = jnp.zeros((bodies, 3)).at[joints.scalars].set(rot.rotate(turns, jnp.where(slides, speed, 0.0)))
    return local, spin, offsets, sliding


def end_effectors(
    position: Float[Array, "B 3"], rotation: Float[Array, "B 4"], bodies: np.ndarray, places: Float[Array, "E 3"]
) -> Float[Array, "E 3"]:
    """World positions of end effectors, `places` in the frames of `bodies` (E,)."""
    return position[bodies] + rot.rotate(rotation[bodies], places)
