"""Where points of a moving object stand in the picture, and how that changes with its pose."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from perception.human.chain_solver import right_jacobian


@dataclass(frozen=True)
class PoseOrigin:
    """The camera, and where the object's origin is in the first frame (3,). Poses are shifts and turns from there."""

    camera: Camera
    start: np.ndarray


def project_poses(setting: PoseOrigin, points: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (T, N, 2) of points (N, 3) under poses (T, 6), and how they change with these (T, N, 2, 6).

    Points are about the object's origin, in the world's axes, as in the first frame; a pose is a shift in metres and a
    rotation vector.
    """
    camera, axes = setting.camera, setting.camera.T_camera_world[:3, :3]
    turn = np.broadcast_to(rot.quat_exp(pose[:, None, 3:]), (len(pose), len(points), 4))
    arm = rot.rotate(turn, np.broadcast_to(points, (len(pose), *points.shape)))
    px, depth = project(arm + (setting.start + pose[:, :3])[:, None], camera.K, camera.T_camera_world)
    focal = camera.K[[0, 1], [0, 1]]
    ray = (px - camera.K[:2, 2]) / focal
    slope = (axes[:2] - ray[..., None] * axes[2]) * (focal[:, None] / depth[..., None, None])
    left = right_jacobian(-pose[:, 3:])  # exp(w + d) = exp(J(-w) d) exp(w)
    turned = np.cross(left.transpose(0, 2, 1)[:, None], arm[:, :, None]).transpose(0, 1, 3, 2)
    return px, np.concatenate([slope, slope @ turned], axis=-1)
