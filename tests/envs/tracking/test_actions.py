"""From actions to PD targets: closed forms of every meaning of an action."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.skeleton import JOINTS
from envs.control.controller import ReferenceMotion
from envs.control.hand_task_space import FINGER_RAD, WRIST_M
from envs.embodiments.human import Human
from envs.physics import Control
from envs.tracking.actions import HandTaskSpace, JointAbsolute, JointResidual, make_action, residual_control
from envs.tracking.config import ActionConfig, ActionScale

ROOT = jnp.array([0.1, 0.2, 0.9])
BOTH = np.ones((3, 2))


def unbent(turns):
    return turns


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


@pytest.fixture
def target(rng):
    turned = Rotation.random(52, rng=rng).as_quat(scalar_first=True)
    return Control(jnp.asarray(turned, jnp.float32), ROOT)


def acting(config: ActionConfig, contact: np.ndarray, root) -> list[str]:
    action = make_action(config, Human(root=root), contact)
    assert isinstance(action, JointResidual) and action.size == 3 * len(action.balls)
    return [JOINTS[1 + i] for i in action.balls]


def test_all_joints_but_the_pelvis_act_by_default():
    assert acting(ActionConfig(), BOTH, "free") == list(JOINTS[1:])


@pytest.mark.parametrize(("root", "count"), [("free", 21 + 15), ("pinned", 21 - 8 - 4 + 15)])
def test_active_joints_leave_out_idle_fingers_and_pinned_legs(root, count):
    """Body 21 joints, 15 in the touching hand; pinned: without 8 of the legs and 4 of the idle arm."""
    names = acting(ActionConfig(joints="active"), np.array([[0, 0], [0, 1]]), root)
    assert len(names) == count and "right_thumb3" in names and "left_index1" not in names
    assert ("left_hip" in names) == (root == "free")


def test_reach_is_by_part():
    action = make_action(ActionConfig(scale=ActionScale(finger=0.4, wrist=0.2, leg=0.1)), Human(), BOTH)
    reach = dict(zip(JOINTS[1:], action.reach, strict=True))
    assert [reach[n] for n in ("left_knee", "right_wrist", "right_index1")] == [0.1, 0.2, 0.4]


def test_absolute_is_the_exponential_of_pi_times_the_action(rng, target):
    numbers = rng.uniform(-1, 1, 153)
    action = make_action(ActionConfig(mode="absolute"), Human(), BOTH)
    control = action.decode(jnp.asarray(numbers, jnp.float32), target, {}, unbent)
    wanted = Rotation.from_rotvec(np.pi * numbers.reshape(51, 3))
    assert (turn(control.rotation[1:]).inv() * wanted).magnitude().max() < 1e-5
    assert (control.rotation[0] == target.rotation[0]).all() and (control.root_position == ROOT).all()
    assert not action.residual and action.size == 153


def test_absolute_zero_is_the_t_pose_and_one_is_half_a_turn(target):
    action = make_action(ActionConfig(mode="absolute"), Human(), BOTH)
    control = action.decode(jnp.zeros(153), target, {}, unbent)
    assert (control.rotation[1:] == jnp.array([[1.0, 0, 0, 0]])).all()
    control = action.decode(jnp.zeros(153).at[0].set(1.0), target, {}, unbent)
    np.testing.assert_allclose(np.abs(control.rotation[1]), [0, 1, 0, 0], atol=1e-6)


def test_absolute_actions_turn_from_the_first_pose_of_a_clip_where_asked(rng, target):
    """A random pose, given by how its bodies stand in the world."""
    first = Rotation.random(52, rng=rng).as_quat(scalar_first=True)
    world = global_rotations(first[None])
    motion = ReferenceMotion(
        np.zeros((4, 52, 3)),
        np.concatenate([world, np.broadcast_to([1.0, 0, 0, 0], (3, 52, 4))]),
        *(np.zeros(0),) * 4,
        30.0,
    )
    action = make_action(ActionConfig(mode="absolute", zero="first_frame"), Human(), BOTH)
    zero = action.prepare(motion)["zero"]
    assert zero.shape == (4, 51, 4) and (zero == zero[:1]).all()
    given = {"zero": jnp.asarray(zero[2], jnp.float32)}
    numbers = jnp.asarray(rng.uniform(-0.5, 0.5, 153), jnp.float32)
    control = action.decode(numbers, target, given, unbent)
    wanted = turn(first[1:]) * Rotation.from_rotvec(np.pi * np.asarray(numbers).reshape(51, 3))
    assert (turn(control.rotation[1:]).inv() * wanted).magnitude().max() < 1e-5
    assert isinstance(action, JointAbsolute)
    np.testing.assert_allclose(action.encode(control, given), numbers, atol=1e-5)


def test_an_absolute_action_is_read_off_its_targets(rng, target):
    action = make_action(ActionConfig(mode="absolute"), Human(), BOTH)
    assert isinstance(action, JointAbsolute)
    again = action.decode(action.encode(target, {}), target, {}, unbent)
    assert (turn(again.rotation).inv() * turn(target.rotation)).magnitude().max() < 1e-5


def test_zero_residual_returns_the_target_exactly(target):
    control = residual_control(jnp.zeros((51, 3)), target)
    assert (control.rotation == target.rotation).all() and (control.root_position == ROOT).all()


def test_residual_turns_in_the_joints_own_frame(rng, target):
    turns = rng.uniform(-0.3, 0.3, (51, 3))
    control = residual_control(jnp.asarray(turns, jnp.float32), target)
    in_joint = (turn(target.rotation[1:]).inv() * turn(control.rotation[1:])).as_rotvec()
    np.testing.assert_allclose(in_joint, turns, atol=2e-6)
    assert (control.rotation[0] == target.rotation[0]).all()


def test_one_number_moves_one_joint(target):
    turns = jnp.zeros((51, 3)).at[16, 1].set(0.15)
    changed = (residual_control(turns, target).rotation != target.rotation).any(axis=-1)
    assert np.flatnonzero(changed).tolist() == [17]


def test_turns_and_actions_are_inverse(rng):
    action = make_action(ActionConfig(joints="active"), Human(), np.array([[0.0, 1.0]]))
    numbers = jnp.asarray(rng.uniform(-1, 1, (5, action.size)), jnp.float32)
    np.testing.assert_allclose(action.from_turns(action.turns(numbers, {})), numbers, atol=1e-6)


@pytest.mark.parametrize(("root", "legs"), [("pinned", 0), ("free", 15)])
def test_a_hand_task_space_has_the_planners_numbers(root, legs):
    """Six of the palm, grip, four fingers and four of the thumb for each hand; hips, knees, ankles and lowest spine."""
    action = make_action(ActionConfig(mode="hand_task_space"), Human(root=root), np.array([[0.0, 1.0]]))
    assert isinstance(action, HandTaskSpace) and action.size == 15 + legs and action.hands == (False, True)


def test_a_number_of_the_palm_moves_it_as_far_as_it_says():
    """To first order: one unit along x displaces the palm by WRIST_M, and the grip bends each finger by FINGER_RAD."""
    body = Human().body
    action = make_action(ActionConfig(mode="hand_task_space"), Human(root="pinned"), np.array([[0.0, 1.0]]))
    assert isinstance(action, HandTaskSpace)
    rng = np.random.default_rng(0)
    local = Rotation.from_rotvec(rng.uniform(-0.4, 0.4, (52, 3)))
    bent = local.as_quat(scalar_first=True)[None]
    bent[0, 0] = [1, 0, 0, 0]
    position, rotation = forward_kinematics(bent, np.zeros((1, 3)), body.offsets), global_rotations(bent)
    still = ReferenceMotion(position, rotation, np.zeros((1, 10, 3)), np.zeros((1, 2)), *np.zeros((2, 1, 1)), fps=30.0)
    given = {k: jnp.asarray(v[0], jnp.float32) for k, v in action.prepare(still).items()}
    target = Control(jnp.asarray(bent[0], jnp.float32), jnp.zeros(3))
    palm = JOINTS.index("right_middle1")
    control = action.decode(jnp.zeros(action.size).at[0].set(1.0), target, given, unbent)
    moved = forward_kinematics(np.asarray(control.rotation, float)[None], np.zeros((1, 3)), body.offsets) - position
    np.testing.assert_allclose(moved[0, palm], [WRIST_M, 0, 0], atol=0.1 * WRIST_M)
    turns = action.turns(jnp.zeros(action.size).at[6].set(1.0), given)
    bends = np.linalg.norm(np.asarray(turns), axis=-1)
    assert bends[JOINTS.index("right_index2") - 1] == pytest.approx(FINGER_RAD) and (bends > 0).sum() == 12
