"""A body of one maker with hands of another: each sees the truth, so together they are it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, bone_offsets, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import HAND_BODIES, INDEX
from perception.align.calibrate import first_points
from perception.align.landmarks import POINT
from perception.contracts import HAND21, BodyMotion, HandMotion, Keypoints
from perception.human.evidence import FirstPose
from perception.human.merge_body_and_hands import REST_AXES, UnifyConfig
from perception.human.scene_prior import ScenePrior
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.pose import POSE33

pytest.importorskip("torch")
pytest.importorskip("cv2")
from perception.pipeline import mixed_sources, steps

CAMERA = frontal(-45.0)
STILL, EVERY, FPS = 9, 6, 5.0
SIDES = ("left", "right")


@pytest.fixture(scope="module")
def truth() -> Clip:
    clip = load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / "lift_can.npz")
    which = np.r_[np.zeros(STILL, int), np.arange(0, clip.frames, EVERY)]
    local = rot.quat_normalise(clip.joint_rotations[which].astype(float))
    at = clip.joint_positions[which].astype(float)
    contact = clip.contact[which]
    return replace(clip, joint_rotations=local, joint_positions=at, contact=contact, object_poses=None)


@pytest.fixture(scope="module")
def points(truth) -> np.ndarray:
    offsets = bone_offsets(truth)
    poses = zip(truth.joint_rotations, truth.joint_positions[:, 0], strict=True)
    return np.stack([first_points(FirstPose(q, p, offsets)) for q, p in poses])


@pytest.fixture(scope="module")
def known(truth) -> ScenePrior:
    first = FirstPose(truth.joint_rotations[0], truth.joint_positions[0, 0], bone_offsets(truth))
    corners, faces = np.eye(3), np.array([[0, 1, 2]])
    inside = np.ones((CAMERA.height, CAMERA.width), bool)
    return ScenePrior(CAMERA, truth.scene, first, corners, faces, truth.object_start, inside, ("right",))


@pytest.fixture(scope="module")
def person(points) -> PersonLandmarks:
    hands = {side: keypoints(points, tuple(f"{side}_{name}" for name in HAND21)) for side in SIDES}
    return PersonLandmarks(keypoints(points, POSE33), hands)


def keypoints(points: np.ndarray, names: tuple[str, ...]) -> Keypoints:
    at = points[:, [POINT.get(name, INDEX["head"]) for name in names]]
    px, _ = project(at, CAMERA.K, CAMERA.T_camera_world)
    xyz = (at - points[:, :1]) @ CAMERA.T_camera_world[:3, :3].T
    return Keypoints(fps=FPS, size_px=(1024, 576), xy=px, conf=np.ones(px.shape[:2]), names=names, xyz=xyz)


def a_body(truth: Clip) -> BodyMotion:
    """A body in the world, its wrists stiff."""
    axes = rot.quat_conj(rot.matrix_to_quat(REST_AXES.T))
    local, n = truth.joint_rotations, truth.frames
    pose = rot.quat_log(local[:, 1:22]) @ REST_AXES
    pose[:, -2:] = 0.0
    return BodyMotion(
        fps=FPS,
        size_px=(1024, 576),
        frame="world_zup",
        global_orient=rot.quat_log(rot.quat_mul(local[:, 0], np.broadcast_to(axes, (n, 4)))),
        body_pose=pose,
        transl=truth.joint_positions[:, 0],
        betas=np.zeros(10),
        rest_pelvis=np.zeros(3),
        valid=np.ones(n, bool),
        K_used=CAMERA.K,
        joints2d=np.ones((n, 1, 3)),
        joint_names=("neck",),
    )


def a_hand(points: np.ndarray, side) -> HandMotion:
    names = [POINT[f"{side}_{name}"] for name in HAND21]
    px, _ = project(points[:, names], CAMERA.K, CAMERA.T_camera_world)
    n = len(points)
    metres = points[:, names] @ CAMERA.T_camera_world[:3, :3].T + CAMERA.T_camera_world[:3, 3]
    return HandMotion(
        fps=FPS,
        size_px=(1024, 576),
        side=side,
        valid=np.arange(n) != n - 1,
        global_orient=np.zeros((n, 3)),
        hand_pose=np.zeros((n, 15, 3)),
        joints2d=np.concatenate([px, np.ones((n, 21, 1))], axis=-1),
        joints3d=metres,
        betas=np.zeros(10),
        K_used=CAMERA.K,
    )


def wrists_off_deg(rotations: np.ndarray, truth: Clip) -> np.ndarray:
    index = [INDEX[f"{side}_wrist"] for side in SIDES]
    found, wanted = (global_rotations(q)[:, index] for q in (rotations, truth.joint_rotations))
    return np.degrees(rot.angle_between(found, wanted)).max(axis=1)


def test_a_tools_body_takes_the_landmarks_hands(truth, known, person):
    body, config = a_body(truth), UnifyConfig()
    human = mixed_sources.from_body_and_landmarks(body, person, known, "rigid", config)
    alone = steps.from_tools(body, {}, known, "rigid", config).motion
    assert wrists_off_deg(alone.rotations, truth).max() > 20
    assert np.median(wrists_off_deg(human.motion.rotations, truth)) < 2
    arm = [INDEX["right_shoulder"], INDEX["right_elbow"]]
    np.testing.assert_allclose(human.motion.rotations[:, arm], alone.rotations[:, arm])
    assert len(human.hands.points) == 42 and human.motion.provenance["lift"]["hands_not_lifted"] == []


def test_landmarks_take_a_tools_hands_and_do_without_the_one_it_lacks(truth, known, person, points):
    seen = mixed_sources.with_hands(person, {"right": a_hand(points, "right")})
    assert not seen.hands["left"].seen.any() and seen.hands["right"].seen.sum() == truth.frames - 1
    np.testing.assert_allclose(seen.hands["right"].xy[:-1], person.hands["right"].xy[:-1])
    found = steps.lift_person(seen, known)
    own = steps.lift_person(person, known)
    fingers = list(HAND_BODIES[1])
    gap = rot.angle_between(found.rotations[:-3, fingers], own.rotations[:-3, fingers])
    assert np.degrees(gap).max() < 1
    assert found.provenance["lift"]["hands_not_lifted"] == ["left"]
