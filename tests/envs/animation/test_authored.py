"""Choreography: timing in closed form, kinematics against finite differences, the bundled clip measured afresh."""

from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest

import devi_jax
from devi_jax import choreograph
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.rotations import angle_between, quat_exp, quat_mul, quat_to_matrix
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES
from devi_jax.datasets.bundled_sets import FLOOR, SUITE, TABLETOP
from devi_jax.datasets.load import bundled as bundled_clips
from envs.animation.authored.drink_mug import DrinkMug
from envs.animation.authored.hammer import Hammer
from envs.animation.authored.lift_can import LiftCan, lift_can
from envs.animation.authored.meshes import HAT_INSIDE_M, mallet, mug
from envs.animation.authored.pick_place import PickPlace
from envs.animation.authored.pour_bottle import PourBottle
from envs.animation.grasping.close_fingers import FULL_FLEXION, TOUCH_M, close_fingers, handshake, in_palm
from envs.animation.grasping.grip import hand_shape, wrap
from envs.animation.kinematics.ik import CenterOfMassTask, FrameTask, solve
from envs.animation.kinematics.minimum_jerk import minimum_jerk, phase, through
from envs.animation.kinematics.posed_scene import PosedScene, build_posed_scene, distance, kinematics, pose, put_object
from envs.animation.kinematics.posture import mobility, relaxed, stance_tasks, stand
from envs.animation.kinematics.support_polygon import balance_margin
from envs.animation.kinematics.to_clip import postures_of_clip
from envs.animation.planner.motion_quality import QualityLimits, measure_quality, quality_faults
from envs.scenes.objects.material import MATERIALS
from tests.simulated import jittered, within

CAN = ObjectSpec("can")
CAN_AT = np.array([0.12, 0.33, 0.86])


@pytest.fixture(scope="module")
def stage() -> PosedScene:
    return build_posed_scene(SceneSpec(Table(), CAN))


@pytest.fixture(scope="module")
def standing(stage: PosedScene) -> np.ndarray:
    return put_object(stage, stand(stage, relaxed(stage)), CAN_AT)


def load_bundled(name: str) -> Clip:
    return load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / f"{name}.npz")


@pytest.fixture(scope="module")
def bundled() -> Clip:
    return load_bundled("lift_can")


def test_minimum_jerk_starts_and_ends_at_rest():
    h = 1e-4
    assert minimum_jerk(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])) == pytest.approx([0, 0, 0.5, 1, 1])
    for end in (0.0, 1.0):
        before, at, after = minimum_jerk(np.array([end - h, end, end + h]))
        assert abs(after - before) / (2 * h) < 1e-6  # velocity
        assert abs(after - 2 * at + before) / h**2 < 1e-2  # acceleration grows as 60 s from zero
    middle = minimum_jerk(np.array([0.5 - h, 0.5 + h]))
    assert (middle[1] - middle[0]) / (2 * h) == pytest.approx(15 / 8, rel=1e-6)  # Flash and Hogan's peak velocity


def test_path_of_two_points_is_the_minimum_jerk_profile():
    frames = np.arange(30)
    path = through(frames, (5, 25), np.array([[1.0, 2.0], [3.0, -2.0]]))
    assert path == pytest.approx([1.0, 2.0] + phase(frames, 5, 25)[:, None] * [2.0, -4.0], abs=1e-12)


def test_path_meets_its_points_and_has_less_jerk_than_stopping_at_each():
    times, points = (0, 20, 30, 60), np.array([[0.0], [1.0], [1.2], [2.0]])
    assert through(np.array(times), times, points) == pytest.approx(points, abs=1e-9)
    fine = np.linspace(0, 60, 6001)
    legs = zip(times[:-1], times[1:], np.diff(points, axis=0), strict=True)
    stopping = np.sum([phase(fine, a, b)[:, None] * leg for a, b, leg in legs], axis=0)

    def squared_jerk(path: np.ndarray) -> float:
        return float((np.diff(path, n=3, axis=0) ** 2).sum())

    assert squared_jerk(through(fine, times, points)) < 0.5 * squared_jerk(stopping)


