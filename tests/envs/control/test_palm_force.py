"""Press: virtual work of two opposed palm forces, none in the trunk, none without two facing palms; and a lift."""

import mujoco
import numpy as np
import pytest

from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.load import resolve
from devi_jax.systems import assemble
from envs.control.palm_force import palm_offsets
from envs.embodiments.human import per_joint
from tests.envs.replay import recipe, replay
from tests.simulated import within

FORCE_N = 50.0
HELD = 80


@pytest.fixture(scope="module")
def carrying():
    """The bundled two-handed lift on the C engine, on its own feet."""
    return assemble(recipe(), resolve("lift_box"), "c", "free").environment


@pytest.fixture(scope="module")
def qpos(carrying) -> np.ndarray:
    """The reference in MuJoCo's coordinates (T, nq), the object at its start."""
    reference, physics = carrying.reference, carrying.physics
    root, local = np.asarray(reference.position)[:, 0], np.asarray(reference.local, float)
    return physics.layout.pack_qpos(root, local, np.asarray(reference.object_start)[None])


def palm_distance(model: mujoco.MjModel, qpos: np.ndarray) -> float:
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    return float(np.linalg.norm(data.geom("left_wrist").xpos - data.geom("right_wrist").xpos))


def test_its_work_is_the_force_times_how_far_the_palms_approach(carrying, qpos):
    """Any small turn of the joints: torques do as much work as two forces along the line between the palms."""
    physics, contact = carrying.physics, np.ones((len(qpos), 2))
    turns = palm_offsets(physics, qpos, contact, FORCE_N)[HELD]
    generator, h = np.random.default_rng(0), 1e-5
    shares = []
    for _ in range(5):
        turn = generator.normal(size=(52, 3))
        velocity = np.zeros(physics.model.nv)
        velocity[physics.layout.rotation_qvel[1:]] = turn[1:]
        after = qpos[HELD].copy()
        mujoco.mj_integratePos(physics.model, after, velocity, h)
        approach = (palm_distance(physics.model, qpos[HELD]) - palm_distance(physics.model, after)) / h
        stiffness = per_joint(physics.scene.embodiment.gains).stiffness
        work = np.sum(turns[1:] * turn[1:] * stiffness[:, None])
        shares.append(work / (FORCE_N * approach))
    # the palms face each other nearly, not quite: one factor for all directions
    assert np.ptp(shares) < 1e-3 and 0.9 < np.mean(shares) <= 1.0


def test_trunk_legs_and_fingers_feel_nothing(carrying, qpos):
    turns = palm_offsets(carrying.physics, qpos, np.ones((len(qpos), 2)), FORCE_N)
    arms = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("collar", "shoulder", "elbow", "wrist")]
    assert np.abs(np.delete(turns[HELD], arms, axis=0)).max() < 1e-6
    assert np.linalg.norm(turns[HELD][arms], axis=-1).max() > 0.02


def test_one_hand_or_hands_that_face_away_do_not_press(carrying, qpos):
    contact = np.ones((len(qpos), 2))
    contact[:, 0] = 0
    assert not palm_offsets(carrying.physics, qpos, contact, FORCE_N).any()
    hanging = np.tile(qpos[0], (2, 1))  # arms at the sides: palms towards each other, but the thighs
    flipped = hanging.copy()
    layout = carrying.physics.layout
    for side in ("left", "right"):
        at = layout.joint(f"{side}_wrist").qpos
        quat = np.zeros(4)
        mujoco.mju_mulQuat(quat, flipped[0, at], np.array([0.0, 1.0, 0.0, 0.0]))  # half a turn of the hand
        flipped[:, at] = quat
    both = np.ones((2, 2))
    assert not palm_offsets(carrying.physics, flipped, both, FORCE_N).any()
    assert palm_offsets(carrying.physics, hanging, both, FORCE_N).any()


def test_it_comes_and_goes_smoothly(carrying, qpos):
    contact = np.zeros((len(qpos), 2))
    contact[40:80] = 1
    still = np.tile(qpos[HELD], (len(qpos), 1))
    size = np.linalg.norm(palm_offsets(carrying.physics, still, contact, FORCE_N), axis=(1, 2))
    assert size[30] == 0 and size[39] + size[40] == pytest.approx(size[60], rel=1e-2)
    assert np.abs(np.diff(size)).max() < 0.21 * size[60]


@pytest.mark.simulated
def test_open_loop_the_box_is_carried(carrying):
    frames, _ = replay(carrying, 0, carrying.reference.frames - 1)
    height = np.asarray(frames.object_position)[:, 2] - float(carrying.reference.object_position[0, 2])
    # measured under 3 instruction sets, 9 starts in all: 0.173 to 0.176
    within("height of the box, m, of 0.2", height[-1], low=0.14)
