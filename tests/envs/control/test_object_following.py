"""Targets that follow: when a hand looks, what it keeps, when it lets the displacement go, and where its palm ends."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.scene import ObjectSpec
from devi_jax.core.sim_state import SimState
from devi_jax.systems import assemble
from envs.control import ObjectFollowing
from envs.control.arm_ik import PALMS
from envs.control.object_following import LIMIT_M, schedule
from envs.scenes.objects.roundness import is_round
from tests.envs.replay import recipe, with_controllers
from tests.simulated import within
from tests.stand_in import stand_in

FPS, RIGHT = 30.0, 1


def _labels(frames, *spans):
    contact = np.zeros((frames, 2))
    for side, begin, end in spans:
        contact[begin:end, side] = 1.0
    return contact


def test_a_hand_looks_until_shortly_before_it_touches_and_follows_until_it_carries():
    contact, palm = _labels(120, (RIGHT, 50, 120)), np.zeros((120, 2, 3))
    palm[70:, RIGHT, 2] = 0.1  # lifted at frame 70
    watch, weight = schedule(contact, palm, FPS, posed=True, fade=True)
    assert watch[:47, RIGHT].all() and not watch[47:, RIGHT].any() and not watch[:, 0].any()
    assert weight[0, RIGHT] == 0 and (np.diff(weight[:50, RIGHT]) >= 0).all()
    assert (
        (weight[46:71, RIGHT] == 1).all() and weight[85, RIGHT] == pytest.approx(0.5) and not weight[100:, RIGHT].any()
    )
    kept = schedule(contact, palm, FPS, posed=True, fade=False)[1]
    assert (kept[46:, RIGHT] == 1).all()


def test_a_hand_that_lets_go_has_brought_the_object_home_before():
    contact, palm = _labels(120, (RIGHT, 50, 80)), np.zeros((120, 2, 3))
    palm[60:, RIGHT, 0] = 0.1
    _, weight = schedule(contact, palm, FPS, posed=True, fade=True)
    assert weight[60, RIGHT] == 1 and not weight[76:, RIGHT].any()


def test_a_second_hand_looks_on_only_where_the_clip_knows_the_object_in_the_air():
    contact, palm = _labels(120, (RIGHT, 40, 100), (0, 70, 110)), np.zeros((120, 2, 3))
    known, unknown = (schedule(contact, palm, FPS, posed=posed, fade=True)[0] for posed in (True, False))
    assert known[:67, 0].all() and not known[67:, 0].any()
    assert unknown[:37, 0].all() and not unknown[37:, 0].any()


@pytest.mark.parametrize("posed", [True, False])
def test_what_is_held_from_the_beginning_is_not_looked_at_later(posed):
    watch, _ = schedule(_labels(120, (RIGHT, 0, 100)), np.zeros((120, 2, 3)), FPS, posed, fade=True)
    assert watch[:, RIGHT].tolist() == [1.0] + [0.0] * 119


def _seen(position, rotation=(1.0, 0, 0, 0)):
    return stand_in(SimState, object_position=jnp.asarray(position, jnp.float32), object_rotation=jnp.asarray(rotation))


def test_a_displacement_is_taken_while_a_hand_looks_and_kept_from_then_on():
    noted = {"place": jnp.array([0.0, 0.4, 0.8, 1, 0, 0, 0]), "turns": jnp.ones(()), "watch": jnp.array([0.0, 1.0])}
    turned = rot.quat_exp(jnp.array([0.0, 0.0, 0.3]))
    memory = ObjectFollowing().remember(_seen((0.03, 0.36, 0.8), turned), noted, None)
    np.testing.assert_allclose(memory, [[0] * 6, [0.03, -0.04, 0, 0, 0, 0.3]], atol=1e-6)
    later = ObjectFollowing().remember(_seen((1.0, 0.4, 0.8)), {**noted, "watch": jnp.zeros(2)}, memory)
    np.testing.assert_array_equal(later, memory)
    # what has been knocked far away is not chased
    far = ObjectFollowing().remember(_seen((1.0, 0.4, 0.8)), noted, memory)
    np.testing.assert_allclose(far[RIGHT], [LIMIT_M, 0, 0, 0, 0, 0], atol=1e-6)
    round_ = ObjectFollowing().remember(_seen((0.0, 0.4, 0.8), turned), {**noted, "turns": jnp.zeros(())}, None)
    np.testing.assert_allclose(round_, np.zeros((2, 6)), atol=1e-7)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (ObjectSpec("can", (0.033, 0.12)), True),
        (ObjectSpec("sphere", (0.05,)), True),
        (ObjectSpec("box", (0.06, 0.06, 0.1)), False),
    ],
)
def test_roundness_is_what_a_turn_leaves(thing, expected):
    assert is_round(thing, np.array([1.0, 0, 0, 0])) is expected
    lying = np.array([np.sqrt(0.5), np.sqrt(0.5), 0, 0])
    assert is_round(thing, lying) is (thing.shape == "sphere")


@pytest.fixture(scope="module")
def following(lift_can):
    system = with_controllers(recipe(), object_following=ObjectFollowing(on=True))
    return assemble(system, lift_can, "c", "pinned").environment


@pytest.mark.simulated
@pytest.mark.parametrize(("x", "y"), [(0.04, 0.0), (-0.03, 0.03)])
def test_the_palm_meets_a_displaced_object_as_it_meets_the_clips(following, x, y):
    """Relative to the object, at the last frame before contact."""
    last = int(following.library.onset[0]) - 2
    at = following.physics.layout.object().qpos

    def palm_from_object(moved):
        state = following.start(jnp.zeros((), jnp.int32))
        qpos = state.physics.qpos.at[at.start : at.start + 2].add(jnp.array(moved))
        state = replace(state, physics=replace(state.physics, qpos=qpos))
        still, step = jnp.zeros(following.action_size), jax.jit(following.step)
        for _ in range(last):
            state, _ = step(state, still)
        seen = following.frame(state)
        return np.asarray(seen.position[PALMS[RIGHT]] - seen.object_position)

    gap = np.linalg.norm(palm_from_object((x, y)) - palm_from_object((0.0, 0.0)))
    within("palm's place beside the object, of the clip's, m", gap, high=0.008)


def test_without_a_displacement_the_targets_are_the_clips(following):
    state, still = following.start(jnp.asarray(40, jnp.int32)), jnp.zeros(following.action_size)
    target = following.library.target(state.clip, state.t)
    control = following.control(state, still)
    assert rot.angle_between(control.rotation, target.rotation).max() < 2e-3
    assert state.memory["object_following"].shape == (2, 6)
