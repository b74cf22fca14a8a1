from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.clip import ObjectPoses
from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Mesh, ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import HAND_BODIES, INDEX
from devi_jax.datasets.clip_quality import as_trimesh, extraction_doubts, foot_slip, measure, surface_points

IDENTITY = np.array([1.0, 0, 0, 0])


@pytest.fixture
def still(known):
    """The first frame of the known motion for a second, with a resting ball of radius 0.1 m a metre ahead."""
    frames = 30
    ball = ObjectPoses(np.tile([0.0, 1.0, 0.1], (frames, 1)), np.tile(IDENTITY, (frames, 1)))
    return replace(
        known,
        joint_rotations=np.repeat(known.joint_rotations[:1], frames, axis=0),
        joint_positions=np.repeat(known.joint_positions[:1], frames, axis=0),
        contact=np.zeros((frames, 2)),
        scene=SceneSpec(object=ObjectSpec("sphere", (0.1,), 0.5)),
        object_poses=ball,
        object_start=np.array([0, 1.0, 0.1, *IDENTITY]),
    )


def findings(clip):
    return {finding.name: finding for finding in measure(clip)}


def test_a_resting_clip_is_measured_as_such(still):
    found = findings(still)
    assert found["frames"].value == 30 and found["joint speed"].value == 0 and found["foot slip"].value == 0
    assert found["kinematics"].value < 1e-9 and found["object speed before contact"].value == 0
    assert found["object gap"].value == pytest.approx(0, abs=2)  # points on the sphere's triangles, mm
    assert found["contact frames"].value == 0 and found["contact frames"].verdict == "warn"


def test_a_jump_is_found_with_its_speed_and_frame(still):
    positions = np.array(still.joint_positions)
    positions[12:, INDEX["head"], 0] += 0.5
    found = findings(replace(still, joint_positions=positions))["joint speed"]
    assert found.value == pytest.approx(0.5 * 30) and found.verdict == "warn" and "frame 11" in found.advice


def test_slip_is_the_horizontal_speed_of_standing_feet(still):
    positions = np.array(still.joint_positions)
    positions[:, :, 0] += 0.3 * np.arange(30)[:, None] / 30  # the whole body glides at 0.3 m/s
    low = positions[:, [INDEX["left_foot"], INDEX["right_foot"]], 2].min()
    positions[:, INDEX["left_foot"], 2] = positions[:, INDEX["right_foot"], 2] = low
    gliding = replace(still, joint_positions=positions)
    assert foot_slip(gliding) == pytest.approx(0.3)
    positions[:, INDEX["left_foot"], 0] = 0  # now one foot stands
    assert foot_slip(gliding) == pytest.approx(0.15)
    positions[:, INDEX["left_foot"], 2] += 0.05  # and now it is in the air
    assert foot_slip(gliding) == pytest.approx(0.3)


def test_inconsistent_bones_are_found(still):
    positions = np.array(still.joint_positions)
    positions[:, 1:, 2] += 0.05 * np.sin(np.arange(30))[:, None]  # the pelvis leaves its body
    gap = findings(replace(still, joint_positions=positions))["kinematics"].value
    expected = np.median(np.abs(0.05 * np.sin(np.arange(30)) - np.median(0.05 * np.sin(np.arange(30))))) * 1e3
    assert gap == pytest.approx(expected, rel=0.1)


def test_the_fit_of_the_source_is_passed_on(still):
    found = findings(replace(still, provenance={"fk_error_mm": 11.5}))["kinematics of the source"]
    assert found.value == 11.5 and found.verdict == "warn"


def test_an_object_in_the_air_or_moving_by_itself_is_found(still):
    positions = np.array(still.object_poses.positions)
    positions[:, 2] += 0.05
    positions[:, 0] += np.arange(30) * 0.01
    hovering = replace(still, object_poses=ObjectPoses(positions, still.object_poses.rotations))
    found = findings(hovering)
    assert found["object gap"].value == pytest.approx(50, abs=2) and found["object gap"].verdict == "warn"
    assert found["object speed before contact"].value == pytest.approx(0.3)
    assert "object gap" not in findings(replace(hovering, contact=np.ones((30, 2))))  # held from the start
    on_table = replace(hovering, scene=replace(still.scene, table=Table(size=(1, 0.5, 0.05))))
    assert findings(on_table)["object gap"].value == pytest.approx(0, abs=2)


def test_hand_distance_is_that_to_the_surface_in_the_objects_own_frame(still):
    contact = np.zeros((30, 2))
    contact[10:, 0] = 1
    half = np.sqrt(0.5)
    rotation = np.tile([half, half, 0, 0], (30, 1))  # about x: the box's y axis points up
    positions = np.array(still.joint_positions)
    wrist = positions[0, INDEX["left_wrist"]]
    positions[:, HAND_BODIES[0]] = wrist
    positions[:, INDEX["left_ring3"]] += [0, 0, 0.3]  # the nearest joint counts
    poses = ObjectPoses(np.tile(wrist - [0, 0, 0.25], (30, 1)), rotation)
    spec = ObjectSpec("box", (1.0, 0.4, 1.0), 1.0)
    scene = SceneSpec(object=spec)
    clip = replace(still, joint_positions=positions, contact=contact, object_poses=poses, scene=scene)
    found = findings(clip)
    # the hand is 0.25 m above the centre of a box whose upright half edge is 0.2 m
    assert found["left hand to object in contact"].value == pytest.approx(50, abs=2)
    assert found["contact frames"].value == 20 and "right hand to object in contact" not in found


def test_a_clip_without_object_is_measured_too(still):
    bare = replace(still, scene=SceneSpec(), object_poses=None, object_start=None)
    assert not any("object" in name for name in findings(bare))


def test_a_mesh_that_is_not_there_is_refused():
    with pytest.raises(SceneError, match="holds none"):
        as_trimesh(ObjectSpec("mesh", ()))


def test_surfaces_have_the_sizes_of_their_shapes(known):
    cube = as_trimesh(ObjectSpec("box", (0.2, 0.3, 0.4), 1.0))
    own = ObjectSpec("mesh", (), 1.0, mesh=Mesh(np.asarray(cube.vertices), np.asarray(cube.faces)))
    for spec, half in (
        (ObjectSpec("box", (0.2, 0.3, 0.4)), (0.1, 0.15, 0.2)),
        (ObjectSpec("sphere", (0.1,)), (0.1, 0.1, 0.1)),
        (ObjectSpec("can", (0.03, 0.12)), (0.03, 0.03, 0.06)),
        (own, (0.1, 0.15, 0.2)),
    ):
        points = surface_points(spec)
        assert points.shape == (4096, 3)
        np.testing.assert_allclose(np.abs(points).max(axis=0), half, atol=0.002)
        np.testing.assert_array_equal(points, surface_points(spec))  # the same every time


def test_doubts_of_an_extraction_are_those_that_its_clip_keeps(known):
    assert extraction_doubts(known) == []
    good = {"name": "wrists", "value": 3.0, "unit": "px", "usual": 10, "accepted": 15, "verdict": "ok"}
    poor = {**good, "value": 340.0, "verdict": "poor"}
    told = extraction_doubts(replace(known, provenance={"quality": [good, poor, {"verdict": "poor"}, 3]}))
    assert told == ["wrists 340 px is poor (usual: 10)"]
    assert extraction_doubts(replace(known, provenance={"quality": "fine"})) == []
