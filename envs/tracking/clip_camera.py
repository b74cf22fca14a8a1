"""The camera of a clip that brings none: one of DeVI's frontal cameras (A.3), far enough to see the whole action."""

from dataclasses import replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import NEAR_M, Camera, look_at, project
from devi_jax.core.clip import Clip
from devi_jax.core.errors import CameraError, ClipError

MARGIN = 0.06
"""Share of the image's width and height that stays free at each edge."""


def choose_camera(clip: Clip, points_object: np.ndarray | None, azimuth_deg: float = -45.0) -> Camera:
    """A frontal camera that sees all joints and object points of all frames, f = w/2, elevation 15 degrees.

    The azimuth counts from the human's first heading towards its right; -45 looks from its left front.
    """
    seen = [clip.joint_positions.reshape(-1, 3)]
    if clip.object_poses is not None and points_object is not None:
        seen.append(object_points(clip, points_object).reshape(-1, 3))
    cloud = np.concatenate(seen)
    centre = (cloud.min(axis=0) + cloud.max(axis=0)) / 2
    forward = rot.rotate(rot.heading(clip.joint_rotations[0, 0]), np.array([0.0, 1.0, 0.0]))
    right = np.array([forward[1], -forward[0], 0.0])
    a, e = np.radians(azimuth_deg), np.radians(15.0)
    away = (forward * np.cos(a) + right * np.sin(a)) * np.cos(e) + np.array([0.0, 0.0, np.sin(e)])
    for radius in np.arange(1.5, 40.0, 0.25):
        camera = look_at(centre + radius * away, centre, focal_px=512.0)
        pixels, depth = project(cloud, camera.K, camera.T_camera_world)
        share = pixels / np.array([camera.width, camera.height])
        if depth.min() > 0.3 and share.min() > MARGIN and share.max() < 1 - MARGIN:
            return camera
    raise CameraError("no frontal camera sees the whole clip", where=clip.name, valid="a clip within about 30 m")


def look_across(camera: Camera, pivot: np.ndarray) -> Camera:
    """The camera carried round the vertical through `pivot` (3,), world metres, by 90 degrees to its right.

    It sees the pivot in the same pixel, and across what the first one looks along.
    """
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    # a world point p is to the new camera where pivot + turn^T (p - pivot) is to the old one
    back = np.eye(4)
    back[:3, :3], back[:3, 3] = turn.T, pivot - turn.T @ pivot
    return replace(camera, T_camera_world=camera.T_camera_world @ back)


def object_points(clip: Clip, points_object: np.ndarray) -> np.ndarray:
    """World positions (T, M, 3) of points (M, 3) on the object. `ClipError` for a clip without 6-DoF poses."""
    if clip.object_poses is None:
        raise ClipError("the clip does not say where its object is", where=clip.name, valid="a clip with object poses")
    q = clip.object_poses.rotations[:, None]
    return (
        rot.rotate(q, np.broadcast_to(points_object, (clip.frames, *points_object.shape)))
        + (clip.object_poses.positions[:, None])
    )


def project_object(clip: Clip, camera: Camera, points_object: np.ndarray) -> np.ndarray:
    """2D tracks (T, M, 2) of object points from 6-DoF poses (5.1). `CameraError` if any is behind the camera."""
    pixels, depth = project(object_points(clip, points_object), camera.K, camera.T_camera_world)
    if depth.min() <= NEAR_M:
        frame = int(np.argwhere(depth.min(axis=1) <= NEAR_M)[0][0])
        raise CameraError(
            f"the object is behind the camera at frame {frame} (depth {depth.min():.2f} m)",
            where=f"{clip.name}: camera_T_camera_world",
            valid="a world-to-camera transform (OpenCV axes, z forward) with the object in front in every frame",
            fix="invert the matrix if it is camera-to-world, or drop the camera to have one chosen",
        )
    return pixels
