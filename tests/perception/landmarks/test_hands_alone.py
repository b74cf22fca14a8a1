"""Hands without a body: told apart, placed by their size, lifted to arms; on a bundled clip's own hands."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, look_at, project
from devi_jax.core.clip import Clip, bone_offsets, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import INDEX
from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Origin
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.evidence import FirstPose
from perception.human.merge_body_and_hands import ray_rotation
from perception.human.motion import joint_positions
from perception.human.skeleton_points import fingertips
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.evidence import point_index
from perception.landmarks.follow import Networks
from perception.landmarks.hand_depth import hand_in_camera
from perception.landmarks.hands import Hand, next_roi
from perception.landmarks.hands_alone import HandsAloneConfig, estimate_hands, name_sides, without_doubles
from perception.landmarks.lift_hands_alone import lift_hands_alone
from perception.landmarks.network_palm import KNUCKLES, PALM_POINTS, network_shifts
from perception.landmarks.pose import POSE33

FRAMES, FPS = 40, 30.0


def hand(x: float, right: float = 0.5, presence: float = 0.9, size: float = 40.0) -> Hand:
    px = np.array([x, 100.0]) + size * np.stack([np.linspace(0, 1, 21), np.linspace(0, 1, 21) ** 2], axis=1)
    return Hand(px, np.zeros((21, 3)), presence, next_roi(px), right)


def test_one_hand_is_what_the_network_says_on_the_mean_or_what_the_user_says():
    seen = [[hand(0, right=r), None] for r in (0.9, 0.2, 0.8, 0.9)]
    assert [h is not None for h in name_sides(seen, None, 0.1)["right"]] == [True] * 4
    assert name_sides(seen, None, 0.1)["left"] == [None] * 4
    assert all(name_sides(seen, "left", 0.1)["left"])


def test_two_hands_are_told_apart_by_which_is_more_of_a_right_one():
    seen = [[hand(0, right=0.8), hand(300, right=0.6)]] * 4
    named = name_sides(seen, None, 0.1)
    assert named["right"][0] is seen[0][0] and named["left"][0] is seen[0][1]


def test_what_is_seen_too_seldom_is_no_hand():
    seen = [[hand(0, right=0.9), hand(300) if t == 7 else None] for t in range(20)]
    assert not any(name_sides(seen, None, 0.1)["left"])


def test_a_thumb_that_is_seen_as_another_hand_stays_with_the_surer_one():
    whole, thumb, away = hand(0, presence=0.95), hand(5, presence=0.8, size=15), hand(200)
    assert without_doubles([thumb, whole], HandsAloneConfig()) == [None, whole]
    assert without_doubles([whole, away], HandsAloneConfig()) == [whole, away]


def test_the_network_says_of_a_rendered_person_which_hand_is_which(networks: Networks, person: np.ndarray):
    found = estimate_hands([person] * 2, 30.0, networks=networks)
    wrists = {side: found.hands[side].xy[-1, 0] for side in ("left", "right") if found.hands[side].seen.any()}
    assert set(wrists) == {"left", "right"}
    assert wrists["right"][0] < wrists["left"][0]  # the person looks at the camera
    assert not found.body.seen.any()


def test_a_film_without_hands_is_refused(networks: Networks):
    with pytest.raises(EstimateError, match="neither a person nor a hand is seen"):
        estimate_hands([np.full((240, 320, 3), 128, np.uint8)] * 3, 30.0, networks=networks)


@cache
def clip() -> Clip:
    whole = load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / "lift_can.npz")
    part = slice(15, 15 + FRAMES)
    rotations, positions = whole.joint_rotations[part], whole.joint_positions[part]
    return replace(whole, joint_rotations=rotations, joint_positions=positions, contact=whole.contact[part])


def camera() -> Camera:
    wrist = clip().joint_positions[20, INDEX["right_wrist"]]
    return look_at(wrist + [0.45, 0.35, 0.25], wrist + [0.05, 0.05, -0.03], 800.0)


def seen_hand(flat: float = 1.0, side: str = "right") -> tuple[Keypoints, np.ndarray]:
    """The clip's hand as a network sees it, `flat` times as deep as it is, and its knuckles (T, 3) in the camera."""
    c, view = clip(), camera()
    turned = global_rotations(c.joint_rotations)
    offsets = bone_offsets(c)
    tips = fingertips(offsets)
    at = []
    for name in HAND21:
        i = point_index(f"{side}_{name}")
        if i < len(c.joint_positions[0]):
            at.append(c.joint_positions[:, i])
            continue
        tip = i - len(c.joint_positions[0])
        joint = INDEX[f"{side}_{name.removesuffix('_tip')}3"]
        at.append(c.joint_positions[:, joint] + rot.rotate(turned[:, joint], np.tile(tips[tip], (FRAMES, 1))))
    world = np.stack(at, axis=1)
    knuckles = world[:, PALM_POINTS[1:]].mean(axis=1)
    shifts = np.broadcast_to(network_shifts(offsets, side), world.shape)
    wrist = np.broadcast_to(turned[:, None, INDEX[f"{side}_wrist"]], (FRAMES, 21, 4))
    world = world + rot.rotate(wrist, shifts)
    px, _ = project(world, view.K, view.T_camera_world)
    inside = world @ view.T_camera_world[:3, :3].T
    turn = rot.quat_conj(ray_rotation(px.mean(axis=1), view.K))
    xyz = rot.rotate(np.broadcast_to(turn[:, None], (FRAMES, 21, 4)), inside - inside[:, :1])
    xyz[..., 2] *= flat
    names = tuple(f"{side}_{name}" for name in HAND21)
    points = Keypoints(
        fps=FPS,
        size_px=(1024, 576),
        origin=Origin("t", "", {}),
        names=names,
        xy=px,
        conf=np.ones((FRAMES, 21)),
        xyz=xyz,
    )
    return points, knuckles @ view.T_camera_world[:3, :3].T + view.T_camera_world[:3, 3]


