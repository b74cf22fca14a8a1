"""A pinhole camera: intrinsics, world-to-camera pose, image size, and the cameras of DeVI A.3.

OpenCV axes (x right, y down, z forward); pixel (0, 0) is the corner of the first pixel, so the principal point of a
centred camera is (w/2, h/2).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from devi_jax.core.broadcast import to_rank
from devi_jax.core.errors import CameraError

NEAR_M = 0.02
"""Points nearer than this (or behind the camera) have no projection."""


@dataclass(frozen=True)
class Camera:
    """Intrinsics `K` (3, 3) in pixels, `T_camera_world` (4, 4) in metres, image `width` and `height` in pixels."""

    K: np.ndarray
    T_camera_world: np.ndarray
    width: int
    height: int

    @property
    def diagonal_px(self) -> float:
        """Length of the image diagonal, the scale of DeVI's pixel thresholds (Eq. 22)."""
        return float(np.hypot(self.width, self.height))

    @property
    def position_world(self) -> np.ndarray:
        """Optical centre in the world, (3,) metres."""
        return -self.T_camera_world[:3, :3].T @ self.T_camera_world[:3, 3]

    @property
    def fovy_deg(self) -> float:
        """Vertical field of view in degrees, as MuJoCo wants it."""
        return float(np.degrees(2 * np.arctan2(self.height / 2, self.K[1, 1])))

    def validate(self, where: str = "camera") -> None:
        """Raise `CameraError` unless shapes, values and the rotation are sound."""
        if self.K.shape != (3, 3) or self.T_camera_world.shape != (4, 4):
            raise CameraError(
                f"camera arrays have shapes {self.K.shape} and {self.T_camera_world.shape}",
                where=where,
                valid="K (3, 3) and T_camera_world (4, 4)",
            )
        if not (np.isfinite(self.K).all() and np.isfinite(self.T_camera_world).all()):
            raise CameraError("camera has a value that is not finite", where=where, valid="finite numbers")
        rotation = self.T_camera_world[:3, :3]
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4) or np.linalg.det(rotation) < 0:
            raise CameraError("T_camera_world is no rigid transform", where=where, valid="an orthonormal rotation part")
        if min(self.width, self.height, self.K[0, 0], self.K[1, 1]) <= 0:
            raise CameraError("camera size and focal length must be positive", where=where)


def project(points_world: Any, K: Any, T_camera_world: Any) -> tuple[Any, Any]:
    """Project world points (..., 3): pixels (..., 2) and depth in metres (...). NumPy or JAX.

    Depth below `NEAR_M` is clamped for the division only, so that pixels stay finite; callers read the depth.
    """
    xp = points_world.__array_namespace__()
    camera = points_world @ xp.swapaxes(T_camera_world[:3, :3], -1, -2)
    camera = camera + to_rank(T_camera_world[:3, 3], camera.ndim)
    depth = camera[..., 2]
    safe = xp.maximum(depth, xp.asarray(NEAR_M, dtype=depth.dtype))
    pixels = xp.stack(
        [
            K[0, 0] * camera[..., 0] / safe + K[0, 1] * camera[..., 1] / safe + K[0, 2],
            K[1, 1] * camera[..., 1] / safe + K[1, 2],
        ],
        axis=-1,
    )
    return pixels, depth


def look_at(eye: np.ndarray, target: np.ndarray, focal_px: float, width: int = 1024, height: int = 576) -> Camera:
    """Camera at `eye` looking at `target` (both (3,), world metres), upright in a z-up world."""
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-6:
        raise CameraError("camera looks straight up or down", where=f"eye {eye}, target {target}")
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = rotation, -rotation @ np.asarray(eye, float)
    K = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])
    return Camera(K, T, width, height)


def frontal(
    azimuth_deg: float = 45.0,
    elevation_deg: float = 15.0,
    radius_m: float = 1.5,
    centre: tuple[float, float, float] = (0.0, 0.0, 1.0),
    preset: str = "paper",
    width: int = 1024,
    height: int = 576,
) -> Camera:
    """One of DeVI's frontal cameras (A.3): radius 1.5 m about `centre`, azimuth from +y towards +x.

    `paper` has f = w/2 (Eq. 18, Isaac Gym's default); `hmr` has f = hypot(w, h), the focal length human mesh recovery
    assumes, with the radius scaled so that the person keeps its size.
    """
    focal = {"paper": width / 2, "hmr": float(np.hypot(width, height))}[preset]
    radius = radius_m * focal / (width / 2)
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    eye = np.asarray(centre) + radius * np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    return look_at(eye, np.asarray(centre), focal, width, height)
