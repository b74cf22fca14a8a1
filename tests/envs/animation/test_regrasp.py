"""Seen holds become grips that hold: on the bundled lift, whose hand is spoilt as one view spoils it."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, bone_offsets, forward_kinematics, global_rotations, resample
from devi_jax.core.skeleton import HAND_BODIES, INDEX
from devi_jax.datasets.load import resolve
from envs.animation.repair import infer_grasp, pose_clip, regrasp
from envs.animation.repair.infer_grasp import ContactInterval, contact_intervals
from envs.animation.repair.posed_clip import clearances, pose_frame
from envs.embodiments.human import Human, human, with_offsets
from envs.physics import Scene

WRIST, HAND = INDEX["right_wrist"], list(HAND_BODIES[1])


@pytest.fixture(scope="module")
def lift() -> Clip:
    """At 10 frames a second: contact from frame 18, moving from frame 21 on."""
    return resample(resolve("lift_can"), 10.0)


def scene(clip: Clip) -> Scene:
    return Scene(clip.scene, Human(with_offsets(human(), bone_offsets(clip))))


def spoilt(clip: Clip, shoulder_rad: float, wrist_rad: float) -> Clip:
    """The right arm turned away by an angle, its hand by another."""
    rotations = rot.quat_normalise(clip.joint_rotations.astype(float))
    for joint, turn in (("right_shoulder", [0, shoulder_rad, 0]), ("right_wrist", [wrist_rad, 0, 0])):
        rotations[:, INDEX[joint]] = rot.quat_mul(rotations[:, INDEX[joint]], rot.quat_exp(np.array(turn, float)))
    positions = forward_kinematics(rotations, clip.joint_positions[:, 0].astype(float), bone_offsets(clip))
    return replace(clip, joint_rotations=rotations, joint_positions=positions)


def on_object(clip: Clip, t: int) -> tuple[np.ndarray, np.ndarray]:
    """The right wrist's place (3,) and rotation (4,) in the object's frame."""
    poses = clip.object_poses
    assert poses is not None
    turn = poses.rotations[t].astype(float)
    world = global_rotations(clip.joint_rotations[t : t + 1].astype(float))[0, WRIST]
    place = rot.rotate_inverse(turn, clip.joint_positions[t, WRIST] - poses.positions[t])
    return place, rot.quat_mul(rot.quat_conj(turn), world)


def test_holds_are_runs_of_labels_and_two_hands_together_are_one(lift):
    contact = np.zeros((20, 2))
    contact[3:6, 1] = contact[8:16, 0] = contact[9:17, 1] = 1
    assert contact_intervals(replace(lift, contact=contact)) == [
        ContactInterval(("right",), 3, 6),
        ContactInterval(("left", "right"), 8, 17),
    ]
    contact[9:14, 1] = 0  # given from one hand to the other
    given = [ContactInterval(("right",), 3, 6), ContactInterval(("left",), 8, 16), ContactInterval(("right",), 14, 17)]
    assert contact_intervals(replace(lift, contact=contact)) == given


def test_a_hold_begins_before_its_object_moves_and_has_time_to_come_and_go(lift):
    posed = pose_clip(scene(lift), lift)
    path = lift.object_poses.positions
    moves = int(np.argmax(np.linalg.norm(path - path[0], axis=1) > 0.005))
    late, early = ContactInterval(("right",), moves + 3, lift.frames), ContactInterval(("right",), 4, lift.frames)
    assert regrasp._in_time(posed, [late], 10.0) == [replace(late, start=moves - 2)]
    assert regrasp._in_time(posed, [early], 10.0) == [early]
    other = ContactInterval(("left",), moves + 3, lift.frames)  # takes over what is held: nothing to be early for
    assert regrasp._in_time(posed, [early, other], 10.0) == [early, other]
    times = regrasp._times(ContactInterval(("right",), 15, 20), [], 60, 10.0)
    np.testing.assert_allclose([times.closed - times.there, times.there - times.beside], [4.0, 2.7])
    assert (times.closed, times.opens) == (15, 20) and times.gone - times.opens == pytest.approx(11.7)
    short = regrasp._times(ContactInterval(("right",), 15, 20), [ContactInterval(("right",), 5, 13)], 22, 10.0)
    assert (short.come, short.gone) == pytest.approx((14.0, 22.0))


def test_a_spoilt_hand_holds_again_and_turns_to_how_it_truly_was(lift, monkeypatch):
    monkeypatch.setattr(infer_grasp, "POSED", 4)
    monkeypatch.setattr(infer_grasp, "CLOSED", 1)
    seen = spoilt(lift, 0.15, 0.8)
    found = regrasp.replace_grasps(seen, scene(seen))
    (hold,) = contact_intervals(found)
    last = lift.frames - 1
    (_, true_turn), (seen_at, seen_turn), (place, turn) = (on_object(clip, last) for clip in (lift, seen, found))
    before, after = (np.degrees(rot.angle_between(x, true_turn)) for x in (seen_turn, turn))
    assert before > 50 and after < 35 and np.linalg.norm(place - seen_at) > 0.02
    for t in range(hold.start, last):
        np.testing.assert_allclose(on_object(found, t)[0], place, atol=2e-3)
    posed = pose_clip(scene(found), found)
    gaps = clearances(posed.stage.model, pose_frame(posed, last), posed.hands[1], posed.parts)
    tips = [HAND.index(INDEX[f"right_{finger}3"]) for finger in ("index", "middle", "ring", "pinky", "thumb")]
    assert gaps.min() > -0.002 and np.abs(gaps[tips]).max() < 0.004
    others = [i for name, i in INDEX.items() if not name.startswith(("right", "spine"))]
    np.testing.assert_allclose(found.joint_rotations[:, others], seen.joint_rotations[:, others], atol=1e-9)
    np.testing.assert_allclose(found.joint_rotations[:4], seen.joint_rotations[:4], atol=1e-9)
    assert found.object_poses is lift.object_poses
    assert "right, frames" in found.provenance["repaired"][-1]


def always(clip: Clip) -> np.ndarray:
    """Both hands seen in every frame."""
    return np.ones((clip.frames, 2), bool)


def test_a_hold_is_compared_only_where_its_hand_is_seen(lift):
    """In the hold's later half the hand is said to be somewhere else, unseen: nothing of that counts."""
    posed, (hold,) = pose_clip(scene(lift), lift), contact_intervals(lift)
    half = (hold.start + hold.stop) // 2
    away = replace(lift, joint_positions=np.array(lift.joint_positions))
    away.joint_positions[half:] += 0.3
    seen = always(lift)
    seen[half:, 1] = False
    grip = next(iter(infer_grasp.candidates(posed, lift, hold)))
    told = [infer_grasp.unlikeness(posed, clip, hold, grip, seen) for clip in (lift, away)]
    assert told[0] == told[1] and told[0] < infer_grasp.unlikeness(posed, away, hold, grip) / 4
    assert infer_grasp._compared(hold, seen).max() < half
    np.testing.assert_array_equal(infer_grasp._compared(hold, always(lift)), infer_grasp._compared(hold, None))
    np.testing.assert_array_equal(infer_grasp._compared(hold, ~always(lift)), infer_grasp._compared(hold, None))
    linspaced = np.unique(np.linspace(hold.start, hold.stop - 1, infer_grasp.FRAMES).astype(int))
    np.testing.assert_array_equal(infer_grasp._compared(hold, None), linspaced)


