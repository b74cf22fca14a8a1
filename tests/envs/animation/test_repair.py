"""Repairs, each on a clip with exactly that fault, against geometry."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, forward_kinematics
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import INDEX, JOINTS
from envs.animation.repair import level_support, lift_feet, pose_clip, project_grasp, resting_drift, smooth_clip
from envs.animation.repair.grasp_projection import DEPTH_M, key_frame
from envs.animation.repair.posed_clip import FAR_M, clearances, pose_frame, sole_heights
from envs.embodiments.human import Human, human
from envs.physics.scene_model import Scene
from tests.simulated import jittered, within

FRAMES = 10
BOX = ObjectSpec("box", (0.1, 0.1, 0.1), 0.5)
IDENTITY = np.array([1.0, 0, 0, 0])


def standing(thing: ObjectSpec | None = BOX, place=(0.0, 0.5, 0.85), table: Table | None = None) -> Clip:
    """The bundled human in its T-pose for ten frames, the object at `place`."""
    body = human()
    rotations = np.tile(IDENTITY, (FRAMES, 52, 1))
    positions = forward_kinematics(rotations, np.tile([0, 0, body.pelvis_m], (FRAMES, 1)), body.offsets)
    poses = ObjectPoses(np.tile(np.array(place), (FRAMES, 1)), np.tile(IDENTITY, (FRAMES, 1)))
    return Clip(
        name="standing",
        fps=30.0,
        joint_rotations=rotations,
        joint_positions=positions,
        contact=np.zeros((FRAMES, 2)),
        scene=SceneSpec(table, thing),
        object_start=np.array([*place, *IDENTITY]) if thing else None,
        object_poses=poses if thing else None,
    )


def scene(clip: Clip) -> Scene:
    return Scene(clip.scene, Human())


def soles(clip: Clip) -> np.ndarray:
    posed = pose_clip(scene(clip), clip)
    return np.array([sole_heights(posed, pose_frame(posed, t)).reshape(6) for t in range(clip.frames)])


def turned(clip: Clip, joint: str, rotvec, frames=slice(None)) -> Clip:
    """The clip with a joint at a rotation vector in some frames."""
    rotations = np.array(clip.joint_rotations)
    rotations[frames, INDEX[joint]] = rot.quat_exp(np.asarray(rotvec, float))
    positions = forward_kinematics(rotations, clip.joint_positions[:, 0], human().offsets)
    return replace(clip, joint_rotations=rotations, joint_positions=positions)


def test_postures_have_the_clips_joints_and_object():
    clip = turned(standing(), "left_elbow", [0, 0, 0.7])
    posed = pose_clip(scene(clip), clip)
    data = pose_frame(posed, 3)
    np.testing.assert_allclose([data.body(j).xpos for j in JOINTS], clip.joint_positions[3], atol=1e-9)
    np.testing.assert_allclose(data.body("object").xpos, [0, 0.5, 0.85])
    assert posed.stage.model.geom(posed.hands[0][0]).name == "left_wrist" and len(posed.hands[1]) == 16
    np.testing.assert_allclose(soles(clip), 0, atol=1e-9)


def test_clearance_of_a_ball_is_its_gap_and_no_more_than_far():
    tip = standing().joint_positions[0, INDEX["right_middle3"]]
    radius, gap = 0.05, 0.02
    ball = ObjectSpec("sphere", (radius,), 0.5)
    clip = standing(ball, tuple(tip + [0, 0, radius + gap + human().radii[INDEX["right_middle3"]]]))
    posed = pose_clip(scene(clip), clip)
    found = dict(zip([JOINTS[i] for i in range(52)], [FAR_M] * 52, strict=True))
    for geom, value in zip(
        posed.hands[1], clearances(posed.stage.model, pose_frame(posed, 0), posed.hands[1], posed.parts), strict=True
    ):
        found[posed.stage.model.geom(geom).name] = value
    assert found["right_middle3"] == pytest.approx(gap, abs=1e-6)
    assert clearances(posed.stage.model, pose_frame(posed, 0), posed.hands[0], posed.parts) == pytest.approx(FAR_M)


TABLE = Table((0.0, 0.5), (1.0, 0.5, 0.8))


@pytest.mark.simulated
@pytest.mark.parametrize(("height", "sank"), [(0.85, 0.0), (0.858, 0.008)])
def test_a_box_rests_or_sinks_by_its_gap(height, sank):
    clip = standing(place=(0, 0.5, height), table=TABLE)
    found = resting_drift(scene(clip), jittered(clip.object_start))
    within("sank, m from its gap", found.sank_m - sank, low=-5e-4, high=5e-4)
    within("turned, rad", found.turned_rad, high=0.01)
    within("moved otherwise, m", found.moved_m - abs(found.sank_m), low=-1e-3, high=1e-3)


@pytest.mark.simulated
def test_a_box_on_its_edge_falls_over():
    clip = standing(place=(0, 0.5, 0.88), table=TABLE)
    start = np.array([0, 0.5, 0.868, *rot.quat_exp(np.array([0.5, 0, 0]))])
    within("turned, rad", resting_drift(scene(clip), jittered(start)).turned_rad, low=0.48, high=0.52)


@pytest.mark.simulated
def test_the_table_comes_up_to_a_box_above_it_but_not_over_a_gap():
    clip = replace(standing(place=(0, 0.5, 0.856), table=TABLE), contact=np.zeros((FRAMES, 2)))
    raised = level_support(clip, scene(clip))
    assert raised.scene.table.size[2] == pytest.approx(0.806, abs=5e-4)
    assert resting_drift(scene(raised), raised.object_start).moved_m < 5e-4
    far = standing(place=(0, 0.5, 0.95), table=TABLE)
    assert level_support(far, scene(far)).scene.table.size[2] == 0.8


@pytest.mark.simulated
def test_a_box_above_the_floor_comes_down_in_all_frames():
    clip = standing(place=(0, 0.5, 0.056))
    found = level_support(clip, scene(clip))
    assert found.object_start[2] == pytest.approx(0.05, abs=5e-4)
    np.testing.assert_allclose(found.object_poses.positions, np.tile(found.object_start[:3], (FRAMES, 1)))


def test_smoothing_leaves_rest_and_steady_turns_and_ignores_signs():
    clip = standing()
    still = smooth_clip(clip, 2.0)
    np.testing.assert_allclose(still.joint_positions, clip.joint_positions, atol=1e-12)
    steady = np.array(clip.joint_rotations)
    steady[:, INDEX["head"]] = rot.quat_exp(np.outer(np.arange(FRAMES), [0, 0, 0.02]))
    steady[::2] *= -1
    found = smooth_clip(replace(clip, joint_rotations=steady), 0.7).joint_rotations[4, INDEX["head"]]
    assert rot.angle_between(found, steady[4, INDEX["head"]]) < 1e-3
    assert smooth_clip(clip, 0.0) is clip


def test_smoothing_reduces_noise_as_a_gaussian_does(rng):
    clip = standing(None)
    frames, sigma, noise = 400, 2.0, 0.01
    positions = np.tile(clip.joint_positions[:1], (frames, 1, 1)) + noise * rng.normal(size=(frames, 1, 3))
    long = replace(
        clip,
        joint_rotations=np.tile(IDENTITY, (frames, 52, 1)),
        joint_positions=positions,
        contact=np.zeros((frames, 2)),
    )
    left = smooth_clip(long, sigma).joint_positions[20:-20, 0] - clip.joint_positions[0, 0]
    # variance of a Gaussian average of white noise: 1 / (2 sigma sqrt(pi))
    assert left.std() == pytest.approx(noise / np.sqrt(2 * sigma * np.sqrt(np.pi)), rel=0.15)


def test_smoothing_keeps_the_objects_rest_before_contact():
    clip = standing()
    contact = np.zeros((FRAMES, 2))
    contact[4:, 1] = 1
    positions = np.array(clip.object_poses.positions)
    positions[5:, 2] += 0.1 * np.arange(1, FRAMES - 4)
    clip = replace(clip, contact=contact, object_poses=ObjectPoses(positions, clip.object_poses.rotations))
    found = smooth_clip(clip, 1.5).object_poses.positions
    np.testing.assert_array_equal(found[:4], positions[:4])
    assert found[4, 2] - positions[4, 2] < 0.06 and np.abs(np.diff(found[3:-2, 2], 2)).max() < 0.06


@pytest.mark.parametrize(
    ("joint", "rotvec"), [("right_ankle", [0.15, 0, 0]), ("left_foot", [-0.3, 0, 0]), ("left_ankle", [-0.1, 0, 0])]
)
def test_heels_and_toes_come_out_of_the_floor_and_nothing_else_moves(joint, rotvec):
    clip = turned(standing(), joint, rotvec)
    assert soles(clip).min() < -0.008
    found = lift_feet(clip, scene(clip))
    assert soles(found).min() > -0.002
    legs = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle", "foot")]
    others = np.setdiff1d(np.arange(52), legs)
    np.testing.assert_allclose(found.joint_positions[:, others], clip.joint_positions[:, others], atol=1e-6)
    feet = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "foot")]
    assert np.abs(found.joint_positions - clip.joint_positions)[:, feet].max() < 0.03
    assert "feet" in found.provenance["repaired"][0]


def test_a_swinging_foot_clears_the_floor_and_a_locked_one_stays():
    clip = standing(None)
    swing = np.linspace(-0.25, 0.25, FRAMES)  # of the right hip: 1.4 m/s at the foot
    rotations = np.array(clip.joint_rotations)
    rotations[:, INDEX["right_hip"]] = rot.quat_exp(np.outer(swing, [1.0, 0, 0]))
    rotations[:, INDEX["right_ankle"]] = rot.quat_exp(np.outer(-swing, [1.0, 0, 0]))
    positions = forward_kinematics(rotations, clip.joint_positions[:, 0] - [0, 0, 0.004], human().offsets)
    drift = np.linspace(0, 0.02, FRAMES)[:, None, None] * [0, 1.0, 0]  # the left foot slides by 2 cm
    clip = replace(clip, joint_rotations=rotations, joint_positions=positions + drift)
    low = soles(clip)[:, 3:].min(axis=1)
    assert low.min() < 0.002
    found = lift_feet(clip, scene(clip), lock=True)
    assert soles(found)[:, 3:].min() > 0.02
    left = found.joint_positions[:, INDEX["left_ankle"], :2]
    assert np.ptp(left, axis=0).max() < 0.001 < np.ptp(clip.joint_positions[:, INDEX["left_ankle"], 1])


def grasping(depth_m: float) -> Clip:
    """A box whose upper face is `depth_m` above the lowest points of the right hand's flat fingers."""
    clip = standing()
    middle = clip.joint_positions[0, INDEX["right_middle3"]] + [0.03, -0.03, 0]  # palm and thumb are beside the box
    under = human().radii[[INDEX[f"right_{f}{k}"] for f in ("index", "middle", "ring") for k in (2, 3)]].max()
    place = middle + [0.0, 0.0, -0.05 - under + depth_m]
    contact = np.zeros((FRAMES, 2))
    contact[2:, 1] = 1
    poses = ObjectPoses(np.tile(place, (FRAMES, 1)), np.tile(IDENTITY, (FRAMES, 1)))
    start = np.concatenate([place, IDENTITY])
    return replace(clip, contact=contact, object_poses=poses, object_start=start)


