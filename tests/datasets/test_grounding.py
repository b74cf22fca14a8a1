from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal
from devi_jax.core.clip import bone_offsets, forward_kinematics
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import SceneSpec, Table
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.grounding import BALL_HEIGHT_M, foot_float_m, lower_to_floor, move_to_origin


def test_the_first_frame_comes_to_stand_at_the_origin_and_nothing_deforms(known):
    local = np.array(known.joint_rotations)
    quarter = np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
    local[:, 0] = rot.quat_mul(np.broadcast_to(quarter, (len(local), 4)), local[:, 0])
    moved = replace(
        known,
        joint_rotations=local,
        joint_positions=rot.rotate(quarter, known.joint_positions) + [5.0, -1.0, 0.0],
        object_start=np.concatenate([rot.rotate(quarter, known.object_start[:3]) + [5.0, -1.0, 0.0], quarter]),
    )
    back = move_to_origin(moved)
    np.testing.assert_allclose(back.joint_positions, known.joint_positions, atol=1e-12)
    np.testing.assert_allclose(rot.angle_between(back.joint_rotations, known.joint_rotations), 0, atol=1e-7)
    np.testing.assert_allclose(back.object_start, [*known.object_start[:3], 1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(back.joint_positions[0, 0, :2], 0, atol=1e-12)
    rebuilt = forward_kinematics(back.joint_rotations, back.joint_positions[:, 0], bone_offsets(back))
    np.testing.assert_allclose(rebuilt, back.joint_positions, atol=1e-9)


def test_a_table_or_a_camera_holds_a_clip_in_its_place(known):
    for fixed in (replace(known, scene=SceneSpec(table=Table())), replace(known, camera=frontal())):
        with pytest.raises(ClipError, match="cannot be moved"):
            move_to_origin(fixed)


def test_grounding_lowers_the_human_by_its_float_and_leaves_the_object(known):
    height = 0.137
    feet = [INDEX["left_foot"], INDEX["right_foot"]]
    positions = np.array(known.joint_positions)
    positions[..., 2] += height + BALL_HEIGHT_M - np.percentile(positions[:, feet, 2].min(axis=1), 5)
    floating = replace(known, joint_positions=positions)
    assert foot_float_m(floating) == pytest.approx(height)
    down = lower_to_floor(floating)
    assert foot_float_m(down) == pytest.approx(0, abs=1e-12)
    drop = floating.joint_positions - down.joint_positions
    np.testing.assert_allclose(drop, np.broadcast_to([0, 0, height], drop.shape))
    assert down.object_poses is known.object_poses
    assert "lowered by 137 mm" in down.provenance["assumptions"][-1]
    assert "assumptions" not in known.provenance  # the original is untouched
