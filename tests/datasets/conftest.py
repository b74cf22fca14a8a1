"""Synthetic recordings: a known motion written as the foreign files hold it, byte for byte, without torch."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, forward_kinematics, global_rotations
from devi_jax.core.scene import ObjectSpec, SceneSpec
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS, PARENTS
from devi_jax.datasets.formats import isaacgym_humanoid
from tests.torch_files import Torch

FRAMES = 12
# from our rest axes (x right, y forward, z up) to x forward, y left, z up; and to x left, y up, z forward
INTERMIMIC_REST = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
PHYSHOI_REST = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])


@pytest.fixture
def torch_files() -> type[Torch]:
    """Writer of torch checkpoints."""
    return Torch


@pytest.fixture
def known() -> Clip:
    """A smooth motion of all joints with a box, starting at the origin facing +y, as float64."""
    rng = np.random.default_rng(3)
    time = np.linspace(0, 1, FRAMES)[:, None, None]
    swing = 0.4 * np.sin(2 * np.pi * (time + rng.uniform(size=(1, 52, 3)))) * rng.uniform(0.2, 1, (1, 52, 3))
    turn = np.zeros((FRAMES, 3))
    turn[:, 2] = 0.9 * time[:, 0, 0] ** 2
    turn[:, 0] = 0.2 * time[:, 0, 0]
    local = rot.quat_exp(swing)
    local[:, 0] = rot.quat_exp(turn)
    root = np.stack([0.3 * time[:, 0, 0], 0.5 * time[:, 0, 0], 0.95 + 0.05 * time[:, 0, 0]], axis=1)
    positions = forward_kinematics(local, root, offsets())
    wrist = positions[:, INDEX["right_wrist"]]
    poses = ObjectPoses(wrist + [0.0, 0.1, 0.0], rot.quat_exp(np.stack([turn[:, 2], turn[:, 0], turn[:, 2]], axis=1)))
    contact = np.zeros((FRAMES, 2))
    contact[5:, 1] = 1
    return Clip(
        name="known",
        fps=30.0,
        joint_rotations=local,
        joint_positions=positions,
        contact=contact,
        scene=SceneSpec(object=ObjectSpec("box", (0.2, 0.3, 0.4), 1.0)),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
    )


def offsets() -> np.ndarray:
    """Bone offsets (52, 3) of a plausible T-pose: arms along x, spine up, toes forward."""
    out = np.zeros((52, 3))
    for i, name in enumerate(JOINTS):
        side = -1.0 if name.startswith("left") else 1.0
        if "hip" in name or "collar" in name:
            out[i] = [0.08 * side, -0.01, -0.09 if "hip" in name else 0.1]
        elif "knee" in name or "ankle" in name:
            out[i] = [0.01 * side, -0.02, -0.4]
        elif "foot" in name:
            out[i] = [0.01 * side, 0.12, -0.06]
        elif name.startswith(("left", "right")):
            finger = INDEX[name] >= 22
            out[i] = [(0.03 if finger else 0.2) * side, 0.005 * (i % 5), 0.002 * (i % 3)]
        elif PARENTS[i] >= 0:
            out[i] = [0, 0.01, 0.12]
    return out


def in_rest(clip: Clip, rest: np.ndarray) -> np.ndarray:
    """The clip's local rotations in other rest axes: `rest` takes our rest vectors to the file's."""
    q = rot.matrix_to_quat(rest)
    local = rot.quat_mul(rot.quat_mul(q, clip.joint_rotations), rot.quat_conj(q))
    local[:, 0] = rot.quat_mul(clip.joint_rotations[:, 0], rot.quat_conj(q))
    return local


def file_order(x: np.ndarray) -> np.ndarray:
    """Joint arrays (T, 52, k) in `JOINTS` order as flat file columns."""
    return x[:, [INDEX[name] for name in isaacgym_humanoid.BODIES]].reshape(len(x), -1)


def xyzw(q: np.ndarray) -> np.ndarray:
    """wxyz to xyzw."""
    return np.roll(q, -1, axis=-1)


@pytest.fixture
def intermimic_data(known: Clip) -> np.ndarray:
    """The 591 columns that hold `known`, in InterMimic's rest axes."""
    clip = known
    local = in_rest(clip, INTERMIMIC_REST)
    assert clip.object_poses is not None
    out = np.zeros((clip.frames, 591))
    out[:, 0:3] = clip.joint_positions[:, 0]
    out[:, 3:7] = xyzw(local[:, 0])
    out[:, 9:162] = file_order(rot.quat_log(local))[:, 3:]
    out[:, 162:318] = file_order(clip.joint_positions)
    out[:, 318:321] = clip.object_poses.positions
    out[:, 321:325] = xyzw(clip.object_poses.rotations)
    out[:, 330] = clip.contact.max(axis=1)
    labels = np.zeros((clip.frames, 52, 1))
    for side, hand in enumerate(HAND_BODIES):
        labels[:, hand[3], 0] = np.where(clip.contact[:, side] > 0.5, 1, -1)
    out[:, 331:383] = file_order(labels)
    out[:, 383:591] = file_order(xyzw(global_rotations(local)))
    return out


@pytest.fixture
def physhoi_data(known: Clip) -> np.ndarray:
    """The 331 columns that hold `known`."""
    return physhoi_columns(known)


def physhoi_columns(clip: Clip) -> np.ndarray:
    """The 331 columns that hold a clip, in SMPL-X's y-up rest axes; columns 6:9 hold residue."""
    local = in_rest(clip, PHYSHOI_REST)
    assert clip.object_poses is not None
    out = np.zeros((clip.frames, 331))
    out[:, 0:3] = clip.joint_positions[:, 0]
    out[:, 3:6] = rot.quat_log(local[:, 0])
    out[:, 6:9] = 0.7
    out[:, 9:162] = file_order(rot.quat_log(local))[:, 3:]
    out[:, 162:318] = file_order(clip.joint_positions)
    out[:, 318:321] = clip.object_poses.positions
    out[:, 321:324] = rot.quat_log(clip.object_poses.rotations)
    out[:, 330] = clip.contact.max(axis=1)
    return out


@pytest.fixture
def tpose() -> np.ndarray:
    """Bone offsets (52, 3) of the human of `known`."""
    return offsets()
