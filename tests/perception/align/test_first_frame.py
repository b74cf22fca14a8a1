"""First-frame alignment in closed form, and what it does to SMPL-X's translation."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal
from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import JOINTS
from perception.align.first_frame import align_first_frame, carry_first_pose
from perception.human.evidence import FirstPose
from perception.human.motion import SkeletonMotion, joint_positions, to_world

T = 5


def random_motion(seed: int = 0) -> SkeletonMotion:
    rng = np.random.default_rng(seed)
    quats = rot.quat_exp(rng.normal(size=(T, len(JOINTS), 3)) * 0.5)
    return SkeletonMotion(30.0, quats, rng.normal(size=(T, 3)), rng.normal(size=(len(JOINTS), 3)) * 0.2)


def first_of(motion: SkeletonMotion) -> FirstPose:
    return FirstPose(motion.rotations[0], motion.root[0], motion.offsets)


def moved(motion: SkeletonMotion, turn: np.ndarray, shift: np.ndarray) -> SkeletonMotion:
    """The whole motion under one rigid transform."""
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.quat_mul(np.broadcast_to(turn, (T, 4)), rotations[:, 0])
    return replace(motion, rotations=rotations, root=rot.rotate(turn, motion.root) + shift)


def test_a_rigid_displacement_is_undone_whatever_it_was():
    truth = random_motion()
    turn, shift = rot.quat_exp(np.array([0.4, -1.1, 0.7])), np.array([1.0, -2.0, 0.3])
    back = align_first_frame(moved(truth, turn, shift), first_of(truth))
    np.testing.assert_allclose(joint_positions(back), joint_positions(truth), atol=1e-12)


def test_yaw_undoes_a_turn_about_the_vertical_and_keeps_an_error_of_pitch():
    truth = random_motion()
    about_z = rot.quat_exp(np.array([0.0, 0.0, 1.3]))
    back = align_first_frame(moved(truth, about_z, np.ones(3)), first_of(truth), "yaw")
    np.testing.assert_allclose(joint_positions(back), joint_positions(truth), atol=1e-12)

    # the first root alone misread by a pitch: a rigid fit tilts all later frames by it, yaw leaves them
    pitch = rot.quat_exp(np.array([np.radians(5), 0.0, 0.0]))
    misread = truth.rotations.copy()
    misread[0, 0] = rot.quat_mul(pitch, misread[0, 0])
    wrong = replace(truth, rotations=misread)
    kept, tilted = (align_first_frame(wrong, first_of(truth), mode) for mode in ("yaw", "rigid"))
    np.testing.assert_allclose(kept.rotations[1:], truth.rotations[1:], atol=1e-12)
    angle = rot.angle_between(tilted.rotations[1:, 0], truth.rotations[1:, 0])
    np.testing.assert_allclose(np.degrees(angle), 5.0, atol=1e-9)


def test_moving_translations_of_smplx_as_points_would_miss_by_the_rest_pelvis():
    truth, rest_pelvis = random_motion(), np.array([0.0, -0.35, 0.01])
    turn, shift = rot.quat_exp(np.array([2.0, 0.2, 0.4])), np.array([0.5, 0.1, -0.2])
    transl = truth.root - rest_pelvis
    back = align_first_frame(moved(truth, turn, shift), first_of(truth))
    np.testing.assert_allclose(back.root - rest_pelvis, transl, atol=1e-12)

    away = moved(truth, turn, shift).root - rest_pelvis
    undo = rot.quat_conj(turn)
    naive = rot.rotate(undo, away) - rot.rotate(undo, shift)
    miss = rest_pelvis - rot.rotate(undo, rest_pelvis)
    np.testing.assert_allclose(naive, transl + miss, atol=1e-12)
    assert np.linalg.norm(miss) > 0.5


def test_the_first_pose_is_carried_joint_by_joint():
    truth = random_motion()
    bias = rot.quat_exp(np.random.default_rng(1).normal(size=(1, len(JOINTS), 3)) * 0.3)
    read = replace(truth, rotations=rot.quat_mul(truth.rotations, np.broadcast_to(bias, truth.rotations.shape)))
    back = carry_first_pose(read, first_of(truth))
    np.testing.assert_allclose(rot.angle_between(back.rotations, truth.rotations), 0.0, atol=1e-7)


def test_to_world_is_the_cameras_inverse():
    truth, camera = random_motion(), frontal(30)
    into_camera = rot.matrix_to_quat(camera.T_camera_world[:3, :3])
    seen = replace(moved(truth, into_camera, camera.T_camera_world[:3, 3]), frame="camera")
    expected = joint_positions(truth) @ camera.T_camera_world[:3, :3].T + camera.T_camera_world[:3, 3]
    np.testing.assert_allclose(joint_positions(seen), expected, atol=1e-12)
    np.testing.assert_allclose(joint_positions(to_world(seen, camera)), joint_positions(truth), atol=1e-12)
    with pytest.raises(ConfigError, match="no vertical"):
        align_first_frame(seen, first_of(truth), "yaw")
