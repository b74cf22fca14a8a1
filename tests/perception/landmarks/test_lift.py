"""Landmarks lifted to joints, on a bundled clip's own joints: what one view fixes comes back, the rest stays."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, bone_offsets, forward_kinematics, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import INDEX, SIDES
from perception.contracts.checks import EstimateError
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.chain_solver import right_jacobian
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.motion import joint_positions
from perception.human.skeleton_points import fingertips
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.evidence import body_evidence, hand_evidence, point_index
from perception.landmarks.lift import lift
from perception.landmarks.posture import (
    MOVING,
    Anchors,
    PostureConfig,
    _Problem,
    _residual,
    base_pose,
    fit_posture,
)
from perception.landmarks.turns import fit_rotation, rotation_between, smooth_over_gaps

CAMERA = frontal(-45.0)
FRAMES = 50
ARMS = tuple(f"{side}_{name}" for side in SIDES for name in ("shoulder", "elbow", "wrist"))


@cache
def clip() -> Clip:
    path = Path(devi_jax.__file__).parent / "data" / "clips" / "lift_can.npz"
    whole = load_clip(path)
    return replace(
        whole,
        joint_rotations=whole.joint_rotations[:FRAMES],
        joint_positions=whole.joint_positions[:FRAMES],
        contact=whole.contact[:FRAMES],
    )


def first() -> FirstPose:
    rotations = rot.quat_normalise(clip().joint_rotations[0])  # files round them
    return FirstPose(rotations, clip().joint_positions[0, 0], bone_offsets(clip()))


def all_points() -> np.ndarray:
    """Joints and fingertips (T, 62, 3) of the clip."""
    local, offsets = clip().joint_rotations, bone_offsets(clip())
    at = forward_kinematics(local, clip().joint_positions[:, 0], offsets)
    tips = [INDEX[f"{side}_{finger}3"] for side in SIDES for finger in ("index", "middle", "pinky", "ring", "thumb")]
    ends = rot.rotate(global_rotations(local)[:, tips], np.tile(fingertips(offsets), (len(at), 1, 1)))
    return np.concatenate([at, at[:, tips] + ends], axis=1)


def keypoints(names: tuple[str, ...], offset_px: float = 0.0) -> Keypoints:
    at = all_points()[:, [point_index(name) for name in names]]
    px, _ = project(at, CAMERA.K, CAMERA.T_camera_world)
    return Keypoints(
        fps=30.0,
        size_px=(1024, 576),
        xy=px + offset_px,
        conf=np.ones(px.shape[:2]),
        names=names,
        xyz=at @ CAMERA.T_camera_world[:3, :3].T,
    )


def person(offset_px: float = 0.0) -> PersonLandmarks:
    hands = {side: keypoints(tuple(f"{side}_{name}" for name in HAND21), offset_px) for side in SIDES}
    return PersonLandmarks(keypoints(ARMS, offset_px), hands)  # type: ignore[arg-type]


def test_arms_go_where_they_are_seen_and_hands_turn_as_they_are_seen():
    motion = lift(person(offset_px=6.0), CAMERA, first())  # a constant offset is the network's, not the body's
    motion.validate()
    px = project(joint_positions(motion), CAMERA.K, CAMERA.T_camera_world)[0]
    truth = project(clip().joint_positions, CAMERA.K, CAMERA.T_camera_world)[0]
    wrists = [INDEX["left_wrist"], INDEX["right_wrist"]]
    assert np.median(np.linalg.norm(px - truth, axis=-1)[:, wrists]) < 2
    reach = np.linalg.norm(truth[-1, wrists[1]] - truth[0, wrists[1]])
    assert reach > 40
    turned, want = global_rotations(motion.rotations), global_rotations(clip().joint_rotations)
    fingers = [INDEX[f"right_{name}{k}"] for name in ("index", "middle", "thumb") for k in (1, 2, 3)]
    angle = rot.angle_between(turned[:, [wrists[1], *fingers]], want[:, [wrists[1], *fingers]])
    assert np.degrees(np.median(angle)) < 4
    assert np.degrees(rot.angle_between(want[-1, wrists[1]], want[0, wrists[1]])) > 20


def test_root_legs_and_head_stay_as_in_the_first_frame():
    motion = lift(person(), CAMERA, first())
    still = [INDEX[n] for n in ("pelvis", "left_hip", "right_knee", "left_ankle", "neck", "head", "left_collar")]
    np.testing.assert_allclose(motion.rotations[:, still], np.tile(first().rotations[still], (FRAMES, 1, 1)))
    np.testing.assert_allclose(motion.root, np.tile(first().root, (FRAMES, 1)))


def unseen(points: Keypoints, frames: slice) -> Keypoints:
    conf, xy = points.conf.copy(), points.xy.copy()
    conf[frames], xy[frames] = 0.0, 0.0
    return replace(points, conf=conf, xy=xy)


def test_a_hand_that_was_never_seen_keeps_its_pose_and_is_named():
    whole = person()
    missing = replace(whole, hands={**whole.hands, "left": unseen(whole.hands["left"], slice(None))})
    motion = lift(missing, CAMERA, first())
    assert motion.provenance["lift"]["hands_not_lifted"] == ["left"]
    still = [INDEX[f"left_{name}"] for name in ("wrist", "index1", "thumb3")]
    np.testing.assert_allclose(motion.rotations[:, still], np.tile(first().rotations[still], (FRAMES, 1, 1)))


def test_gaps_of_a_hand_are_bridged():
    whole = person()
    gap = replace(whole, hands={**whole.hands, "right": unseen(whole.hands["right"], slice(20, 24))})
    a, b = lift(gap, CAMERA, first()), lift(whole, CAMERA, first())
    wrist = INDEX["right_wrist"]
    assert np.linalg.norm(joint_positions(a)[:, wrist] - joint_positions(b)[:, wrist], axis=-1).max() < 0.03


def test_a_body_that_is_not_seen_at_first_is_refused():
    whole = person()
    with pytest.raises(EstimateError, match="first frames"):
        lift(replace(whole, body=unseen(whole.body, slice(0, 8))), CAMERA, first())


def test_alignment_gets_each_point_by_its_index_and_wrists_only_where_hands_are_lost():
    whole = person()
    missing = replace(whole, hands={**whole.hands, "left": unseen(whole.hands["left"], slice(3, 5))})
    body, hands = body_evidence(missing), hand_evidence(missing)
    body.validate(FRAMES, "body")
    hands.validate(FRAMES, "hands")
    truth = project(all_points(), CAMERA.K, CAMERA.T_camera_world)[0]
    np.testing.assert_allclose(hands.px[0], truth[0, list(hands.points)])
    assert sorted(hands.points)[-10:] == list(range(52, 62))
    left = body.points.index(INDEX["left_wrist"])
    assert np.flatnonzero(body.confidence[:, left]).tolist() == [3, 4]
    assert not hands.confidence[3:5, :21].any() and hands.confidence[:, 21:].all()


def seen_px(rotations: np.ndarray) -> Landmarks2D:
    at = forward_kinematics(rotations, np.tile(first().root, (len(rotations), 1)), first().offsets)
    points = tuple(INDEX[name] for name in ARMS)
    px = project(at[:, list(points)], CAMERA.K, CAMERA.T_camera_world)[0]
    return Landmarks2D(px, np.ones(px.shape[:2]), points)


def test_nothing_turns_where_nothing_moves():
    still = np.tile(first().rotations, (5, 1, 1))
    got = fit_posture(seen_px(still), np.full(6, 3.0), CAMERA, base_pose(first(), len(still)), 30.0, PostureConfig())
    np.testing.assert_allclose(got, still, atol=1e-9)


def test_a_wrist_whose_place_is_known_is_put_there_though_the_picture_hardly_shows_it():
    still = np.tile(first().rotations, (12, 1, 1))
    base, wrist = base_pose(first(), 12), INDEX["right_wrist"]
    at = forward_kinematics(still, base.root, base.offsets)
    away = CAMERA.T_camera_world[2, :3]  # along the optical axis
    aim = at[:, [wrist]] - 0.06 * away
    weight = np.zeros((12, 1))
    weight[6:] = 0.005**-2.0
    anchors = Anchors((wrist,), aim, weight)
    got = fit_posture(seen_px(still), np.full(6, 8.0), CAMERA, base, 30.0, PostureConfig(), anchors)
    moved = forward_kinematics(got, base.root, base.offsets)[:, wrist]
    assert np.linalg.norm(moved[7:] - aim[7:, 0], axis=-1).max() < 0.01
    assert np.linalg.norm(np.diff(moved, axis=0), axis=-1).max() < 0.03  # it goes there smoothly


def test_derivatives_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    tangent = rng.normal(0, 0.4, (2, len(MOVING), 3))
    held = Anchors((INDEX["left_wrist"], INDEX["right_elbow"]), rng.normal(0, 1, (2, 2, 3)), np.ones((2, 2)))
    seen = seen_px(np.tile(first().rotations, (2, 1, 1)))
    problem = _Problem(seen, CAMERA, base_pose(first(), 2), held, tuple(INDEX[n] for n in MOVING))
    _, jacobian = _residual(problem, tangent)
    step = rng.normal(0, 1, tangent.shape)
    ahead, behind = (_residual(problem, tangent + sign * 1e-5 * step)[0] for sign in (1, -1))
    np.testing.assert_allclose(
        np.einsum("tri,ti->tr", jacobian, step.reshape(2, -1)), (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-4
    )


def test_the_right_jacobian_of_the_exponential_map():
    w, d = np.array([0.5, -1.1, 0.7]), np.array([2e-6, 1e-6, -3e-6])
    moved = rot.quat_mul(rot.quat_conj(rot.quat_exp(w)), rot.quat_exp(w + d))
    np.testing.assert_allclose(rot.quat_log(moved), right_jacobian(w) @ d, atol=1e-11)
    np.testing.assert_allclose(right_jacobian(np.zeros(3)), np.eye(3))


def test_rotations_between_directions_and_point_sets():
    a, b = np.array([[1.0, 0, 0], [0, 0, 2], [1, 0, 0]]), np.array([[0.0, 3, 0], [0, 0, 1], [-1, 0, 0]])
    q = rotation_between(a, b)
    got = rot.rotate(q, a / np.linalg.norm(a, axis=1, keepdims=True))
    np.testing.assert_allclose(got, b / np.linalg.norm(b, axis=1, keepdims=True), atol=1e-12)
    rng = np.random.default_rng(1)
    points, turn = rng.normal(size=(6, 3)), rot.quat_exp(np.array([[0.3, -2.0, 0.4], [0, 0, 0]]))
    target = rot.rotate(turn[:, None], np.tile(points, (2, 1, 1))) + np.array([1.0, 2, 3])
    np.testing.assert_allclose(rot.angle_between(fit_rotation(points, target), turn), 0, atol=1e-6)


def test_smoothing_bridges_gaps_and_keeps_lines():
    line = np.arange(20.0)[:, None]
    broken = np.where(np.arange(20)[:, None] == 9, 99.0, line)
    seen = np.arange(20) != 9
    np.testing.assert_allclose(smooth_over_gaps(broken, seen, 0.0), line)
    np.testing.assert_allclose(smooth_over_gaps(broken, seen, 1.0)[5:15], line[5:15], atol=1e-9)
