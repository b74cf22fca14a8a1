"""Balance of a clip: a body leaned about its ankles gets its margin back between hands and feet that stay."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, bone_offsets, crop, forward_kinematics
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import INDEX, SIDES
from devi_jax.datasets.load import bundled
from envs.animation.kinematics.support_polygon import balance_margin
from envs.animation.repair import balance, balance_clip, pose_clip, stance
from envs.animation.repair.balance import FADE_S, MARGIN_M, MOST_M
from envs.embodiments.human import Human
from envs.physics.scene_model import Scene

FEET = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("ankle", "foot")]
WRISTS = [INDEX[f"{side}_wrist"] for side in SIDES]


@pytest.fixture(scope="module")
def lift() -> Clip:
    return crop(load_clip(bundled()["lift_can"]), 20, 60)  # the hand comes and takes the can


def leaned(clip: Clip, angles) -> Clip:
    """The clip leaned backward about its ankles by `angles` (T,) radians, the soles left flat."""
    turn = rot.quat_exp(np.asarray(angles)[:, None] * [1.0, 0, 0])
    rotations, root = np.array(clip.joint_rotations), clip.joint_positions[:, 0]
    ankles = clip.joint_positions[:, [INDEX[f"{side}_ankle"] for side in SIDES]].mean(axis=1)
    for side in SIDES:
        pelvis, hip, knee, ankle = (
            INDEX[name] for name in ("pelvis", *(f"{side}_{p}" for p in ("hip", "knee", "ankle")))
        )
        shank = rot.quat_mul(rot.quat_mul(rotations[:, pelvis], rotations[:, hip]), rotations[:, knee])
        back = rot.quat_mul(rot.quat_conj(shank), rot.quat_mul(rot.quat_conj(turn), shank))
        rotations[:, ankle] = rot.quat_mul(back, rotations[:, ankle])
    rotations[:, 0] = rot.quat_mul(turn, rotations[:, 0])
    positions = forward_kinematics(rotations, ankles + rot.rotate(turn, root - ankles), bone_offsets(clip))
    return replace(clip, joint_rotations=rotations, joint_positions=positions)


def scene(clip: Clip) -> Scene:
    return Scene(clip.scene, Human())


def margins(clip: Clip) -> np.ndarray:
    posed = pose_clip(scene(clip), clip)
    return np.array([balance_margin(posed.stage, q) for q in posed.qpos])


def moved(a: Clip, b: Clip) -> np.ndarray:
    return np.linalg.norm(a.joint_positions - b.joint_positions, axis=-1)


@pytest.mark.parametrize("angle", [0.16, -0.22])  # behind the heels, before the toes
def test_a_leaning_body_gets_its_margin_back_and_feet_and_wrists_stay(lift, angle):
    lean = leaned(lift, np.full(lift.frames, angle))
    assert margins(lean).max() < -0.02
    np.testing.assert_allclose(lean.joint_positions[:, FEET], lift.joint_positions[:, FEET], atol=2e-3)
    found = balance_clip(lean, scene(lean))
    assert margins(found).min() > MARGIN_M - 5e-4
    assert moved(found, lean)[:, FEET].max() < 0.001 and moved(found, lean)[:, WRISTS].max() < 0.001
    turned = rot.angle_between(found.joint_rotations, lean.joint_rotations)
    fingers = slice(INDEX["right_wrist"] + 1, None)
    assert turned[:, fingers].max() < 1e-6, "fingers keep their joints"
    assert moved(found, lean)[:, INDEX["pelvis"]].max() < MOST_M
    jolt = np.abs(np.diff(found.joint_positions, 2, axis=0)).max()
    assert jolt < np.abs(np.diff(lean.joint_positions, 2, axis=0)).max() + 0.001, "as smooth as it was"
    assert found.provenance["repaired"][-1].startswith("balance: centre of mass moved by up to")


def test_a_balanced_clip_is_left_alone(lift):
    assert margins(lift).min() > 0.1
    assert balance_clip(lift, scene(lift)) is lift
    slightly = leaned(lift, np.full(lift.frames, 0.05))
    assert balance_clip(slightly, scene(slightly)) is slightly


def test_a_passing_lean_is_repaired_where_it_is_and_fades(lift):
    angles = 0.16 * np.exp(-(((np.arange(lift.frames) - 20) / 3.0) ** 2))
    lean = leaned(lift, angles)
    found = balance_clip(lean, scene(lean))
    assert margins(lean).min() < -0.02 and margins(found).min() > MARGIN_M - 5e-4
    busy = moved(found, lean).max(axis=1) > 1e-3
    reach = round(FADE_S * lift.fps)
    outside = np.flatnonzero(margins(lean) < MARGIN_M)
    assert (
        busy[outside].all()
        and not busy[: outside[0] - 2 * reach].any()
        and not busy[outside[-1] + 2 * reach + 1 :].any()
    )


def test_a_step_is_left_alone_and_what_stands_before_it_is_not(lift):
    """A body that leans the whole time lifts a foot half way through."""
    lean = leaned(lift, np.full(lift.frames, 0.16))
    rotations = np.array(lean.joint_rotations)
    lifted = np.zeros(lift.frames)
    lifted[28:36] = np.sin(np.linspace(0, np.pi, 8)) * 0.8
    for joint, share in (("right_hip", 1.0), ("right_knee", -1.0)):
        bend = rot.quat_exp(share * lifted[:, None] * [1.0, 0, 0])
        rotations[:, INDEX[joint]] = rot.quat_mul(rotations[:, INDEX[joint]], bend)
    positions = forward_kinematics(rotations, lean.joint_positions[:, 0], bone_offsets(lean))
    steps = replace(lean, joint_rotations=rotations, joint_positions=positions)
    posed = pose_clip(scene(steps), steps)
    steady = stance(posed, steps.fps).steady
    assert steady[28:36].max() == 0.0 and steady[:10].min() == pytest.approx(1.0)
    found = balance_clip(steps, scene(steps))
    np.testing.assert_allclose(rot.angle_between(found.joint_rotations, steps.joint_rotations)[28:36], 0.0, atol=1e-6)
    assert moved(found, steps)[28:36].max() < 5e-4, "bones are the body's, to the clip's rounding"
    assert margins(found)[:10].min() > MARGIN_M - 5e-4
    assert np.abs(np.diff(moved(found, steps)[:, INDEX["head"]])).max() < 0.03, "no jump on the way to the step"


def test_who_walks_all_the_time_is_the_same_clip(lift):
    walking = replace(lift, joint_positions=lift.joint_positions + np.arange(lift.frames)[:, None, None] * [0, 0.03, 0])
    walking = leaned(walking, np.full(lift.frames, 0.16))
    assert stance(pose_clip(scene(walking), walking), walking.fps).worst == np.inf
    assert balance_clip(walking, scene(walking)) is walking


def test_a_clip_that_cannot_be_met_is_kept_and_says_so(lift, monkeypatch):
    monkeypatch.setattr(balance, "MISS_M", 0.0)
    lean = leaned(lift, np.full(lift.frames, 0.16))
    found = balance_clip(lean, scene(lean))
    assert found.joint_rotations is lean.joint_rotations and found.joint_positions is lean.joint_positions
    assert found.provenance["repaired"][-1].startswith("balance: kept as it was")
