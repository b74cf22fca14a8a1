"""Scripts: ways of a thing in closed form, hands mirrored, grasps that hold, errors that say what is wrong."""

import numpy as np
import pytest

from devi_jax.core.camera import frontal
from devi_jax.core.clip import crop
from devi_jax.core.errors import SceneError
from devi_jax.core.rotations import angle_between, quat_exp, quat_mul, quat_to_matrix
from devi_jax.core.scene import ObjectSpec, Prop, SceneSpec, Table
from devi_jax.core.scene_file import SceneFile, SceneHuman, Thing
from devi_jax.core.skeleton import INDEX, SIDES
from devi_jax.datasets.load import resolve
from envs.animation import Imperfection, degrade, make_action, plan_motion
from envs.animation.grasping.close_fingers import handshake
from envs.animation.grasping.grasp_candidates import fingers_of, push_candidates, wrap_candidates, wrist_rotation
from envs.animation.grasping.graspable_parts import extent, handles, near, surface
from envs.animation.grasping.select_grasp import SelectedGrasp
from envs.animation.kinematics.crouch import bending, crouched
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import RESTING_DEPTH_M, distance, kinematics
from envs.animation.planner.actions import Drink, Follow, HandOver, Lift, PlaceAt, Pour, Push, Wear
from envs.animation.planner.motion import PlannedMotion, to_clip
from envs.animation.planner.motion_planner import plan_action
from envs.animation.planner.motion_quality import measure_quality
from envs.animation.planner.object_paths import object_path
from envs.animation.planner.planning_scene import PlanningScene, clearance_below, planning_scene_of, target_surface
from envs.animation.planner.waypoints import Shift, Turn, compose_path
from tests.stand_in import stand_in

CAN, TABLE = ObjectSpec("can"), Table()
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def resting(x: float, y: float) -> np.ndarray:
    return np.array([x, y, TABLE.size[2] + CAN.size[1] / 2 - RESTING_DEPTH_M, *UPRIGHT])


@pytest.fixture(scope="module")
def can() -> PlanningScene:
    cup = Prop("cup", ObjectSpec("can", (0.04, 0.1)), (-0.1, 0.36, 0.85, *UPRIGHT))
    return planning_scene_of(SceneSpec(TABLE, CAN, (cup,)), resting(0.14, 0.32), "can")


@pytest.fixture(scope="module")
def placed(can) -> PlannedMotion:
    return plan_action(can, PlaceAt((-0.02, 0.34, 0.8)))


def test_way_is_the_sum_of_its_shifts_and_the_product_of_its_turns():
    start = np.array([0.1, 0.2, 0.9, *UPRIGHT])
    up, turn = np.array([0.0, 0.0, 0.3]), np.array([0.0, 0.5, 0.0])
    poses = compose_path(start, 41, [Shift(0, 20, up), Shift(10, 30, -up), Turn(5, 40, turn)])
    frames = np.arange(41)
    assert poses[:, 2] - 0.9 == pytest.approx(0.3 * (phase(frames, 0, 20) - phase(frames, 10, 30)))
    assert angle_between(poses[:, 3:], np.tile(UPRIGHT, (41, 1))) == pytest.approx(0.5 * phase(frames, 5, 40), abs=1e-7)


def test_pivot_of_a_turn_stays_where_it_is():
    pivot = np.array([0.03, -0.02, 0.1])
    start = np.array([0.1, 0.2, 0.9, *quat_exp(np.array([0.2, 0.1, 0.4]))])
    poses = compose_path(start, 31, [Turn(3, 28, np.array([1.0, -0.3, 0.2]))], pivot)
    at = poses[:, :3] + quat_to_matrix(poses[:, 3:]) @ pivot
    assert np.ptp(at, axis=0).max() < 1e-12 and np.ptp(poses[:, :3], axis=0).max() > 0.05


def test_thing_drops_onto_the_highest_point_below_it():
    grid = np.stack(np.meshgrid(np.linspace(-0.05, 0.05, 41), np.linspace(-0.05, 0.05, 41)), axis=-1).reshape(-1, 2)
    bowl = np.c_[grid, 4 * (grid**2).sum(axis=1)]
    flat = np.c_[grid[np.abs(grid).max(axis=1) < 0.021], np.full((np.abs(grid).max(axis=1) < 0.021).sum(), 0.5)]
    corner = 4 * 2 * 0.02**2
    assert clearance_below(flat, bowl) == pytest.approx(0.5 - corner, abs=1.5e-3)
    assert clearance_below(flat + [1.0, 0.0, 0.0], bowl, floor_m=0.1) == pytest.approx(0.4)


