"""Standing by linear feedback: the ankles push back where the centre of mass strays from the reference's.

A layer under the policy, which may add to it like to any other target.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import INDEX, JOINTS, SIDES

ANKLES = np.array([INDEX[f"{side}_ankle"] for side in SIDES])
_SHANKS = np.array([INDEX[f"{side}_knee"] for side in SIDES])


@dataclass(frozen=True)
class Segments:
    """What the 52 bodies weigh: `share` (52,) of the whole mass, `centre` (52, 3) of mass in each body's frame."""

    share: Float[np.ndarray, "52"]
    centre: Float[np.ndarray, "52 3"]


def segments(model: mujoco.MjModel) -> Segments:
    """The segments of a compiled human."""
    ids = [model.body(name).id for name in JOINTS]
    mass = model.body_mass[ids]
    return Segments((mass / mass.sum()).astype(np.float32), model.body_ipos[ids].astype(np.float32))


def centre_of_mass(
    of: Segments, position: Float[Array | np.ndarray, "*T 52 3"], rotation: Float[Array | np.ndarray, "*T 52 4"]
) -> Float[Array, "*T 3"]:
    """Whole-body centre of mass in the world."""
    arm = rot.rotate(jnp.asarray(rotation), jnp.broadcast_to(of.centre, position.shape))
    return jnp.einsum("b,...bk->...k", of.share, position + arm)


def centre_velocity(
    of: Segments,
    rotation: Float[Array, "52 4"],
    linear: Float[Array, "52 3"],
    angular: Float[Array, "52 3"],
) -> Float[Array, "3"]:
    """Velocity of the centre of mass."""
    arm = rot.rotate(rotation, jnp.asarray(of.centre))
    return jnp.asarray(of.share) @ (linear + jnp.cross(angular, arm))


def ankle_turns(
    error_m: Float[Array, "3"],
    error_m_s: Float[Array, "3"],
    rotation: Float[Array, "52 4"],
    gain: float,
    damping: float,
) -> Float[Array, "2 3"]:
    """Rotation vectors of both ankles against a stray of the centre of mass.

    `error_m`, `error_m_s`: simulated less reference, world axes; `gain` rad/m, `damping` rad/(m/s). A body that falls
    forward presses its toes down, one that falls to its right rolls its feet onto their right edges.
    """
    push = gain * error_m + damping * error_m_s
    local = rot.rotate_inverse(rotation[_SHANKS], jnp.broadcast_to(push, (2, 3)))
    return jnp.stack([-local[:, 1], local[:, 0], jnp.zeros(2)], axis=-1)