def gaps(clip: Clip) -> np.ndarray:
    posed = pose_clip(scene(clip), clip)
    return np.array(
        [
            clearances(posed.stage.model, pose_frame(posed, t), posed.hands[1], posed.parts).min()
            for t in range(clip.frames)
        ]
    )


def test_a_hand_leaves_the_object_but_keeps_touching():
    clip = grasping(0.012)
    assert gaps(clip).min() < -0.009
    found = project_grasp(clip, scene(clip))
    after = gaps(found)
    assert after.min() > -DEPTH_M - 0.0015 and np.abs(after[2:]).max() < 0.004
    moved = np.linalg.norm(found.joint_positions - clip.joint_positions, axis=-1)
    arm = [i for i, name in enumerate(JOINTS) if name.startswith("right") and i > 12]
    assert moved[:, np.setdiff1d(np.arange(52), arm)].max() < 1e-9, "only the right arm moves"
    assert moved[:, INDEX["right_wrist"]].max() < 0.03
    np.testing.assert_array_equal(found.object_poses.positions, clip.object_poses.positions)


def test_without_contact_or_overlap_nothing_changes():
    far = standing()
    assert project_grasp(far, scene(far)) is far
    touching = grasping(0.0005)
    found = project_grasp(touching, scene(touching))
    moved = np.linalg.norm(found.joint_positions - touching.joint_positions, axis=-1)
    assert moved[:, [i for i, name in enumerate(JOINTS) if name.startswith("right_") and i > 20]].max() < 0.005


def test_the_key_frame_is_the_most_usual_pose_of_the_hand():
    clip = grasping(0.0)
    positions = np.array(clip.object_poses.positions)
    positions[2:5] += [0, 0, 0.05]  # three frames apart from seven
    posed = pose_clip(scene(clip), replace(clip, object_poses=ObjectPoses(positions, clip.object_poses.rotations)))
    assert key_frame(posed, 1, np.arange(FRAMES)) in {0, 1, 5, 6, 7, 8, 9}
    assert key_frame(posed, 1, np.arange(2, 6)) in {2, 3, 4}


def test_scratch_data_is_reused():
    clip = standing()
    posed = pose_clip(scene(clip), clip)
    data = mujoco.MjData(posed.stage.model)
    assert pose_frame(posed, 1, data) is data