def test_near_to_a_hand_that_holds_there_is_its_own_grip(lift):
    posed, (hold,) = pose_clip(scene(lift), lift), contact_intervals(lift)
    usual = list(infer_grasp.candidates(posed, lift, hold))
    more = list(infer_grasp.candidates(posed, lift, hold, near_seen=always(lift)))
    place = more[len(usual)].wrists[0]
    wrist = pose_frame(posed, hold.start).body("right_wrist")
    turned = place.rotation.T @ wrist.xmat.reshape(3, 3)
    assert np.degrees(np.arccos((np.trace(turned) - 1) / 2)) < 15
    assert np.linalg.norm(place.position - place.rotation @ place.point - wrist.xpos) < 0.03


def test_of_grips_near_to_the_seen_some_are_where_the_hand_is_and_some_off_the_thing(lift):
    posed, (hold,) = pose_clip(scene(lift), lift), contact_intervals(lift)
    usual = len(list(infer_grasp.candidates(posed, lift, hold)))
    near = [c.wrists[0] for c in infer_grasp.candidates(posed, lift, hold, near_seen=always(lift))][usual:]
    at, turn = infer_grasp._seen_wrist(posed, hold)
    wrists = np.array([place.position - place.rotation @ place.point for place in near])
    same = [k for k, place in enumerate(near) if np.allclose(place.rotation, turn, atol=1e-6)]
    gaps = np.linalg.norm(wrists[same] - at, axis=1)
    assert gaps.min() < 1e-9 and 0.022 < gaps.max() < 0.03 + 0.008 + 1e-9
    assert lift.camera is not None
    ray = at - lift.camera.position_world
    along = (wrists[same] - at) @ ray / np.linalg.norm(ray)
    deeper = np.unique(along[np.abs(np.abs(along) - gaps) < 1e-9].round(6))
    np.testing.assert_allclose(deeper, [-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03], atol=1e-6)
    blind = replace(lift, camera=None)
    assert len(list(infer_grasp.candidates(posed, blind, hold, near_seen=always(lift)))) < usual + len(near)


