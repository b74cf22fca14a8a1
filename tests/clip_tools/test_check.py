"""Check and repair through the simulator, on a bundled clip and on the same clip spoilt."""

from dataclasses import fields, replace

import numpy as np
import pytest

from devi_jax.clip_tools import check, repair
from devi_jax.core import rotations as rot
from devi_jax.core.clip import bone_offsets, forward_kinematics
from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import Table
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.grounding import foot_float_m
from devi_jax.datasets.load import resolve
from devi_jax.datasets.repair_options import RepairOptions
from devi_jax.evaluation.metrics import Scores
from tests.simulated import within


@pytest.fixture(scope="module")
def lift():
    return resolve("lift_can")


def found(clip, of):
    return {f.name: f for f in of(clip)}


@pytest.mark.simulated
def test_a_bundled_clip_has_no_fault_of_posture_or_rest(lift):
    findings = [*check._of_posture(lift), *check._of_rest(lift)]
    assert len(findings) >= 7
    assert [f.name for f in findings if f.verdict == "warn"] == []


@pytest.mark.simulated
def test_an_object_off_its_support_and_a_hand_in_it_are_told(lift):
    table = replace(lift.scene.table or Table(), size=(*lift.scene.table.size[:2], lift.scene.table.size[2] - 0.006))
    low = replace(lift, scene=replace(lift.scene, table=table))
    moves = found(low, check._of_rest)["object moves in 2 s at rest"]
    within("sinks, mm", moves.value, low=5.5, high=6.5)
    assert moves.verdict == "warn" and "clips repair" in moves.advice
    poses = lift.object_poses
    palm = replace(poses, positions=poses.positions + [0.0, -0.02, 0.0])
    deep = found(replace(lift, object_poses=palm), check._of_posture)["right hand in the object"]
    assert deep.verdict == "warn" and deep.value > 10
    away = replace(poses, positions=poses.positions + [0.0, 0.15, 0.0])
    far = found(replace(lift, object_poses=away), check._of_posture)["right hand off the object in contact"]
    assert far.verdict == "warn" and far.value > 50


def test_sunk_feet_and_stretched_arms_are_told(lift):
    sunk = replace(lift, joint_positions=lift.joint_positions - [0, 0, 0.06])
    soles = found(sunk, check._of_posture)["soles below the floor"]
    assert soles.verdict == "warn" and soles.value > 30
    positions = np.array(lift.joint_positions)
    positions[50, 21] += [0.5, 0, 0]  # the right wrist, away from its arm in one frame
    assert found(replace(lift, joint_positions=positions), check._of_posture)["arm stretched"].verdict == "warn"


@pytest.mark.parametrize(("frames", "says"), [(4, "--start=4"), (None, "never lands")])
def test_a_start_in_the_air_is_told_with_the_frame_to_begin_at(lift, frames, says):
    positions = np.array(lift.joint_positions)
    positions[:frames, :, 2] += 0.1
    name = "soles above the floor at first"
    told = found(replace(lift, joint_positions=positions), check._of_posture)[name]
    before = found(lift, check._of_posture)[name]
    # less than 100 where all frames are raised: the soles are as thick as the clip's feet are high
    assert 70 < told.value < 105 and before.verdict == "ok"
    assert told.verdict == "warn" and says in told.advice


def test_a_body_that_leans_is_told_and_repaired_and_then_told_no_more(lift):
    """Leaned backward about the ankles as one; legs are nearly straight, so that shanks turn as the pelvis does."""
    turn = rot.quat_exp(np.array([0.16, 0.0, 0.0]))
    rotations, root = np.array(lift.joint_rotations), lift.joint_positions[:, 0]
    rotations[:, 0] = rot.quat_mul(turn, rotations[:, 0])
    ankles = lift.joint_positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]]].mean(axis=1)
    for side in ("left", "right"):
        rotations[:, INDEX[f"{side}_ankle"]] = rot.quat_mul(rot.quat_conj(turn), rotations[:, INDEX[f"{side}_ankle"]])
    root = ankles + rot.rotate(turn, root - ankles)
    positions = forward_kinematics(rotations, root, bone_offsets(lift))
    lean = replace(lift, joint_rotations=rotations, joint_positions=positions)
    told = found(lean, check._of_posture)["balance margin"]
    assert told.verdict == "warn" and told.value < -20 and "clips repair" in told.advice
    better = repair.repair_clip(lean, RepairOptions(support=False, sigma=0, ground=False, project=False))
    assert [note.split(":")[0] for note in better.provenance["repaired"]] == ["balance"]
    assert found(better, check._of_posture)["balance margin"].verdict == "ok"


