"""Grades: the errors have the sizes they claim, feet and object stay, and the same seed gives the same clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core.clip import Clip, bone_offsets, crop, forward_kinematics, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.rotations import angle_between, quat_log, quat_mul
from devi_jax.core.skeleton import FINGERS, INDEX
from devi_jax.datasets.bundled_sets import FLOOR, GRADES, TABLETOP, graded
from devi_jax.datasets.load import bundled
from envs.animation.degrade import MILD, ROUGH, Imperfection, degrade
from envs.embodiments.human import human

FEET = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "foot")]
WRIST = INDEX["right_wrist"]


def load_bundled(name: str) -> Clip:
    return load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / f"{name}.npz")


def positions(clip: Clip) -> np.ndarray:
    return forward_kinematics(clip.joint_rotations, clip.joint_positions[:, 0], human().offsets)


@pytest.fixture(scope="module")
def clean() -> Clip:
    return load_bundled("lift_can")


@pytest.mark.parametrize(("name", "grade"), [("mild", MILD), ("rough", ROUGH)])
def test_wrist_is_off_by_the_grade_all_along(clean, name, grade):
    wrong = load_bundled(f"lift_can-{name}")
    shift = positions(wrong)[:, WRIST] - positions(clean)[:, WRIST]
    assert np.linalg.norm(shift.mean(axis=0)) == pytest.approx(grade.wrist_m, abs=2.5e-3)  # the jitter's own mean
    assert 5e-4 < np.linalg.norm(shift.std(axis=0)) < 0.6 * grade.wrist_m  # it trembles about that
    turned = [global_rotations(clip.joint_rotations)[:, WRIST] for clip in (wrong, clean)]
    turn = quat_log(quat_mul(turned[0], turned[1] * [1, -1, -1, -1]))
    assert np.linalg.norm(turn.mean(axis=0)) == pytest.approx(grade.wrist_rad, abs=0.015)


@pytest.mark.parametrize("name", ["mild", "rough"])
def test_feet_object_and_labels_stay(clean, name):
    wrong = load_bundled(f"lift_can-{name}")
    assert np.abs(positions(wrong)[:, FEET] - positions(clean)[:, FEET]).max() < 1.5e-3
    assert wrong.object_poses is not None and clean.object_poses is not None
    assert (wrong.object_poses.positions == clean.object_poses.positions).all()
    assert (wrong.object_poses.rotations == clean.object_poses.rotations).all()
    assert (wrong.contact == clean.contact).all()
    assert bone_offsets(wrong) == pytest.approx(human().offsets, abs=1e-3)


def test_idle_hand_keeps_still_but_for_its_arm(clean):
    wrong = load_bundled("lift_can-rough")
    idle = [INDEX[f"left_{finger}{k}"] for finger in FINGERS for k in (1, 2, 3)]
    assert angle_between(wrong.joint_rotations[:, idle], clean.joint_rotations[:, idle]).max() < 2e-3


def test_rough_fingers_close_by_less_than_half(clean):
    """Along the way from the most open hand before contact to the closed one, joint by joint, but for the jitter."""
    wrong = load_bundled("lift_can-rough")
    joints = [INDEX[f"right_{finger}{k}"] for finger in ("index", "middle", "ring", "pinky") for k in (1, 2)]
    opened, closed = clean.joint_rotations[42][joints], clean.joint_rotations[-1][joints]
    full = angle_between(closed, opened)
    left = angle_between(wrong.joint_rotations[60:].mean(axis=0)[joints], closed)
    low, high = ROUGH.closure
    assert full.min() > 0.1
    assert (1 - left / full).mean() == pytest.approx((low + high) / 2, abs=(high - low) / 2 + 0.03)


def test_same_seed_same_clip_and_another_seed_another(clean):
    short = crop(clean, 50, 62)
    one, again, other = degrade(short, "mild"), degrade(short, "mild"), degrade(short, "mild", seed=1)
    assert (one.joint_rotations == again.joint_rotations).all()
    assert np.abs(one.joint_rotations - other.joint_rotations).max() > 1e-2
    assert one.name == "lift_can-mild" and one.provenance["clean"] == clean.provenance


def test_regenerating_gives_the_bundled_arrays(clean):
    wrong = load_bundled("lift_can-rough")
    assert degrade(clean, "rough").joint_rotations == pytest.approx(wrong.joint_rotations, abs=1e-3)


def test_clip_of_another_body_is_refused(clean):
    longer = clean.joint_positions * 1.1
    with pytest.raises(ClipError, match="another body"):
        degrade(crop(Clip(**{**vars(clean), "joint_positions": longer}), 0, 5), "mild")


def test_every_suite_clip_is_bundled_in_every_grade():
    known = bundled()
    there = [name for name in (*TABLETOP, *FLOOR) if name in known]
    assert "lift_can" in there
    for name in there:
        for grade in GRADES:
            path = known[graded(name, grade)]
            assert load_clip(path).name == path.stem and path.stat().st_size < 120_000


def test_a_drifting_wrist_is_right_at_first_and_ever_further_off(clean):
    """Every tenth frame, as if that were all of the clip; in one direction all along."""
    few = crop(clean, 0, clean.frames)
    few = replace(
        few,
        joint_rotations=few.joint_rotations[::10],
        joint_positions=few.joint_positions[::10],
        contact=few.contact[::10],
        object_poses=None,
    )
    wrong = degrade(few, Imperfection(drift_m=0.05), seed=3)
    shift = positions(wrong)[:, WRIST] - positions(few)[:, WRIST]
    np.testing.assert_allclose(np.linalg.norm(shift, axis=1), np.linspace(0, 0.05, few.frames), atol=3e-3)
    middle, end = (x / np.linalg.norm(x) for x in (shift[few.frames // 2], shift[-1]))
    assert middle @ end > 0.95
