"""The inferred table: under the object at rest, over all of its rests, out of the arms' way."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.infer_table import MARGIN_M, with_inferred_table

BOX = (0.1, 0.2, 0.3)


@pytest.fixture
def placed() -> Clip:
    """A box rests at (0.5, 1, 0.7 + half its height), is lifted and put down half a metre to the right."""
    time = np.linspace(0, 1, 60)
    moving = np.clip((time - 0.3) / 0.4, 0, 1)
    positions = np.stack([0.5 + 0.5 * moving, 1 + 0 * time, 0.85 + 0.2 * np.sin(np.pi * moving)], axis=1)
    joints = np.zeros((60, 52, 3)) + [0, -1.0, 1.0]
    poses = ObjectPoses(positions, np.tile([1.0, 0, 0, 0], (60, 1)))
    return Clip(
        name="placed",
        fps=30.0,
        joint_rotations=np.tile([1.0, 0, 0, 0], (60, 52, 1)),
        joint_positions=joints,
        contact=np.zeros((60, 2)),
        scene=SceneSpec(object=ObjectSpec("box", BOX, 1.0)),
        object_start=np.array([0.5, 1, 0.85, 1, 0, 0, 0]),
        object_poses=poses,
    )


def test_the_table_is_under_both_rests(placed):
    table = with_inferred_table(placed).scene.table
    assert table is not None and table.size[2] == pytest.approx(0.7)
    np.testing.assert_allclose(table.centre, (0.75, 1.0))
    np.testing.assert_allclose(table.size[:2], (0.6 + 2 * MARGIN_M, 0.2 + 2 * MARGIN_M))


def test_the_top_is_the_lowest_point_of_a_tilted_object(placed):
    tilt = rot.quat_exp(np.array([0.4, 0.0, 0.0]))
    poses = ObjectPoses(placed.object_poses.positions, np.tile(tilt, (60, 1)))
    table = with_inferred_table(replace(placed, object_poses=poses)).scene.table
    assert table is not None
    assert table.size[2] == pytest.approx(0.85 - 0.15 * np.cos(0.4) - 0.1 * np.sin(0.4))


def test_the_table_gives_way_to_an_arm_below_its_top(placed):
    joints = np.array(placed.joint_positions)
    joints[20, INDEX["left_wrist"]] = [0.5, 0.8, 0.6]  # 0.1 m before the box, below the top
    joints[20, INDEX["right_wrist"]] = [0.5, 0.85, 0.75]  # above the top: in nobody's way
    table = with_inferred_table(replace(placed, joint_positions=joints)).scene.table
    assert table is not None
    front = table.centre[1] - table.size[1] / 2
    assert front == pytest.approx(0.85)


def test_nothing_is_inferred_for_the_floor_for_motion_or_over_a_table(placed):
    table = Table()
    given = replace(placed, scene=replace(placed.scene, table=table))
    assert with_inferred_table(given).scene.table is table
    low = ObjectPoses(placed.object_poses.positions - [0, 0, 0.7], placed.object_poses.rotations)
    assert with_inferred_table(replace(placed, object_poses=low)).scene.table is None
    moving = ObjectPoses(placed.object_poses.positions + np.linspace(0, 2, 60)[:, None], placed.object_poses.rotations)
    assert with_inferred_table(replace(placed, object_poses=moving)).scene.table is None
    assert with_inferred_table(replace(placed, object_poses=None)).scene.table is None