def scores(alive: float, t_obj: float | None) -> Scores:
    nothing = {bool: False, float: 0.0}
    given = {field.name: nothing.get(field.type) for field in fields(Scores)}
    return Scores(**given | {"alive_share": alive, "t_obj_mm": t_obj})


def test_merit_prefers_living_longer_and_a_nearer_object():
    assert repair.merit(scores(1.0, 20)) > repair.merit(scores(1.0, 60)) > repair.merit(scores(0.5, 60))
    assert repair.merit(scores(0.7, None)) == pytest.approx(0.7)
    assert repair.merit(scores(0.7, 900)) == repair.merit(scores(0.7, 300))


def test_the_better_grasp_is_kept_and_noted(lift, monkeypatch):
    projected = replace(lift, name="projected")
    monkeypatch.setattr(repair.repair, "project_grasp", lambda clip, scene: projected)
    cases = ((0.4, 0.9, "projected"), (0.9, 0.4, "as it was"), (0.91, 0.9, "projected"))
    for raw, changed, kept in cases:
        results = iter([scores(raw, 0.0), scores(changed, 0.0)])
        monkeypatch.setattr(repair, "replay_scores", lambda environment, results=results: next(results))
        clip = repair.repair_clip(lift, RepairOptions(sigma=0, support=False, ground=False))
        assert clip.provenance["repaired"][-1].endswith(f"kept {kept}")
        assert (clip.name == "projected") == (kept == "projected")


@pytest.mark.parametrize("raised", [0.04, -0.03, 0.004])
def test_a_floating_human_comes_down_and_thin_soles_do_not_count(lift, raised):
    floating = replace(lift, joint_positions=lift.joint_positions + [0, 0, raised])
    found = repair._on_the_floor(floating)
    drop = (found.joint_positions - floating.joint_positions)[..., 2]
    assert np.ptp(drop) < 1e-9
    before = foot_float_m(floating)
    moved = not repair.SOLES_M[0] <= before <= repair.SOLES_M[1]
    assert moved == (abs(raised) > 0.02)
    assert drop.mean() == pytest.approx(-before if moved else 0.0, abs=1e-9)
    np.testing.assert_array_equal(found.object_poses.positions, lift.object_poses.positions)


def test_what_is_switched_off_is_not_done(lift):
    same = repair.repair_clip(lift, RepairOptions(support=False, sigma=0, ground=False, balance=False, project=False))
    assert same is lift
    only = repair.repair_clip(lift, RepairOptions(support=False, sigma=1.5, ground=False, project=False))
    assert only.provenance["repaired"] == ["smoothed: Gaussian of 1.5 frames"]


def test_grips_are_repaired_only_when_asked_for(lift, monkeypatch):
    asked, held = [], replace(lift, name="held")
    monkeypatch.setattr(repair.repair, "replace_grasps", lambda clip, scene, near: asked.append(scene) or held)
    rest = {"support": False, "sigma": 0, "ground": False, "balance": False, "project": False}
    assert repair.repair_clip(lift, RepairOptions(**rest)) is lift and not asked
    assert (
        repair.repair_clip(lift, RepairOptions(**rest, grip=True)).name == "held" and asked[0].embodiment.root == "free"
    )


@pytest.mark.parametrize("lacks", ["object", "object_poses", "contact"])
def test_a_grip_asked_for_where_nothing_can_be_held_is_refused(lift, lacks):
    changes = {
        "object": {"scene": replace(lift.scene, object=None)},
        "object_poses": {"object_poses": None},
        "contact": {"contact": np.zeros_like(lift.contact)},
    }
    with pytest.raises(ConfigError, match="where its object is") as caught:
        repair.repair_clip(replace(lift, **changes[lacks]), RepairOptions(grip=True))
    assert caught.value.where == "--grip"