def test_a_hand_that_is_seen_near_its_grip_goes_there_straight(lift):
    hold = ContactInterval(("right",), 20, 30)
    times = regrasp._times(hold, [hold], 60, 10.0, straight=True)
    assert (times.come, times.beside, times.opens, times.gone) == (16, 20, 30, 38)
    posed, (found,) = pose_clip(scene(lift), lift), contact_intervals(lift)
    grips = infer_grasp.best_grasps(posed, lift, found, near_seen=always(lift))
    assert grips is not None and regrasp._as_seen(regrasp._wrists(posed, found)[0], grips)
    times = regrasp._times(found, [found], posed.frames, lift.fps, straight=True)
    taken, _ = regrasp._taken(posed, found, grips, times, straight=True)
    came = np.flatnonzero(np.abs(taken.qpos - posed.qpos).max(axis=1) > 1e-6)
    assert came.min() >= times.come


def test_contact_that_is_broken_for_a_moment_is_one(lift):
    (whole,) = contact_intervals(lift)
    for frames, count in ((1, 1), (5, 2)):
        contact = np.array(lift.contact)
        middle = (whole.start + whole.stop) // 2
        contact[middle : middle + frames] = 0
        found = contact_intervals(replace(lift, contact=contact, fps=30.0))
        assert len(found) == count and (found[0].start, found[-1].stop) == (whole.start, whole.stop)


def test_what_is_out_of_reach_or_has_no_poses_stays_as_seen(lift, monkeypatch):
    monkeypatch.setattr(infer_grasp, "POSED", 2)
    blind = replace(lift, object_poses=None)
    assert regrasp.replace_grasps(blind, scene(blind)) is blind
    poses = lift.object_poses
    far = replace(lift, object_poses=ObjectPoses(poses.positions + [0.0, 3.0, 0.0], poses.rotations))
    kept = regrasp.replace_grasps(far, scene(far))
    assert "kept as seen" in kept.provenance["repaired"][-1]
    np.testing.assert_allclose(kept.joint_rotations, rot.quat_normalise(far.joint_rotations.astype(float)), atol=1e-3)
    np.testing.assert_array_equal(kept.contact, far.contact)
