"""The wrist of A.5 against known motions: camera frames, rays, forearm twist, gaps."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal
from devi_jax.core.clip import global_rotations
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS
from perception.contracts import BodyMotion, EstimateError, HandMotion
from perception.human.forearm_twist import share_twist, swing_twist
from perception.human.interpolate import fill_positions, fill_rotations, longest_gap
from perception.human.merge_body_and_hands import REST_AXES, UnifyConfig, ray_rotation, unify
from perception.human.motion import joint_positions

T, SIZE = 8, (1024, 576)
CAMERA = frontal(20)
RIGHT = INDEX["right_wrist"]
FINGERS = list(HAND_BODIES[1][1:])
PLAIN = UnifyConfig(ray="none", twist_limit_deg=180, swing_limit_deg=180)


def offsets() -> np.ndarray:
    return np.random.default_rng(5).normal(size=(len(JOINTS), 3)) * 0.2


def estimates(ray: np.ndarray | None = None) -> tuple[BodyMotion, HandMotion, np.ndarray]:
    """A body whose wrists are wrong, its right hand as seen in the camera, and the true local rotations (T, 52, 4).

    `ray` (4,): the turn of the view that a crop of the hand misses.
    """
    rng = np.random.default_rng(0)
    smplx = rng.normal(size=(T, len(JOINTS), 3)) * 0.4
    world = rot.quat_to_matrix(global_rotations(rot.quat_exp(smplx)))
    orient = world[:, RIGHT] if ray is None else rot.quat_to_matrix(rot.quat_conj(ray)) @ world[:, RIGHT]
    body_pose = smplx[:, 1:22].copy()
    body_pose[:, 19:] = rng.normal(size=(T, 2, 3))
    shared = {"fps": 30.0, "size_px": SIZE, "K_used": CAMERA.K, "betas": np.zeros(10), "valid": np.ones(T, bool)}
    body = BodyMotion(
        frame="camera",
        global_orient=smplx[:, 0],
        body_pose=body_pose,
        transl=rng.normal(size=(T, 3)) * 0.1 + [0, 0, 3],
        rest_pelvis=np.array([0.0, -0.35, 0.01]),
        **shared,
    )
    hand = HandMotion(
        side="right",
        global_orient=rot.quat_log(rot.matrix_to_quat(orient)),
        hand_pose=smplx[:, FINGERS],
        joints2d=np.concatenate([np.full((T, 21, 2), (812.0, 200.0)), np.ones((T, 21, 1))], axis=-1),
        **shared,
    )
    turned = smplx @ REST_AXES.T
    true = rot.quat_exp(turned)
    true[:, 0] = rot.quat_mul(rot.quat_exp(smplx[:, 0]), np.broadcast_to(rot.matrix_to_quat(REST_AXES.T), (T, 4)))
    return body, hand, true


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(rot.angle_between(a, b).max())


def test_wrist_and_fingers_are_the_hands_and_the_rest_the_bodys():
    body, hand, true = estimates()
    motion = unify(body, {"right": hand}, CAMERA, offsets(), PLAIN)
    motion.validate()
    upper = [i for i in range(22) if i not in (INDEX["left_wrist"], RIGHT)]
    assert angle(motion.rotations[:, [*upper, RIGHT, *FINGERS]], true[:, [*upper, RIGHT, *FINGERS]]) < 1e-7
    assert angle(motion.rotations[:, list(HAND_BODIES[0][1:])], np.array([1.0, 0, 0, 0])) == 0
    np.testing.assert_allclose(motion.root, body.pelvis)
    assert "not seen" in motion.provenance["unify"]["left"]


def test_rest_axes_place_joints_where_smplx_has_them():
    body, hand, true = estimates()
    bones = offsets()
    motion = unify(body, {"right": hand}, CAMERA, bones, PLAIN)
    smplx = rot.quat_log(true) @ REST_AXES
    smplx[:, 0] = body.global_orient
    world = global_rotations(rot.quat_exp(smplx))
    step = rot.rotate(world[:, INDEX["right_elbow"]], np.broadcast_to(bones[RIGHT] @ REST_AXES, (T, 3)))
    at = joint_positions(motion)
    np.testing.assert_allclose(at[:, RIGHT] - at[:, INDEX["right_elbow"]], step, atol=1e-9)


def test_a_body_in_the_world_takes_the_hand_through_the_scenes_camera():
    body, hand, true = estimates()
    to_world = CAMERA.T_camera_world[:3, :3].T
    orient = to_world @ rot.quat_to_matrix(rot.quat_exp(body.global_orient))
    world = replace(body, frame="world_zup", global_orient=rot.quat_log(rot.matrix_to_quat(orient)))
    motion = unify(world, {"right": hand}, CAMERA, offsets(), PLAIN)
    assert motion.frame == "world_zup"
    assert angle(motion.rotations[:, RIGHT], true[:, RIGHT]) < 1e-7


def test_the_turn_of_the_ray_is_put_back():
    ray = ray_rotation(np.array([812.0, 200.0]), CAMERA.K)
    body, hand, true = estimates(ray)
    right = unify(body, {"right": hand}, CAMERA, offsets(), replace(PLAIN, ray="rotate"))
    wrong = unify(body, {"right": hand}, CAMERA, offsets(), PLAIN)
    assert angle(right.rotations[:, RIGHT], true[:, RIGHT]) < 1e-7
    off_axis = np.arctan(np.hypot(300 / 512, 88 / 512))
    np.testing.assert_allclose(rot.angle_between(wrong.rotations[:, RIGHT], true[:, RIGHT]), off_axis, atol=1e-7)


def test_ray_rotation_takes_the_axis_to_the_pixel_by_the_least_turn():
    px = np.array([[812.0, 200.0], [512.0, 288.0], [10.0, 570.0]])
    turn = ray_rotation(px, CAMERA.K)
    seen = rot.rotate(turn, np.broadcast_to([0.0, 0, 1], (3, 3))) @ CAMERA.K.T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], px, atol=1e-9)
    np.testing.assert_allclose(turn[:, 3], 0.0)


def test_twist_goes_to_the_elbow_and_moves_nothing():
    rng = np.random.default_rng(2)
    axis = np.array([0.6, 0.0, 0.8])
    elbow, swing = rot.quat_exp(rng.normal(size=(T, 3))), np.cross(axis, rng.normal(size=(T, 3)))
    angles = np.radians(np.linspace(-170, 170, T))
    wrist = rot.quat_mul(rot.quat_exp(angles[:, None] * axis), rot.quat_exp(swing))
    twist, bent = swing_twist(wrist, axis)
    np.testing.assert_allclose(twist, angles, atol=1e-9)
    np.testing.assert_allclose(bent, np.linalg.norm(swing, axis=1), atol=1e-9)
    new_elbow, new_wrist, excess = share_twist(elbow, wrist, axis, np.radians(45))
    assert angle(rot.quat_mul(new_elbow, new_wrist), rot.quat_mul(elbow, wrist)) < 1e-7
    ahead = np.broadcast_to(axis, (T, 3))
    np.testing.assert_allclose(rot.rotate(new_elbow, ahead), rot.rotate(elbow, ahead), atol=1e-9)
    np.testing.assert_allclose(swing_twist(new_wrist, axis)[0], np.clip(angles, -np.pi / 4, np.pi / 4), atol=1e-9)
    np.testing.assert_allclose(excess, angles - np.clip(angles, -np.pi / 4, np.pi / 4), atol=1e-9)


def test_gaps_are_bridged_along_the_arc_and_held_at_the_ends():
    valid = np.array([False, True, False, False, False, True, True, False])
    quats = np.full((8, 2, 4), np.nan)
    axis = np.array([0.0, 0.0, 1.0])
    quats[valid] = rot.quat_exp(np.array([0.2, 1.0, 1.1])[:, None] * axis)[:, None]
    filled = fill_rotations(quats, valid)
    expected = np.array([0.2, 0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.1])
    np.testing.assert_allclose(rot.quat_log(filled)[..., 2], np.stack([expected] * 2, axis=1), atol=1e-9)
    values = np.where(valid, np.array([0, 2.0, 0, 0, 0, 4.0, 5.0, 0]), 99.0)
    np.testing.assert_allclose(fill_positions(values, valid), [2, 2, 2.5, 3, 3.5, 4, 5, 5])
    assert longest_gap(valid) == 3 and longest_gap(np.ones(3, bool)) == 0


def test_unseen_and_impossible_wrists_are_bridged_and_said():
    body, hand, true = estimates()
    unseen = replace(hand, valid=np.arange(T) != 3)
    limit = np.degrees(swing_twist(true[:, RIGHT], offsets()[RIGHT] / np.linalg.norm(offsets()[RIGHT]))[1])
    motion = unify(body, {"right": unseen}, CAMERA, offsets(), replace(PLAIN, swing_limit_deg=limit.max() - 1e-3))
    bad = {3, int(limit.argmax())}
    good = [t for t in range(T) if t not in bad]
    assert angle(motion.rotations[good][:, RIGHT], true[good][:, RIGHT]) < 1e-7
    assert angle(motion.rotations[list(bad)][:, RIGHT], true[list(bad)][:, RIGHT]) > 0.05
    note = motion.provenance["unify"]["right"]
    assert note["seen"] == len(good) and note["bridged"] == len(bad) and note["bent_too_far"] == len(bad - {3})


@pytest.mark.parametrize("wrong", [{"fps": 24.0}, {"frames": 5}])
def test_estimates_of_different_videos_are_refused(wrong):
    body, hand, _ = estimates()
    n = wrong.get("frames", T)
    cut = {k: getattr(hand, k)[:n] for k in ("valid", "global_orient", "hand_pose", "joints2d")}
    with pytest.raises(EstimateError, match="Hz"):
        unify(body, {"right": replace(hand, fps=wrong.get("fps", 30.0), **cut)}, CAMERA, offsets())


def test_nobody_seen_is_an_error():
    body, _, _ = estimates()
    with pytest.raises(EstimateError, match="no frame shows a person"):
        unify(replace(body, valid=np.zeros(T, bool)), {}, CAMERA, offsets())
