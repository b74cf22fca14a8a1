"""A smooth synthetic motion, as a factory, and a writer of torch checkpoints."""

from collections.abc import Callable

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, forward_kinematics
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from tests.torch_files import Torch


@pytest.fixture
def torch_files() -> type[Torch]:
    """Writer of torch checkpoints."""
    return Torch


@pytest.fixture
def offsets() -> np.ndarray:
    """Bone offsets (52, 3) without symmetry, zero for the pelvis."""
    out = np.random.default_rng(1).normal(scale=0.1, size=(52, 3))
    out[0] = 0
    return out


@pytest.fixture
def make_clip(offsets: np.ndarray) -> Callable[..., Clip]:
    """Clips of any length: a box on a table, touched by the right hand from `onset` on, optionally with 2D tracks."""

    def make(frames: int = 20, fps: float = 30.0, onset: int = 5, tracks: bool = False) -> Clip:
        rng = np.random.default_rng(0)
        time = np.linspace(0, 1, frames)[:, None, None]
        local = rot.quat_exp(0.5 * np.sin(2 * time + rng.uniform(0, 6, (1, 52, 3))))
        root = np.concatenate([0.2 * time[:, 0], 0.1 * time[:, 0], 0.9 + 0.1 * time[:, 0]], axis=1)
        lift = np.stack([0 * time[:, 0, 0], 0.4 + 0 * time[:, 0, 0], 0.9 + 0.2 * time[:, 0, 0]], axis=1)
        poses = ObjectPoses(lift, rot.quat_exp(np.stack([time[:, 0, 0]] * 3, axis=1)))
        contact = np.zeros((frames, 2))
        contact[onset:, 1] = 1
        camera = frontal()
        points = rng.uniform(-0.05, 0.05, (7, 3))
        world = rot.rotate(poses.rotations[:, None], points) + poses.positions[:, None]
        px = project(world, camera.K, camera.T_camera_world)[0]
        visible = rng.uniform(size=(frames, 7)) > 0.2
        return Clip(
            name="synthetic",
            fps=fps,
            joint_rotations=local,
            joint_positions=forward_kinematics(local, root, offsets),
            contact=contact,
            scene=SceneSpec(Table(), ObjectSpec("box", (0.1, 0.1, 0.1), 0.4)),
            camera=camera if tracks else None,
            object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
            object_poses=poses,
            object_tracks=ObjectTracks(px, visible, points, np.arange(7)) if tracks else None,
            provenance={"source": "made here"},
        )

    return make
