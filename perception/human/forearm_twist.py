"""What a wrist can do: bend, but not turn about the forearm's axis; that turn is the forearm's, below the elbow."""

import numpy as np

from devi_jax.core import rotations as rot


def swing_twist(quats: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angles in radians by which quaternions (..., 4) turn about the unit `axis` (3,), in (-pi, pi], and swing off it.

    Half a turn about an axis at right angles leaves the twist open; it is then zero.
    """
    along = quats[..., 1:] @ axis
    twist = 2 * np.arctan2(along, quats[..., 0])
    twist = np.where(np.hypot(along, quats[..., 0]) < 1e-9, 0.0, (twist + np.pi) % (2 * np.pi) - np.pi)
    swing = rot.quat_mul(quats, rot.quat_conj(rot.quat_exp(twist[..., None] * axis)))
    return twist, rot.angle_between(swing, np.array([1.0, 0, 0, 0]))


def share_twist(
    elbow: np.ndarray, wrist: np.ndarray, axis: np.ndarray, limit_rad: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elbow and wrist (T, 4), local, with the wrist's twist beyond `limit_rad` moved to the elbow, and how much (T,).

    The axis (3,) runs from elbow to wrist, so neither the wrist's place nor the hand's orientation changes.
    """
    twist, _ = swing_twist(wrist, axis)
    excess = twist - np.clip(twist, -limit_rad, limit_rad)
    turn = rot.quat_exp(excess[:, None] * axis)
    return rot.quat_mul(elbow, turn), rot.quat_mul(rot.quat_conj(turn), wrist), excess
