"""How hard the human works, and how abruptly human and object change what they do."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.kinematic import relative_angular, rms
from envs.rewards.measured import measured

_STILL = 1e-6
"""rad/s, below which a reference's joint counts as still."""


@measured("kW")
def joint_power(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Mechanical power summed over all joints, in kilowatts. DeVI Eq. 16, r_pw."""
    return state.power_w * 1e-3


@measured("rad/s²")
def joint_acceleration(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS angular acceleration of the 51 joints relative to their parents, rad/s^2. InterMimic: `eg1`."""
    assert state.joint_acceleration is not None
    return rms(state.joint_acceleration[1:])


@measured("m/s²", needs="object_position")
def object_acceleration(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Acceleration of the object, m/s^2. InterMimic: `eg2`."""
    assert state.object_acceleration is not None
    return rms(state.object_acceleration[0])


@measured("rad/s²", needs="object_position")
def object_spin(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Angular acceleration of the object, rad/s^2. InterMimic: `eg2`."""
    assert state.object_acceleration is not None
    return rms(state.object_acceleration[1])


@measured("rad/s")
def still_jitter(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS change of joint rates in a step, rad/s, where the reference's own rate is zero. SkillMimic: `e_vel_diff`.

    Each square is divided by 1e12 times the reference's squared rate, or by one where that stands still.
    """
    assert state.joint_acceleration is not None and state.step_hz is not None
    change = state.joint_acceleration[1:] / state.step_hz
    rate = relative_angular(reference.angular_velocity, reference.rotation)
    return jnp.sqrt(jnp.mean(change**2 / (1.0 + (rate / _STILL) ** 2)))
