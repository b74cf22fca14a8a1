"""A third-person camera that has a whole motion in its picture."""

import mujoco
import numpy as np

from devi_jax.core.camera import Camera, look_at


def third_person(
    points_world: np.ndarray,
    width: int = 480,
    height: int = 360,
    azimuth_deg: float = 65.0,
    elevation_deg: float = 20.0,
    fovy_deg: float = 40.0,
    margin_m: float = 0.15,
) -> Camera:
    """The nearest camera aimed at the middle of `points_world` (N, 3) that shows them all.

    `azimuth_deg` turns the eye from +y, in front of the human, towards +x; `elevation_deg` lifts it. A point at q from
    the middle is in a picture of half-width tan(h) iff |right·q| <= tan(h) (distance + forward·q), likewise for its
    height; `margin_m` is kept around each point.
    """
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    towards_eye = np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    middle = (points_world.min(axis=0) + points_world.max(axis=0)) / 2
    half_height = np.tan(np.radians(fovy_deg) / 2)
    focal_px = height / 2 / half_height
    right, down, forward = (
        look_at(towards_eye, np.zeros(3), focal_px).T_camera_world[:3, :3] @ (points_world - middle).T
    )
    across = (np.abs(right) + margin_m) / (half_height * width / height) - forward
    along = (np.abs(down) + margin_m) / half_height - forward
    distance = max(across.max(), along.max())
    return look_at(middle + distance * towards_eye, middle, focal_px, width, height)


def moving_points(model: mujoco.MjModel, qpos: np.ndarray, samples: int = 12) -> np.ndarray:
    """Centres of the bodies that can move, in at most `samples` frames of `qpos` (T, nq): (N, 3) in the world."""
    data = mujoco.MjData(model)
    moving = model.body_weldid != 0
    points = []
    for t in np.unique(np.linspace(0, len(qpos) - 1, samples).astype(int)):
        data.qpos[:] = qpos[t]
        mujoco.mj_kinematics(model, data)
        points.append(data.xpos[moving].copy())
    return np.concatenate(points)
