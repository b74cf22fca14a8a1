"""One randomization for training and evaluation alike: where the object stands, what it weighs, how it grips, and what
happens to the body meanwhile."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from devi_jax.core import rotations as rot
from envs.physics import Physics, PhysicsState


@dataclass(frozen=True)
class Randomization:
    """Bounds of what is drawn; a zero, or the factors (1, 1), switch a part off."""

    object_m: float = 0.02
    """Largest shift of the object along x and along y, where it stands on its support."""
    object_rad: float = 0.26
    """Largest turn of the object about z (15 degrees)."""
    mass: tuple[float, float] = (0.5, 2.0)
    """Factors of the object's mass, drawn uniformly in their logarithm."""
    friction: tuple[float, float] = (0.7, 1.3)
    """Factors of its sliding friction."""
    push_m_s: float = 0.0
    """Change of velocity of a free root in a random horizontal direction, once in the time of a clip."""
    joint_rad: float = 0.0
    """Standard deviation of noise on each axis of the joint targets that actions turn, drawn anew in each step."""


def kick(key: PRNGKeyArray, push_m_s: float | Float[Array, ""]) -> Float[Array, "2"]:
    """Change of velocity in a random horizontal direction."""
    angle = jax.random.uniform(key, maxval=2 * jnp.pi)
    return push_m_s * jnp.stack([jnp.cos(angle), jnp.sin(angle)])


def pushed(physics: Physics, state: PhysicsState, kick_m_s: Float[Array, "2"]) -> PhysicsState:
    """The state with another horizontal velocity of its root, where nothing holds that in its place."""
    layout = physics.layout
    if layout.base is not None or physics.scene.embodiment.root != "free":
        return state
    first = layout.root_position.qvel.start
    return replace(state, qvel=state.qvel.at[first : first + 2].add(kick_m_s))


def randomize(
    physics: Physics, state: PhysicsState, key: PRNGKeyArray, by: Randomization, place: float | Float[Array, ""] = 1.0
) -> PhysicsState:
    """Shift and turn the object where it stands, before contact, and give it another mass and friction.

    Of a single environment, the same for the same key; a scene without object stays as it is. `place`: factor of shift
    and turn, 0 where a hand is so near that the object would be put into it.
    """
    if not physics.has_object:
        return state
    shift_key, turn_key, mass_key, friction_key = jax.random.split(key, 4)
    shift = jax.random.uniform(shift_key, (2,), minval=-by.object_m, maxval=by.object_m)
    turn = jax.random.uniform(turn_key, minval=-by.object_rad, maxval=by.object_rad)
    mass = jnp.exp(jax.random.uniform(mass_key, minval=jnp.log(by.mass[0]), maxval=jnp.log(by.mass[1])))
    friction = jax.random.uniform(friction_key, minval=by.friction[0], maxval=by.friction[1])
    at = physics.layout.object().qpos
    return replace(
        state,
        qpos=state.qpos.at[at].set(_moved(state.qpos[at], place * shift, place * turn)),
        variation=replace(state.variation, mass=mass, friction=friction),
    )


def _moved(pose: Float[Array, "7"], shift: Float[Array, "2"], turn_rad: Float[Array, ""]) -> Float[Array, "7"]:
    """A pose shifted in the horizontal plane and turned about the vertical through its own origin."""
    about_z = rot.quat_exp(turn_rad * jnp.array([0.0, 0.0, 1.0]))
    return jnp.concatenate([pose[:2] + shift, pose[2:3], rot.quat_mul(about_z, pose[3:])])
