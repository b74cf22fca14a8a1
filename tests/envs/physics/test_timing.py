"""Three rates: they divide each other or are refused, and targets are held from one action to the next."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from devi_jax.systems.build import assemble
from devi_jax.systems.registry import make_system
from envs.physics import Timing
from envs.physics.solver import SETTINGS, at_rate


@pytest.fixture(scope="module")
def at_15_hz(lift_can):
    system = replace(make_system("devi"), timing=Timing(policy_hz=15.0))
    return assemble(system, lift_can, "c", "pinned").environment


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"control_hz": 50.0, "policy_hz": 50.0}, "physics rate of 60 Hz is no multiple of the control rate of 50 Hz"),
        ({"policy_hz": 20.0}, "control rate of 30 Hz is no multiple of the policy rate of 20 Hz"),
        ({"policy_hz": 60.0}, "no multiple of the policy rate"),
        ({"physics_hz": 45.0}, "physics rate of 45 Hz"),
        ({"policy_hz": 0.0}, "rates of"),
        ({"control_hz": float("nan")}, "rates of"),
        ({"control_hz": float("inf")}, "rates of"),
    ],
)
def test_rates_that_do_not_divide_are_refused(rates, words):
    with pytest.raises(ConfigError, match=words):
        at_rate(SETTINGS["c"], Timing(**rates))


def test_steps_of_a_step_are_counted_from_the_rates():
    timing = Timing(physics_hz=240.0, control_hz=60.0, policy_hz=10.0)
    settings = at_rate(SETTINGS["c"], timing)
    assert timing.hold == 6 and timing.substeps(settings.physics_hz) == 4 and settings.timestep_s == 1 / 240
    assert at_rate(SETTINGS["mjx"], Timing()) == SETTINGS["mjx"] and Timing().substeps(240.0) == 8


def test_an_action_is_held_for_as_many_control_steps(at_15_hz, lift_can):
    """At 15 Hz a step is two control steps towards the same targets, and the clip has half as many frames."""
    environment = at_15_hz
    assert environment.physics.timing.hold == 2 and environment.policy_hz == 15
    assert environment.frames == -(-lift_can.frames // 2)
    state, action = environment.start(jnp.asarray(2)), jnp.full(environment.action_size, 0.1)
    control, physics = environment.control(state, action), environment.physics
    twice = jax.jit(lambda s: physics.step(physics.step(s, control), control))(state.physics)
    once = jax.jit(environment.step)(state, action)[0].physics
    np.testing.assert_allclose(once.qpos, twice.qpos, atol=1e-6)
