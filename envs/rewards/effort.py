"""How hard the human works, and how abruptly human and object change what they do."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.physics import CONTROL_HZ
from envs.rewards.kinematic import relative_angular, rms

_STILL = 1e-6
"""rad/s, below which a reference's joint counts as still."""


def joint_power(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Mechanical power summed over all joints, in kilowatts. DeVI Eq. 16, r_pw."""
    return frame.power_w * 1e-3


def joint_acceleration(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS angular acceleration of the 51 joints relative to their parents, rad/s^2. InterMimic: `eg1`."""
    assert frame.joint_acceleration is not None
    return rms(frame.joint_acceleration[1:])


def object_acceleration(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Acceleration of the object, m/s^2. InterMimic: `eg2`."""
    assert frame.object_acceleration is not None
    return rms(frame.object_acceleration[0])


def object_spin(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Angular acceleration of the object, rad/s^2. InterMimic: `eg2`."""
    assert frame.object_acceleration is not None
    return rms(frame.object_acceleration[1])


def still_jitter(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS change of joint rates in a step, rad/s, where the reference's own rate is zero. SkillMimic: `e_vel_diff`.

    Each square is divided by 1e12 times the reference's squared rate, or by one where that stands still.
    """
    assert frame.joint_acceleration is not None
    change = frame.joint_acceleration[1:] / CONTROL_HZ
    rate = relative_angular(target.angular_velocity, target.rotation)
    return jnp.sqrt(jnp.mean(change**2 / (1.0 + (rate / _STILL) ** 2)))