@pytest.mark.parametrize("task", ["place", "balance"])
def test_task_jacobians_match_finite_differences(stage, standing, task):
    generator = np.random.default_rng(0)
    at = kinematics(stage, standing).body("right_wrist")
    point = np.array([0.1, 0.02, -0.05])
    goal = {
        "place": FrameTask("right_wrist", at.xpos + at.xmat.reshape(3, 3) @ point, at.xmat.reshape(3, 3).copy(), point),
        "balance": CenterOfMassTask(np.zeros(2)),
    }[task]
    error, jacobian = goal.residual(stage.model, kinematics(stage, standing))
    direction, h = generator.normal(size=stage.model.nv), 1e-6
    moved = np.array(standing)
    mujoco.mj_integratePos(stage.model, moved, direction, h)
    changed, _ = goal.residual(stage.model, kinematics(stage, moved))
    assert (error - changed) / h == pytest.approx(jacobian @ direction, abs=1e-4)


@pytest.mark.parametrize("side", SIDES)
def test_hand_reaches_while_feet_and_balance_stay(stage, standing, side):
    sign = 1.0 if side == "right" else -1.0
    goal = FrameTask(f"{side}_wrist", np.array([sign * 0.2, 0.25, 1.0]), handshake(side, 20.0, -10.0), np.zeros(3))
    found = solve(stage, (*stance_tasks(stage, standing), goal), standing, mobility(stage, (side,)))
    before, after = kinematics(stage, standing), kinematics(stage, found.qpos)
    wrist = after.body(f"{side}_wrist")
    assert np.linalg.norm(wrist.xpos - goal.position) < 1e-5
    assert wrist.xmat.reshape(3, 3) == pytest.approx(goal.rotation, abs=1e-5)
    for foot in ("left_ankle", "right_ankle", "left_foot", "right_foot"):
        assert np.linalg.norm(after.body(foot).xpos - before.body(foot).xpos) < 1e-5
    pelvis = stage.model.body("pelvis").id
    assert after.subtree_com[pelvis, :2] == pytest.approx(before.subtree_com[pelvis, :2], abs=1e-5)


def test_solution_does_not_depend_on_where_it_starts(stage, standing):
    goal = FrameTask("right_wrist", np.array([0.2, 0.25, 1.0]), handshake("right", 20.0, -10.0), np.zeros(3))
    tasks, free = (*stance_tasks(stage, standing), goal), mobility(stage, ("right",))
    bent = pose(stage, {"right_elbow": np.array([0.0, 0.0, 1.2]), "spine2": np.array([-0.2, 0.0, 0.1])}, standing)
    one, other = solve(stage, tasks, standing, free), solve(stage, tasks, standing, free, start=bent)
    assert one.qpos == pytest.approx(other.qpos, abs=1e-5)


def test_standing_soles_touch_the_floor_and_toes_clear_the_table(stage, standing):
    data = kinematics(stage, standing)
    feet = [f"{side}_{part}" for side in SIDES for part in ("ankle", "foot")]
    assert min(distance(stage, data, foot, "floor") for foot in feet) == pytest.approx(0.0, abs=1e-5)
    assert min(distance(stage, data, foot, "table") for foot in feet) > 0.004


def test_balance_margin_turns_with_the_body_and_is_negative_when_leaning(stage, standing):
    margin = balance_margin(stage, standing)
    turned = np.array(standing)
    root, quat = stage.root, stage.quat("pelvis")
    turn = quat_exp(np.array([0.0, 0.0, 0.7]))
    turned[root] += [1.0, -2.0, 0.0]
    turned[quat] = quat_mul(turn, standing[quat])
    assert balance_margin(stage, turned) == pytest.approx(margin, abs=1e-9)
    leaning = np.array(standing)  # about the pelvis, so the feet go back under a centre of mass that stays
    leaning[quat] = quat_mul(quat_exp(np.array([-0.4, 0.0, 0.0])), standing[quat])
    assert margin > 0.05 > 0.0 > balance_margin(stage, leaning)