@pytest.mark.parametrize("side", SIDES)
def test_wrist_turned_by_palm_and_thumb_is_the_handshake(side):
    wanted = handshake(side, 0.0, 0.0)
    palm, thumb = -wanted[:, 2], wanted[:, 1]
    assert wrist_rotation(side, palm, thumb) == pytest.approx(wanted)
    assert fingers_of(side, palm, thumb) == pytest.approx([0.0, 1.0, 0.0])


def test_handles_of_a_box_are_its_axes_from_its_middle():
    points = surface(ObjectSpec("box", (0.05, 0.2, 0.08)))
    found = handles(points)
    assert [int(np.abs(h.axis).argmax()) for h in found] == [1, 2, 0]
    for handle in found:
        assert np.linalg.norm(handle.centre) < 2e-3 and np.abs(handle.axis).max() == pytest.approx(1.0, abs=1e-3)
    low, high = extent(near(points, found[0]), np.array([1.0, 0.0, 0.0]))
    assert (low, high) == pytest.approx((0.025, 0.025), abs=2e-3)


def test_candidates_come_least_awkward_first_and_mirror(can):
    mirrored = planning_scene_of(SceneSpec(TABLE, CAN), resting(-0.14, 0.32), "can")
    right = wrap_candidates(can.stage, can.standing, "right", can.points, can.held, 0.8)
    left = wrap_candidates(mirrored.stage, mirrored.standing, "left", mirrored.points, mirrored.held, 0.8)
    assert [c.comfort_cost for c in right] == sorted(c.comfort_cost for c in right)
    palms = [-c[0].wrists[0].rotation[:, 2] for c in (right, left)]
    assert palms[0] == pytest.approx(palms[1] * [-1.0, 1.0, 1.0], abs=0.3)
    assert palms[0][0] < 0.05 and palms[0][2] < 0.05  # neither outwards nor up


def test_push_lies_on_the_face_behind(can):
    best = push_candidates(can.stage, can.standing, ("right",), can.points, np.array([-1.0, 0.0, 0.0]))[0]
    assert best.wrists[0].position[0] == pytest.approx(0.14 + CAN.size[0], abs=1e-3)
    assert -best.wrists[0].rotation[:, 2] == pytest.approx([-1.0, 0.0, 0.0])


def test_crouching_keeps_the_soles_and_lowers_the_pelvis(can):
    before = kinematics(can.stage, can.standing)
    low = kinematics(can.stage, crouched(can.stage, can.standing, 1.0))
    for side in SIDES:
        ankle = f"{side}_ankle"
        assert low.body(ankle).xpos == pytest.approx(before.body(ankle).xpos, abs=5e-3)
        assert low.body(ankle).xmat == pytest.approx(before.body(ankle).xmat, abs=0.05)
    assert before.body("pelvis").xpos[2] - low.body("pelvis").xpos[2] > 0.25
    assert bending(np.array([1.5, 0.1, -1.0])) == pytest.approx([0.0, 1.0, 1.0])


def test_place_is_clean_from_standing_to_standing(can, placed):
    clip = to_clip(placed, "place", frontal(), "here")
    poses, quality = clip.object_poses, measure_quality(placed.stage, clip)
    assert poses is not None
    assert poses.positions[-1] == pytest.approx([-0.02, 0.34, can.start[2]], abs=3e-3)
    assert quality.hand_object_penetration_mm < 5.0 and quality.hand_table_penetration_mm < 5.0
    assert quality.foot_slip_mm < 2.0 and quality.balance_margin_mm > 20.0 and quality.joint_step_rad < 0.2
    joints = placed.stage.layout.rotation_qpos
    turned_by = angle_between(placed.qpos[-1][joints], placed.qpos[0][joints])
    turned_by[[INDEX["neck"], INDEX["head"]]] = 0.0  # they look at what stands there
    assert turned_by.max() < 0.02


