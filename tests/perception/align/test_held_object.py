"""Hands carried with the object: the true path of the bundled clip's can, and arms that were left behind in depth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import bone_offsets
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import HAND32, INDEX
from perception.align import losses
from perception.align.calibrate import first_points
from perception.align.config import AlignConfig, paper
from perception.align.held_object import HeldObjectConfig, follow_held_object
from perception.align.objective import make_problem, weighted_terms
from perception.align.two_pass import align_two_pass, with_occlusion
from perception.human.evidence import Evidence, FirstPose, HeldObject, Landmarks2D, ReachTarget
from perception.human.motion import SkeletonMotion, joint_positions

EVERY = 6
WRIST, ARM = INDEX["right_wrist"], [INDEX[f"right_{n}"] for n in ("shoulder", "elbow", "wrist")]


@pytest.fixture(scope="module")
def truth(request) -> tuple[SkeletonMotion, HeldObject, Camera]:
    clip = load_clip(request.config.rootpath / "devi_jax/data/clips/lift_can.npz")
    poses, camera = clip.object_poses, clip.camera
    assert poses is not None and camera is not None
    quats = rot.quat_normalise(clip.joint_rotations[::EVERY].astype(float))
    motion = SkeletonMotion(5.0, quats, clip.joint_positions[::EVERY, 0].astype(float), bone_offsets(clip))
    angle, z = np.meshgrid(np.linspace(0, 6, 12), np.linspace(-0.06, 0.06, 7))
    surface = np.stack([0.033 * np.cos(angle), 0.033 * np.sin(angle), z], axis=-1).reshape(-1, 3)
    at = poses.positions[::EVERY].astype(float)
    moves = int(np.argmax(at[:, 2] > at[0, 2] + 2e-3))
    turns = rot.quat_normalise(poses.rotations[::EVERY].astype(float))
    return motion, HeldObject(at, turns, clip.contact[::EVERY] > 0.5, surface, moves), camera


def left_behind(motion: SkeletonMotion, moves: int) -> SkeletonMotion:
    """The right arm turned away more and more from the object's first motion on."""
    rotations = motion.rotations.copy()
    late = np.clip(np.arange(motion.frames) - moves, 0, 3)[:, None] / 3
    shoulder = INDEX["right_shoulder"]
    rotations[:, shoulder] = rot.quat_mul(rotations[:, shoulder], rot.quat_exp(late * np.array([0.0, 0.2, 0.25])))
    return replace(motion, rotations=rotations)


def seen(motion: SkeletonMotion, camera: Camera, points: tuple[int, ...], sure: float = 1.0) -> Landmarks2D:
    every = np.stack(
        [first_points(FirstPose(q, p, motion.offsets)) for q, p in zip(motion.rotations, motion.root, strict=True)]
    )
    px, _ = project(every[:, list(points)], camera.K, camera.T_camera_world)
    return Landmarks2D(px, np.full(px.shape[:2], sure), points)


def wrist_error(motion: SkeletonMotion, truth: SkeletonMotion, frames: np.ndarray) -> float:
    return float(
        np.linalg.norm(joint_positions(motion)[frames, WRIST] - joint_positions(truth)[frames, WRIST], axis=-1).mean()
    )


def test_a_wrist_left_behind_is_carried_with_the_object(truth):
    motion, carried, camera = truth
    wrong = left_behind(motion, carried.moves)
    late = np.flatnonzero(carried.held[:, 1])
    late = late[late > carried.moves + 2]
    assert wrist_error(wrong, motion, late) > 0.1
    moved = follow_held_object(wrong, carried, seen(motion, camera, tuple(ARM)), camera, HeldObjectConfig())
    assert wrist_error(moved, motion, late) < 0.02
    inside = rot.rotate_inverse(carried.rotations[late], joint_positions(moved)[late, WRIST] - carried.positions[late])
    assert np.abs(inside - inside.mean(axis=0)).max() < 0.01  # it keeps its place on the can
    fingers = moved.rotations[late][:, list(HAND32[17:])]
    assert rot.angle_between(fingers[1:], fingers[:1]).max() < 1e-6


def test_what_is_seen_of_the_whole_hold_corrects_contact_across_the_view(truth):
    motion, carried, camera = truth
    shoulder = INDEX["right_shoulder"]
    rotations = motion.rotations.copy()
    rotations[:, shoulder] = rot.quat_mul(rotations[:, shoulder], rot.quat_exp(np.array([0.0, 0.0, 0.08])))
    wrong, held = replace(motion, rotations=rotations), np.flatnonzero(carried.held[:, 1])
    moved = follow_held_object(wrong, carried, seen(motion, camera, tuple(ARM)), camera, HeldObjectConfig())
    axis = camera.T_camera_world[2, :3]
    gaps = [joint_positions(m)[held, WRIST] - joint_positions(motion)[held, WRIST] for m in (wrong, moved)]
    before, after = (np.linalg.norm(g - (g @ axis)[:, None] * axis, axis=-1).mean() for g in gaps)
    assert before > 0.015 and after < 0.5 * before