def test_handshake_points_ahead_with_the_thumb_up_and_mirrors():
    for side, sign in zip(SIDES, (-1.0, 1.0), strict=True):
        turn = handshake(side, 0.0, 0.0)
        assert turn @ [sign, 0, 0] == pytest.approx([0, 1, 0])  # fingers
        assert turn @ [0, 1, 0] == pytest.approx([0, 0, 1])  # thumb
        assert turn @ [0, 0, -1] == pytest.approx([-sign, 0, 0])  # palm
    mirror = np.diag([-1.0, 1.0, 1.0])
    assert handshake("left", 25.0, -15.0) == pytest.approx(mirror @ handshake("right", 25.0, -15.0) @ mirror)


@pytest.mark.parametrize("side", SIDES)
def test_grip_touches_with_every_fingertip_and_opens_clear(stage, side):
    sign = 1.0 if side == "right" else -1.0
    at = CAN_AT * [sign, 1.0, 1.0]
    standing = put_object(stage, stand(stage, relaxed(stage)), at)
    point = in_palm(stage, side, 0.09, 0.008, CAN.size[0] + 0.003)
    place = FrameTask(f"{side}_wrist", at + [0.0, 0.0, 0.015], handshake(side, 25.0, -15.0), point)
    reached = solve(stage, (*stance_tasks(stage, standing), place), standing, mobility(stage, (side,))).qpos
    grip = wrap(stage, standing, place)
    closed = kinematics(stage, pose(stage, hand_shape(grip, 1.0, 1.0), reached))
    tips = [distance(stage, closed, f"{side}_{finger}3", "object") for finger in FINGERS]
    assert tips[:4] == pytest.approx([TOUCH_M] * 4, abs=1e-4)
    assert tips[4] == pytest.approx(TOUCH_M, abs=5e-4)
    ready = kinematics(stage, pose(stage, hand_shape(grip, 1.0, 0.0), reached))
    assert min(distance(stage, ready, f"{side}_{finger}{k}", "object") for finger in FINGERS for k in (1, 2, 3)) > 0.005


def test_fingers_close_fully_around_nothing(stage, standing):
    closed = close_fingers(stage, put_object(stage, standing, np.array([0.0, 3.0, 0.86])), "right")
    for finger in FINGERS[:-1]:
        assert [closed[f"right_{finger}{k}"][1] for k in (1, 2, 3)] == pytest.approx(FULL_FLEXION)


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("lift_can", QualityLimits()),
        ("pick_place", QualityLimits()),
        ("pour_bottle", QualityLimits()),
        ("drink_mug", QualityLimits()),
        ("hammer", QualityLimits()),
        ("hat", QualityLimits()),
        ("lift_box", choreograph.FLAT_HAND),
        ("push_box", choreograph.FLAT_HAND),
    ],
)
def test_bundled_clips_are_fit(name, limits):
    clip = load_bundled(name)
    assert quality_faults(measure_quality(build_posed_scene(clip.scene), clip), limits) == ()
    assert "checks" in clip.provenance and clip.provenance["command"].endswith(name)


MADE_OF = {
    "lift_can": "aluminium",
    "pick_place": "cardboard",
    "pour_bottle": "plastic",
    "drink_mug": "ceramic",
    "hammer": "wood",
    "hat": "felt",
    "lift_box": "cardboard",
    "push_box": "cardboard",
}


@pytest.mark.parametrize(("name", "material"), MADE_OF.items())
@pytest.mark.parametrize("grade", ["", "-mild", "-rough"])
def test_things_have_the_friction_of_what_they_are_made_of(name, material, grade):
    assert load_bundled(name + grade).scene.object.friction == MATERIALS[material].friction