def test_fingers_and_thumb_touch_while_labels_say_so(placed):
    held = np.flatnonzero(placed.contact[:, 1])
    data = kinematics(placed.stage, placed.qpos[held[len(held) // 2]])
    gaps = [distance(placed.stage, data, f"right_{f}3", "object") for f in ("index", "middle", "thumb")]
    assert max(gaps) < 3e-3 and not placed.contact[:, 0].any()


def test_a_recorded_way_begins_where_the_thing_stands(can):
    recorded = np.tile([2.0, 1.0, 0.3, *quat_exp(np.array([0.2, 0.0, 0.0]))], (4, 1))
    recorded[1:, :3] += np.array([[0.0, 0.0, 0.1], [0.1, 0.0, 0.2], [0.1, -0.1, 0.2]])
    lean = quat_exp(np.array([0.0, 0.0, 0.5]))
    recorded[3, 3:] = quat_mul(lean, recorded[0, 3:])
    going = object_path(can, stand_in(SelectedGrasp), Follow(tuple(map(tuple, recorded.tolist()))), 10)
    assert going.there == 13 and not going.let_go
    assert (going.poses[:11] == can.start).all()
    assert going.poses[10:, :3] - can.start[:3] == pytest.approx(recorded[:, :3] - recorded[0, :3], abs=1e-12)
    assert angle_between(going.poses[13, 3:], quat_mul(lean, can.start[3:])) == pytest.approx(0.0, abs=1e-6)


def test_props_rest(placed):
    address = int(placed.stage.model.joint("cup").qposadr[0])
    assert (placed.qpos[:, address : address + 7] == placed.qpos[0, address : address + 7]).all()


def test_target_of_another_name_is_named(can):
    with pytest.raises(SceneError, match="no 'mug'.*\n.*\n.*cup"):
        target_surface(can, "mug")
    assert target_surface(can, "cup")[0] == pytest.approx([-0.1, 0.36, 0.9], abs=2e-3)


def test_what_cannot_be_reached_says_by_how_much():
    far = planning_scene_of(SceneSpec(Table(size=(1.0, 2.5, 0.8), centre=(0.0, 1.4)), CAN), resting(0.1, 1.6), "can")
    with pytest.raises(SceneError, match=r"'can' is \d\.\d\d m beyond the right hand's reach") as raised:
        plan_action(far, Lift())
    assert 0.6 < float(raised.value.what.split(" m beyond")[0].split()[-1]) < 1.4


def test_what_is_too_wide_for_a_hand_is_refused():
    crate = ObjectSpec("box", (0.3, 0.3, 0.3), 1.0)
    wide = planning_scene_of(SceneSpec(TABLE, crate), np.array([0.0, 0.36, 0.95, *UPRIGHT]), "crate")
    with pytest.raises(SceneError, match="both hands"):
        plan_action(wide, Lift())


def test_scripts_are_of_the_bundled_human():
    setup = SceneFile("turned", SceneHuman(yaw_deg=30.0), TABLE, (Thing("can", "can", position=(0.1, 0.33)),))
    with pytest.raises(SceneError, match="origin"):
        plan_motion(setup, Lift())


def test_actions_are_made_by_their_verbs():
    assert make_action("lift", height_m=0.1) == Lift(0.1)
    kinds = {"place": PlaceAt, "pour": Pour}
    assert all(make_action(verb, target="cup") == kind("cup") for verb, kind in kinds.items())
    assert [type(make_action(v)) for v in ("drink", "push", "wear", "hand_over")] == [Drink, Push, Wear, HandOver]
    with pytest.raises(SceneError, match="lift, place, pour"):
        make_action("juggle")
    with pytest.raises(SceneError, match="a target"):
        make_action("pour")


def test_no_imperfection_changes_nothing_and_depth_moves_on_rays():
    clip = crop(resolve("lift_can"), 60, 66)
    same = degrade(clip, Imperfection(), seed=0)
    assert same.joint_positions == pytest.approx(clip.joint_positions, abs=4e-3)  # steps of its file
    deep = degrade(clip, Imperfection(depth_scale=1.02), seed=0)
    assert clip.camera is not None and deep.object_poses is not None and clip.object_poses is not None
    eye, wrist = clip.camera.position_world, INDEX["right_wrist"]
    wanted = 0.02 * (clip.joint_positions[:, wrist] - eye)
    assert deep.joint_positions[:, wrist] - clip.joint_positions[:, wrist] == pytest.approx(wanted, abs=4e-3)
    assert deep.object_poses.positions - eye == pytest.approx(1.02 * (clip.object_poses.positions - eye))
