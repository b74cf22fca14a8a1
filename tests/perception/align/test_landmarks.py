"""Which points of the skeleton the estimators' 2D joints speak of."""

import numpy as np
import pytest

from devi_jax.core.camera import frontal
from devi_jax.core.skeleton import BODY19, INDEX, JOINTS, TIPS
from perception.align.landmarks import POINT, body_landmarks, hand_landmarks
from perception.contracts import HAND21, BodyMotion, EstimateError, HandMotion
from perception.human.motion import SkeletonMotion, joint_positions

T, CAMERA = 3, frontal(0)
SHARED = {"fps": 30.0, "size_px": (1024, 576), "K_used": CAMERA.K, "betas": np.zeros(10)}


def body(**points) -> BodyMotion:
    zero = np.zeros((T, 3))
    return BodyMotion(
        frame="camera",
        global_orient=zero,
        body_pose=np.zeros((T, 21, 3)),
        transl=zero,
        rest_pelvis=np.zeros(3),
        valid=np.array([True, False, True]),
        **SHARED,
        **points,
    )


def motion(frame="camera") -> SkeletonMotion:
    rotations = np.zeros((T, len(JOINTS), 4))
    rotations[..., 0] = 1
    offsets = np.random.default_rng(0).normal(size=(len(JOINTS), 3)) * 0.1
    return SkeletonMotion(30.0, rotations, np.array([[0.1, 0.2, 3.0]] * T), offsets, frame)


def test_fingertips_have_the_order_of_the_skeletons_tips():
    assert POINT["left_index_tip"] == len(JOINTS) and POINT["right_thumb_tip"] == len(JOINTS) + 9
    assert POINT["right_pinky_tip"] - len(JOINTS) == TIPS.index(INDEX["right_pinky3"])
    assert sorted(POINT.values()) == list(range(62))


def test_points_of_the_body_are_taken_by_name_and_others_are_left():
    names = ("nose", "right_elbow", "left_wrist", "left_shoulder")
    px = np.random.default_rng(0).uniform(0, 500, size=(T, 4, 3))
    px[..., 2] = 0.5
    px[1] = np.nan
    seen = body_landmarks(body(joints2d=px, joint_names=names), motion())
    assert seen.points == (INDEX["right_elbow"], INDEX["left_shoulder"])
    np.testing.assert_array_equal(seen.px[0], px[0][[1, 3], :2])
    np.testing.assert_array_equal(seen.confidence, [[0.5, 0.5], [0, 0], [0.5, 0.5]])
    seen.validate(T, "")


def test_without_2d_joints_the_bodys_own_are_projected_by_its_own_camera():
    seen = body_landmarks(body(), motion())
    at = joint_positions(motion())[0, BODY19[4]]
    np.testing.assert_allclose(seen.px[0, 4], CAMERA.K[[0, 1], [0, 1]] * at[:2] / at[2] + CAMERA.K[:2, 2])
    np.testing.assert_array_equal(seen.confidence[:, 0], [1, 0, 1])
    with pytest.raises(EstimateError, match="no 2D joints"):
        body_landmarks(body(), motion("world_zup"))


def test_hands_are_joined_with_their_own_confidence():
    def hand(side: str, valid: list[bool]) -> HandMotion:
        px = np.full((T, 21, 3), 0.25)
        px[..., 0] = np.arange(21)
        zero = np.zeros((T, 15, 3))
        given = {"valid": np.array(valid), "global_orient": zero[:, 0], "hand_pose": zero, "joints2d": px}
        return HandMotion(side=side, **given, **SHARED)  # type: ignore[arg-type]

    seen = hand_landmarks({"left": hand("left", [False] * 3), "right": hand("right", [True, False, True])}, T)
    assert len(seen.points) == 21
    assert seen.points[0] == INDEX["right_wrist"]
    assert seen.points[HAND21.index("ring_tip")] == len(JOINTS) + TIPS.index(INDEX["right_ring3"])
    np.testing.assert_array_equal(seen.px[2, :, 0], np.arange(21))
    np.testing.assert_array_equal(seen.confidence[:, 7], [0.25, 0, 0.25])
    assert hand_landmarks({}, T).px.shape == (T, 0, 2)