def test_bundled_fingertips_lie_on_the_can_by_cylinder_geometry(stage, bundled):
    radius, height = CAN.size
    for qpos in postures_of_clip(stage, bundled)[bundled.onset :: 9]:
        data = kinematics(stage, qpos)
        can = data.body("object")
        for finger in FINGERS:
            geom = stage.model.geom(f"right_{finger}3")
            axis = data.geom(geom.name).xmat.reshape(3, 3)[:, 2]
            along = np.linspace(-geom.size[1], geom.size[1], 201)[:, None]
            local = (data.geom(geom.name).xpos + along * axis - can.xpos) @ can.xmat.reshape(3, 3)
            outside = np.stack([np.hypot(local[:, 0], local[:, 1]) - radius, np.abs(local[:, 2]) - height / 2], axis=1)
            gap = np.linalg.norm(np.maximum(outside, 0.0), axis=1).min() - geom.size[0]
            assert 0.0 <= gap < 2e-3


def test_bundled_can_is_lifted_with_the_hand(stage, bundled):
    poses = bundled.object_poses
    assert poses is not None
    assert poses.positions[-1, 2] - poses.positions[0, 2] == pytest.approx(0.2, abs=1e-6)
    held = slice(bundled.onset, None)
    wrist = bundled.joint_positions[held, INDEX["right_wrist"]]
    assert np.ptp(wrist - poses.positions[held], axis=0).max() < 2e-4
    assert not bundled.contact[:, 0].any() and (np.diff(bundled.contact[:, 1]) >= 0).all()


@pytest.mark.parametrize("name", (*TABLETOP, *FLOOR))
def test_camera_sees_object_and_hands(name):
    clip = load_bundled(name)
    camera, poses = clip.camera, clip.object_poses
    assert camera is not None and poses is not None
    wrists = clip.joint_positions[:, [INDEX["left_wrist"], INDEX["right_wrist"]]].reshape(-1, 3)
    pixels, depth = project(np.concatenate([poses.positions, wrists]), camera.K, camera.T_camera_world)
    assert (depth > 0.3).all()
    assert (pixels > 0).all() and (pixels < [camera.width, camera.height]).all()


def test_regenerating_gives_the_bundled_arrays(bundled):
    made = lift_can()
    assert bundled.joint_rotations == pytest.approx(made.joint_rotations, abs=1e-4)
    assert bundled.joint_positions == pytest.approx(made.joint_positions, abs=1e-4)
    assert (bundled.contact == made.contact).all()


def test_both_hands_carry_the_box_at_its_side_faces():
    clip = load_bundled("lift_box")
    poses, held = clip.object_poses, clip.onset
    assert poses is not None and (clip.contact[held:] == 1).all()
    left, right = (clip.joint_positions[held:, INDEX[f"{side}_wrist"]] - poses.positions[held:] for side in SIDES)
    assert left * [-1.0, 1.0, 1.0] == pytest.approx(right, abs=1e-5)


def test_unreachable_can_is_an_error():
    with pytest.raises(ClipError, match="cannot reach"):
        lift_can(LiftCan(can=(0.4, 0.7)))


def test_unfit_clip_is_named_and_not_written(stage, bundled, tmp_path):
    poses = bundled.object_poses
    assert poses is not None
    shifted = replace(bundled, object_poses=replace(poses, positions=poses.positions + [0.01, 0.0, 0.0]))
    assert any("hand_object_penetration_mm" in line for line in quality_faults(measure_quality(stage, shifted)))
    with pytest.raises(ClipError, match="hand_object_penetration_mm"):
        choreograph.write(shifted, tmp_path / "clip.npz", QualityLimits())
    assert not list(tmp_path.iterdir())


def test_box_is_set_down_on_its_target_and_let_go():
    clip, plan = load_bundled("pick_place"), PickPlace()
    poses, release = clip.object_poses, plan.beats.release
    assert poses is not None and release is not None
    assert poses.positions[-1, :2] == pytest.approx(plan.target, abs=1e-6)
    assert poses.positions[-1, 2] == pytest.approx(poses.positions[0, 2], abs=1e-6)
    assert poses.positions[:, 2].max() - poses.positions[0, 2] == pytest.approx(plan.lift_m, abs=2e-3)
    held = np.flatnonzero(clip.contact[:, 1])
    assert (held == np.arange(plan.beats.closed, release)).all()
    assert (poses.positions[release:] == poses.positions[-1]).all()
    hand = clip.joint_positions[-1, INDEX["right_middle1"]] - poses.positions[-1]
    assert np.linalg.norm(hand) > 0.1


