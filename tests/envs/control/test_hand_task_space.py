"""What a unit of each number does, by forward kinematics of the turned joints."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import bone_offsets, forward_kinematics, global_rotations
from devi_jax.core.skeleton import INDEX, JOINTS
from envs.control.hand_task_space import WRIST_M, WRIST_RAD, task_space


@pytest.fixture(scope="module")
def space(lift_can):
    rotation = global_rotations(lift_can.joint_rotations)
    return task_space(lift_can.joint_positions, rotation, lift_can.contact)


def turned(clip, space, name, units=1.0):
    """Joint positions and world rotations of a clip whose joints are turned by one number in all frames."""
    turns = np.zeros((clip.frames, 52, 3))
    turns[:, 1:] = units * space.basis[:, space.names.index(name)]
    local = rot.quat_mul(clip.joint_rotations, rot.quat_exp(turns))
    return forward_kinematics(local, clip.joint_positions[:, 0], bone_offsets(clip)), global_rotations(local)


def test_only_hands_that_touch_have_numbers(space, lift_can):
    assert len(space.names) == 15 and all(n.startswith("right_") for n in space.names)
    both = task_space(lift_can.joint_positions, global_rotations(lift_can.joint_rotations), np.ones((110, 2)))
    assert len(both.names) == 30 and both.basis.shape == (110, 30, 51, 3)
    none = task_space(lift_can.joint_positions, global_rotations(lift_can.joint_rotations), np.zeros((110, 2)))
    assert none.basis.shape == (110, 0, 51, 3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_unit_of_displacement_moves_the_palm_along_its_axis(axis, space, lift_can):
    before = lift_can.joint_positions[:, INDEX["right_middle1"]]
    after = turned(lift_can, space, f"right_palm_{'xyz'[axis]}")[0][:, INDEX["right_middle1"]]
    moved = (after - before) / WRIST_M
    np.testing.assert_allclose(moved, np.broadcast_to(np.eye(3)[axis], moved.shape), atol=0.12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_unit_of_turn_turns_the_palm_and_leaves_it_in_place(axis, space, lift_can):
    palm, name = INDEX["right_middle1"], f"right_palm_turn_{'xyz'[axis]}"
    position, rotation = turned(lift_can, space, name)
    wrist = INDEX["right_wrist"]
    turn = rot.quat_log(
        rot.quat_mul(rotation[:, wrist], rot.quat_conj(global_rotations(lift_can.joint_rotations)[:, wrist]))
    )
    np.testing.assert_allclose(turn / WRIST_RAD, np.broadcast_to(np.eye(3)[axis], turn.shape), atol=0.15)
    assert np.abs(position[:, palm] - lift_can.joint_positions[:, palm]).max() < 0.3 * WRIST_M


def test_grip_and_fingers_bend_tips_towards_the_palm(space, lift_can):
    """In the wrist's frame palms face -z: flexed finger joints come nearer to the palm's side."""
    for name, fingers in (("grip", ("index", "middle", "ring", "pinky")), ("index", ("index",))):
        for finger in ("index", "middle", "ring", "pinky"):
            joint, wrist = INDEX[f"right_{finger}3"], INDEX["right_wrist"]
            heights = []
            for units in (0.0, 1.0):
                position, rotation = turned(lift_can, space, f"right_{name}", units)
                heights.append(rot.rotate_inverse(rotation[0, wrist], position[0, joint] - position[0, wrist])[2])
            moved = heights[1] - heights[0]
            assert moved < -0.003 if finger in fingers else abs(moved) < 1e-9


def test_legs_are_there_when_asked_for(lift_can):
    world = global_rotations(lift_can.joint_rotations)
    space = task_space(lift_can.joint_positions, world, lift_can.contact, legs=True)
    assert len(space.names) == 15 + 2 * (3 + 1 + 2) + 3
    touched = {JOINTS[1 + j] for j in np.flatnonzero(np.abs(space.basis[0, 15:]).sum(axis=(0, 2)))}
    assert touched == {f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle")} | {"spine1"}