@pytest.mark.parametrize("flat", [1.0, 0.6])
def test_a_palm_of_known_size_tells_where_a_hand_is_however_flat_the_network_makes_it(flat):
    points, knuckles = seen_hand(flat)
    found = hand_in_camera(points, camera().K, bone_offsets(clip()), "right")
    assert np.linalg.norm(found[:, PALM_POINTS[1:]].mean(axis=1) - knuckles, axis=-1).max() < 5e-3
    T = camera().T_camera_world
    wrist = clip().joint_positions[:, INDEX["right_wrist"]] @ T[:3, :3].T + T[:3, 3]
    assert np.linalg.norm(found[:, 0] - wrist, axis=-1).max() < 8e-3


def test_frames_without_the_hand_are_nan_and_a_hand_without_depth_is_nowhere():
    points, _ = seen_hand()
    conf = points.conf.copy()
    conf[5:9] = 0
    found = hand_in_camera(replace(points, conf=conf), camera().K, bone_offsets(clip()), "right")
    assert np.isnan(found[5:9]).all() and np.isfinite(np.delete(found, np.s_[5:9], axis=0)).all()
    assert np.isnan(hand_in_camera(replace(points, xyz=None), camera().K, bone_offsets(clip()), "right")).all()


def test_frames_whose_palm_fits_nothing_are_bridged_and_a_hand_without_depth_is_refused():
    points, _ = seen_hand()
    c = clip()
    first = FirstPose(rot.quat_normalise(c.joint_rotations[0]), c.joint_positions[0, 0], bone_offsets(c))
    whole = joint_positions(lift_hands_alone(person(points), camera(), first))
    far = points.xy.copy()
    far[12:15] = [500.0, 300.0]  # all points in one pixel: a hand infinitely far away
    broken = joint_positions(lift_hands_alone(person(replace(points, xy=far)), camera(), first))
    assert np.isfinite(broken).all()
    assert np.linalg.norm(broken - whole, axis=-1).max() < 0.1
    with pytest.raises(EstimateError, match="no hand can be placed in space"):
        lift_hands_alone(person(replace(points, xyz=None)), camera(), first)


def person(points: Keypoints) -> PersonLandmarks:
    nobody = np.zeros((FRAMES, len(POSE33), 2))
    rest = {"fps": FPS, "size_px": (1024, 576), "origin": points.origin}
    body = Keypoints(**rest, names=POSE33, xy=nobody, conf=nobody[..., 0])
    names = tuple(f"left_{name}" for name in HAND21)
    nothing = Keypoints(**rest, names=names, xy=np.zeros((FRAMES, 21, 2)), conf=np.zeros((FRAMES, 21)))
    return PersonLandmarks(body, {"left": nothing, "right": points})


def test_arms_reach_to_where_hands_are_and_hands_turn_as_they_do():
    points, _ = seen_hand(0.7)
    c = clip()
    first = FirstPose(rot.quat_normalise(c.joint_rotations[0]), c.joint_positions[0, 0], bone_offsets(c))
    motion = lift_hands_alone(person(points), camera(), first)
    at, wrist = joint_positions(motion), INDEX["right_wrist"]
    px, true = (project(joints[:, wrist], camera().K, camera().T_camera_world)[0] for joints in (at, c.joint_positions))
    assert np.percentile(np.linalg.norm(px - true, axis=-1), 95) < 8.0
    knuckles = [INDEX[f"right_{name}"] for name in KNUCKLES]
    assert np.median(np.linalg.norm((at - c.joint_positions)[:, knuckles].mean(axis=1), axis=-1)) < 0.05
    turned = rot.angle_between(
        global_rotations(motion.rotations)[:, wrist], global_rotations(c.joint_rotations)[:, wrist]
    )
    assert np.degrees(np.median(turned)) < 8
    left = [INDEX["left_elbow"], INDEX["left_wrist"]]  # never seen: stays as it was
    assert rot.angle_between(motion.rotations[:, left], np.tile(first.rotations[left], (FRAMES, 1, 1))).max() < 1e-3


def test_before_a_hand_comes_into_view_it_rests():
    points, _ = seen_hand()
    conf = points.conf.copy()
    conf[:25] = 0
    c = clip()
    first = FirstPose(rot.quat_normalise(c.joint_rotations[0]), c.joint_positions[0, 0], bone_offsets(c))
    motion = lift_hands_alone(person(replace(points, conf=conf)), camera(), first)
    wrist = INDEX["right_wrist"]
    assert rot.angle_between(motion.rotations[:10, wrist], np.tile(first.rotations[wrist], (10, 1))).max() < 1e-6
