"""What an extraction is worth, on motions whose distance from the truth is plain."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, bone_offsets
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import BODY19, HAND_BODIES, JOINTS
from perception.align.calibrate import first_points
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.motion import SkeletonMotion
from perception.human.scene_prior import ScenePrior
from perception.pipeline.steps import EstimatedHuman

pytest.importorskip("torch")
from perception.evaluation.evaluate import evaluate_extraction

CAMERA = frontal(-45.0)
STILL = 9
BOX = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.06, 0.06)])


@pytest.fixture(scope="module")
def truth() -> Clip:
    """The bundled clip in great steps, standing still at first."""
    clip = load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / "lift_can.npz")
    poses = clip.object_poses
    which = np.r_[np.zeros(STILL, int), np.arange(0, clip.frames, 4)]
    return replace(
        clip,
        joint_rotations=rot.quat_normalise(clip.joint_rotations[which].astype(float)),
        joint_positions=clip.joint_positions[which].astype(float),
        contact=clip.contact[which],
        object_poses=poses and ObjectPoses(poses.positions[which].astype(float), poses.rotations[which].astype(float)),
        object_tracks=None,
    )


@pytest.fixture(scope="module")
def known(truth) -> ScenePrior:
    first = FirstPose(truth.joint_rotations[0], truth.joint_positions[0, 0], bone_offsets(truth))
    inside = np.ones((CAMERA.height, CAMERA.width), bool)
    faces = np.array([[0, 1, 2], [4, 5, 6]])
    return ScenePrior(CAMERA, truth.scene, first, BOX, faces, truth.object_start, inside, ("right",))


@pytest.fixture(scope="module")
def human(truth, known) -> EstimatedHuman:
    """What perfect estimators see, 3 px right and 4 px below of where it is."""
    offsets = bone_offsets(truth)
    poses = zip(truth.joint_rotations, truth.joint_positions[:, 0], strict=True)
    points = np.stack([first_points(FirstPose(q, p, offsets)) for q, p in poses])
    px = project(points, CAMERA.K, CAMERA.T_camera_world)[0] + [3.0, 4.0]
    body = BODY19
    hands = (*HAND_BODIES[0], *range(len(JOINTS), len(JOINTS) + 5), *HAND_BODIES[1], *range(len(JOINTS) + 5, 62))
    return EstimatedHuman(motion(truth), seen(px, body), seen(px, hands))


def seen(px: np.ndarray, points: tuple[int, ...]) -> Landmarks2D:
    return Landmarks2D(px[:, list(points)], np.ones((len(px), len(points))), points)


def motion(truth: Clip, shift: float = 0.0) -> SkeletonMotion:
    root = truth.joint_positions[:, 0] + [shift, 0.0, 0.0]
    return SkeletonMotion(truth.fps, truth.joint_rotations, root, bone_offsets(truth))


def extracted(truth: Clip, off_px: float) -> Clip:
    """The truth as a clip without poses, its tracks `off_px` to the right."""
    poses = truth.object_poses
    assert poses is not None
    turns = np.broadcast_to(poses.rotations[:, None], (truth.frames, len(BOX), 4))
    world = rot.rotate(turns, np.broadcast_to(BOX, (truth.frames, *BOX.shape))) + poses.positions[:, None]
    px, _ = project(world, CAMERA.K, CAMERA.T_camera_world)
    visible = np.ones(px.shape[:2], bool)
    visible[:, 0] = False
    px[:, 0] += 1000.0
    tracks = ObjectTracks(px + [off_px, 0.0], visible, BOX, np.arange(len(BOX)))
    return replace(truth, object_poses=None, object_tracks=tracks)


def test_a_true_motion_scores_nothing_and_one_that_is_off_by_how_much(truth, known, human):
    found = evaluate_extraction(
        extracted(truth, 2.0), {"raw": motion(truth, 0.3), "aligned": motion(truth)}, human, known, truth
    )
    raw, aligned = found.stages["raw"], found.stages["aligned"]
    for value in (aligned.joints_m.all, aligned.upper_m, aligned.wrist_held_m):
        assert value < 1e-4
    for value in (raw.joints_m.body, raw.joints_m.hand, raw.upper_m, raw.wrist_contact_m, raw.wrist_held_m):
        assert value == pytest.approx(0.3, abs=1e-4)
    assert aligned.px.all < 0.05 and raw.px.all > 5
    assert aligned.px_as_seen.all == pytest.approx(5.0, abs=0.05) and aligned.px_seen.all < 0.05
    assert aligned.held.d_hoi_m == pytest.approx(found.truth.d_hoi_m, abs=1e-4)
    assert raw.held.d_hoi_m > found.truth.d_hoi_m + 0.1 and raw.held.precision == (0.0, 0.0)
    assert found.truth.frames == truth.contact[:, 1].sum() and found.phases.hands == ("right",)
    assert found.tracks.median_px == pytest.approx(2.0) and found.tracks.p95_px == pytest.approx(2.0)
    assert found.tracks_visible == pytest.approx(7 / 8)
    assert (found.labels.f1, found.labels.onset_frames) == (1.0, 0.0)
    assert "wrist 0 mm at contact, 0 held; contact F1 1.00" in found.brief


def test_an_objects_poses_are_judged_from_its_first_true_motion_on(truth, known, human):
    poses, clip = truth.object_poses, extracted(truth, 0.0)
    assert evaluate_extraction(clip, {"raw": motion(truth)}, human, known, truth).object is None
    moves = int(np.argmax(np.linalg.norm(poses.positions - poses.positions[0], axis=1) > 0.002))
    turned = rot.quat_mul(poses.rotations, rot.quat_exp(np.array([0.0, 0.0, np.radians(3.0)])))
    off = poses.positions + np.where(np.arange(truth.frames)[:, None] < moves, 9.0, [0.0, 0.03, 0.04])
    found = evaluate_extraction(
        replace(clip, object_poses=ObjectPoses(off, turned)), {"raw": motion(truth)}, human, known, truth
    ).object
    assert found is not None
    np.testing.assert_allclose([found.median_m, found.p95_m], 0.05, atol=1e-9)
    np.testing.assert_allclose([found.median_deg, found.p95_deg], 3.0, atol=1e-6)


def test_hands_are_judged_by_phase_side_and_pixels(truth, known, human):
    clip, motions = extracted(truth, 0.0), {"raw": motion(truth), "aligned": motion(truth)}
    found = evaluate_extraction(clip, motions, human, known, truth).hands
    assert found.sides == 1.0 and set(found.found.values()) == {1.0}
    assert list(found.px.values()) == pytest.approx([5.0] * 3, abs=0.05)
    half = len(human.hands.points) // 2
    swapped = np.concatenate([human.hands.px[:, half:], human.hands.px[:, :half]], axis=1)
    lost = human.hands.confidence.copy()
    lost[: truth.onset] = 0.0
    other = replace(human, hands=replace(human.hands, px=swapped, confidence=lost))
    found = evaluate_extraction(clip, motions, other, known, truth).hands
    assert found.sides == 0.0 and found.found["reach"] == 0.0 and found.found["lift"] == 1.0
    assert np.isnan(found.px["reach"]) and found.px["lift"] > 50


def test_a_truth_of_another_video_is_refused(truth, known, human):
    clip = extracted(truth, 0.0)
    with pytest.raises(ClipError, match="no object tracks"):
        evaluate_extraction(replace(clip, object_tracks=None), {}, human, known, truth)
    with pytest.raises(ClipError, match="the truth has"):
        evaluate_extraction(clip, {}, human, known, replace(truth, object_poses=None))
    short = replace(truth, joint_rotations=truth.joint_rotations[1:], contact=truth.contact[1:])
    with pytest.raises(ClipError, match=f"{truth.frames - 1} frames, the clip {truth.frames}"):
        evaluate_extraction(clip, {}, human, known, short)