@pytest.mark.simulated
@pytest.mark.parametrize("name", [name for name in SUITE if name in bundled_clips()])
def test_object_rests_where_it_starts(name):
    """Two simulated seconds, with nobody touching it."""
    clip = load_bundled(name)
    stage = build_posed_scene(clip.scene)
    data = mujoco.MjData(stage.model)
    data.qpos[:] = jittered(postures_of_clip(stage, clip)[0])
    start = data.qpos[stage.object].copy()
    while data.time < 2.0:
        mujoco.mj_step(stage.model, data)
    # measured under 3 instruction sets, 9 starts in all: up to 0.66 mm and 6.6 mrad
    within("moved, m", np.linalg.norm(data.qpos[stage.object][:3] - start[:3]), high=2e-3)
    within("turned, rad", angle_between(data.qpos[stage.object][3:], start[3:]), high=np.radians(3.0))
    assert len(stage.object_geoms) <= 8


def test_bottle_is_tilted_and_upright_again():
    clip, plan = load_bundled("pour_bottle"), PourBottle()
    poses = clip.object_poses
    assert poses is not None
    tilt = np.degrees(angle_between(poses.rotations, poses.rotations[:1]))
    assert tilt.max() == pytest.approx(plan.tilt_deg, abs=0.5) and tilt[-1] < 0.01
    axis = quat_to_matrix(poses.rotations[int(np.argmax(tilt))])[:, 2]
    assert axis[0] < -0.9  # the neck points to the left


def test_mug_comes_to_the_mouth_and_turns_about_its_rim():
    clip, plan = load_bundled("drink_mug"), DrinkMug()
    poses, (there, back) = clip.object_poses, plan.drinking
    assert poses is not None
    height = mug(0.0).vertices[:, 2].max()
    near = slice(there - 14, back)
    axis = quat_to_matrix(poses.rotations[near])[:, :, 2]
    # the rim's point towards the face: from the middle up the axis, then against the horizontal tilt
    across = np.cross([1.0, 0.0, 0.0], axis)
    rim = poses.positions[near] + height * axis + 0.038 * across
    assert np.ptp(rim, axis=0).max() < 1e-3
    head = clip.joint_positions[near, INDEX["head"]]
    assert np.linalg.norm(rim - head, axis=1).max() < 0.17


def test_mallet_strikes_twice_above_the_table():
    clip, plan = load_bundled("hammer"), Hammer()
    poses, table = clip.object_poses, clip.scene.table
    assert poses is not None and table is not None
    turn = quat_to_matrix(poses.rotations)
    lean = np.degrees(np.arccos(np.clip(turn[plan.up :, 2, 2], -1, 1)))
    strikes = plan.up + np.flatnonzero((lean[1:-1] > lean[:-2]) & (lean[1:-1] >= lean[2:])) + 1
    assert np.abs(strikes - plan.strikes).max() <= 1 and len(strikes) == 2
    heights = poses.positions[:, None, 2] + turn[:, 2] @ mallet().vertices.T - table.size[2]
    lowest = heights.min(axis=1)
    assert 0.01 < lowest[strikes].max() < 0.06 and lowest[plan.beats.move + 20 :].min() > 0.0


def test_hat_ends_on_the_head():
    clip = load_bundled("hat")
    stage, poses = build_posed_scene(clip.scene), clip.object_poses
    assert poses is not None
    head = kinematics(stage, postures_of_clip(stage, clip)[-1]).geom("head")
    top = head.xpos + [0.0, 0.0, stage.model.geom("head").size[0]]
    assert np.linalg.norm(poses.positions[-1] + [0.0, 0.0, HAT_INSIDE_M] - top) < 0.03