def test_holds_are_unbroken_and_last(truth):
    _, carried, _ = truth
    held = np.zeros(carried.held.shape, bool)
    held[2:7, 0] = held[9:11, 0] = held[4:8, 1] = True
    found = [(side, frames.tolist()) for side, frames in replace(carried, held=held).holds]
    assert found == [(0, [2, 3, 4, 5, 6]), (1, [4, 5, 6, 7])]


def test_the_mean_of_rotations_does_not_mind_their_sign():
    q = rot.quat_exp(np.array([[0.0, 0, 0.2], [0, 0, 0.4]])) * [[1], [-1]]
    assert rot.angle_between(rot.mean_rotation(q), rot.quat_exp(np.array([0.0, 0, 0.3]))) < 1e-6


def test_the_terms_of_a_hold_are_those_of_the_object_frame(truth):
    motion, carried, camera = truth
    evidence = Evidence(camera, seen(motion, camera, tuple(ARM)), seen(motion, camera, (WRIST,)), carried=carried)
    config = AlignConfig(clearance_m=0.0)
    problem = make_problem(motion, evidence, config)
    parts = weighted_terms(problem, torch.zeros((motion.frames, len(problem.moving), 3)), config)
    frames = np.flatnonzero(carried.held[:, 1])
    every = np.stack(
        [first_points(FirstPose(q, p, motion.offsets)) for q, p in zip(motion.rotations, motion.root, strict=True)]
    )
    local = rot.rotate_inverse(
        np.broadcast_to(carried.rotations[frames, None], (len(frames), 62, 4)),
        every[frames] - carried.positions[frames, None],
    )
    gap = np.linalg.norm(local[:, 57:62, None] - carried.surface, axis=-1).min(-1).mean()
    assert float(parts["held"]) == pytest.approx(config.weight_hoi * gap, rel=1e-3)
    palm = torch.tensor(local[:, list(HAND32[16:])])
    assert float(losses.slip(palm)) == pytest.approx(float(((palm - palm.mean(0)) ** 2).sum(-1).mean()))
    assert float(parts["carry"]) < config.weight_carry * 0.005**2  # the true hand does not slip
    assert not {"held", "carry"} & {
        *weighted_terms(
            make_problem(motion, evidence, paper()), torch.zeros((motion.frames, len(problem.moving), 3)), paper()
        )
    }


def test_two_passes_follow_the_object_where_eq_14_alone_does_not(truth):
    motion, carried, camera = truth
    wrong = left_behind(motion, carried.moves)
    first = FirstPose(motion.rotations[0], motion.root[0], motion.offsets)
    onset = int(np.flatnonzero(carried.held[:, 1])[0])
    touch = ReachTarget(carried.surface + carried.positions[0], (1,), carried.moves, min(onset, carried.moves))
    both = seen(motion, camera, tuple(ARM)), seen(motion, camera, HAND32[16:])
    evidence = Evidence(camera, *both, first, touch, carried)
    config = AlignConfig(iterations=16, calibrate_frames=1, weight_body=0.01, weight_hand=0.01)
    late = np.flatnonzero(carried.held[:, 1])[-4:]
    with_path, record = align_two_pass(wrong, evidence, config)
    alone, _ = align_two_pass(wrong, evidence, replace(config, carry=False))
    assert wrist_error(with_path, motion, late) < 0.3 * wrist_error(alone, motion, late)
    assert record.steps == 16 and with_path.provenance["align_hoi"]["carried_from_step"] == 8
    nobody = replace(evidence, carried=replace(carried, held=np.zeros_like(carried.held)))
    again, _ = align_two_pass(wrong, nobody, config)
    np.testing.assert_allclose(again.rotations, alone.rotations, atol=1e-6)


def test_a_path_of_another_length_is_refused(truth):
    motion, carried, camera = truth
    evidence = Evidence(
        camera,
        seen(motion, camera, tuple(ARM)),
        seen(motion, camera, (WRIST,)),
        carried=replace(carried, held=carried.held[1:]),
    )
    with pytest.raises(ClipError, match="held has shape"):
        align_two_pass(motion, evidence, AlignConfig())


def test_only_the_hand_that_holds_is_believed_less_and_only_while_it_does(truth):
    motion, carried, camera = truth
    points = (*HAND32, 52, 57)  # a tip of each hand
    both = seen(motion, camera, tuple(ARM)), seen(motion, camera, points)
    touch = ReachTarget(carried.surface, (1,), 2)
    less = with_occlusion(Evidence(camera, *both, touch=touch, carried=carried), 0.1)
    right = np.flatnonzero([point in (*HAND32[16:], 57) for point in points])
    left = np.setdiff1d(np.arange(len(points)), right)
    held = carried.held[:, 1]
    assert (less.hands.confidence[np.ix_(held, right)] == 0.1).all()
    assert (less.hands.confidence[~held] == 1).all() and (less.hands.confidence[:, left] == 1).all()
    assert less.touch is None and (both[1].confidence == 1).all()
