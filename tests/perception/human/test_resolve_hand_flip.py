"""A hand seen mirrored is turned over again; one seen as it is stays."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import bone_offsets, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import HAND_BODIES, INDEX
from perception.human.motion import SkeletonMotion, joint_positions
from perception.human.resolve_hand_flip import PALM, bending, mirror_image, resolve_hand_flips, smoothest

CAMERA = frontal(-45.0)
RIGHT = list(HAND_BODIES[1])


@pytest.fixture(scope="module")
def motion(request) -> SkeletonMotion:
    clip = load_clip(request.config.rootpath / "devi_jax/data/clips/lift_can.npz")
    return SkeletonMotion(
        10.0,
        rot.quat_normalise(clip.joint_rotations[:60:3].astype(float)),
        clip.joint_positions[:60:3, 0].astype(float),
        bone_offsets(clip),
    )


def mirrored(motion: SkeletonMotion, frames: slice) -> SkeletonMotion:
    """The right hand of these frames in its other reading."""
    rotations = motion.rotations.copy()
    world, at = global_rotations(rotations), joint_positions(motion)
    wrist, elbow = INDEX["right_wrist"], INDEX["right_elbow"]
    other = mirror_image(world[:, wrist], at[:, wrist] - CAMERA.position_world)
    rotations[frames, wrist] = rot.quat_mul(rot.quat_conj(world[frames, elbow]), other[frames])
    rotations[frames, RIGHT[1:]] = rotations[frames, RIGHT[1:]] * [1, -1, -1, 1]
    return replace(motion, rotations=rotations)


def test_the_mirror_image_of_a_flat_hand_looks_the_same_from_far_away():
    rng = np.random.default_rng(0)
    palm = np.concatenate([rng.uniform(-0.08, 0.08, (9, 2)), np.zeros((9, 1))], axis=1)
    q = rot.quat_normalise(rng.normal(size=4))
    centre = np.array([0.2, 0.3, 1.0])
    other = mirror_image(q[None], (centre - CAMERA.position_world)[None])[0]
    assert rot.angle_between(q, other) > 0.3
    far = []
    for turn in (q, other):
        at = rot.rotate(np.broadcast_to(turn, (9, 4)), palm)
        way = (centre - CAMERA.position_world) / np.linalg.norm(centre - CAMERA.position_world)
        far.append(at - (at @ way)[:, None] * way)  # what an orthographic view along the ray keeps
    np.testing.assert_allclose(*far, atol=1e-9)
    near = [
        project(rot.rotate(np.broadcast_to(t, (9, 4)), palm) + centre, CAMERA.K, CAMERA.T_camera_world)[0]
        for t in (q, other)
    ]
    assert np.linalg.norm(near[0] - near[1], axis=-1).max() < 4


def test_turning_over_twice_is_nothing():
    q = rot.quat_normalise(np.random.default_rng(1).normal(size=(6, 4)))
    ray = np.random.default_rng(2).normal(size=(6, 3))
    again = mirror_image(mirror_image(q, ray), ray)
    assert rot.angle_between(again, q).max() < 1e-6
    np.testing.assert_array_equal(PALM @ PALM, np.eye(3))


def test_frames_seen_mirrored_are_turned_over_and_no_others(motion):
    for frames in (slice(0, 0), slice(6, 14)):
        out = resolve_hand_flips(mirrored(motion, frames), CAMERA)
        assert rot.angle_between(out.rotations[:, RIGHT], motion.rotations[:, RIGHT]).max() < 1e-3
        assert out.provenance["hands_turned_over"] == {"left": 0, "right": len(range(20)[frames])}
        others = [i for i in range(52) if i not in RIGHT]
        np.testing.assert_allclose(out.rotations[:, others], motion.rotations[:, others], atol=1e-9)


def test_fingers_bend_about_one_axis(motion):
    flat = np.tile([1.0, 0, 0, 0], (1, 52, 1))
    for side, towards in (("left", -1.0), ("right", 1.0)):
        bent = flat.copy()
        fingers = list(HAND_BODIES[0 if side == "left" else 1][1:13])  # the thumb comes last
        bent[:, fingers] = rot.quat_exp(np.array([0, 0.3 * towards, 0]))
        np.testing.assert_allclose(bending(bent, side), 0.3)
    assert bending(motion.rotations, "right").min() > 0


def test_the_smoothest_reading_forgives_one_frame():
    still = np.tile([1.0, 0, 0, 0], (9, 1))
    over = np.tile([0.0, 1, 0, 0], (9, 1))
    cost = np.zeros((2, 9))
    cost[1] = 50.0
    cost[0, 4] = 60.0  # two half turns cost 2 (pi / 0.4)^2 = 123
    assert smoothest(np.stack([still, over]), cost, 0.4).tolist() == [0] * 9
    cost[0, 3:7] = 90.0
    assert smoothest(np.stack([still, over]), cost, 0.4).tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0]
