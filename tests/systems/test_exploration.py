"""Noise by class of joints: from radians to the numbers of an action."""

from dataclasses import replace

import numpy as np
import pytest

from agents import NetworkConfig
from devi_jax.core.errors import ConfigError
from devi_jax.systems.exploration import Exploration, explore
from envs.embodiments import Embodiment
from envs.embodiments.capsule_arm import CapsuleArm
from envs.embodiments.human import Human
from envs.physics import Physics, Scene
from envs.tracking.actions import make_action
from envs.tracking.config import ActionConfig, ActionScale
from envs.tracking.env import TrackingEnvironment
from tests.stand_in import stand_in

NOISE = Exploration(finger=0.16, wrist=0.08, arm=0.04, spine=0.02, leg=0.01)
TOUCHED = np.array([[0, 0], [0, 1.0]])


def environment(config: ActionConfig, body: Embodiment) -> TrackingEnvironment:
    """As much of an environment as says what its actions mean."""
    physics = stand_in(Physics, scene=stand_in(Scene, embodiment=body))
    return stand_in(TrackingEnvironment, physics=physics, action=make_action(config, body, TOUCHED))


def deviations(noise: Exploration, config: ActionConfig, body: Embodiment) -> np.ndarray:
    network = explore(noise, NetworkConfig(), environment(config, body))
    return np.exp(np.array(network.log_std))


def test_absolute_actions_are_in_half_turns():
    body = Human()
    found = deviations(NOISE, ActionConfig(mode="absolute"), body).reshape(51, 3) * np.pi
    np.testing.assert_allclose(found, [[getattr(NOISE, joint.part)] * 3 for joint in body.joints[1:]], rtol=1e-6)


def test_residual_actions_are_in_units_of_their_scale_and_idle_joints_have_none():
    scale = ActionScale(finger=0.3, wrist=0.15, arm=0.1, spine=0.05, leg=0.05)
    action = ActionConfig(scale=scale, joints="active")
    found = deviations(NOISE, action, Human(root="pinned")).reshape(-1, 3)
    # of a pinned body: spine, one arm with its wrist, and that hand's fingers
    wanted = [0.16 / 0.3] * 15 + [0.08 / 0.15] + [0.04 / 0.1] * 3 + [0.02 / 0.05] * 5
    np.testing.assert_allclose(np.sort(found[:, 0]), np.sort(wanted), rtol=1e-6)


def test_a_grippers_fingers_are_in_metres():
    body = CapsuleArm()
    noise = Exploration(arm=0.1, wrist=0.2, gripper=0.004)
    found = deviations(noise, ActionConfig(scale=ActionScale(arm=0.8, wrist=0.8, gripper=0.02)), body)
    parts = [joint.part for joint in body.joints if joint.kind in ("hinge", "slide")]
    wanted = {"arm": 0.1 / 0.8, "wrist": 0.2 / 0.8, "gripper": 0.004 / 0.02}
    np.testing.assert_allclose(found, [wanted[part] for part in parts], rtol=1e-6)


def test_without_it_the_network_is_as_it_was():
    network = NetworkConfig(log_std=-1.25)
    assert explore(Exploration(), network, environment(ActionConfig(), Human())) is network


@pytest.mark.parametrize(
    ("noise", "mode"), [(replace(NOISE, arm=0.0), "residual"), (replace(NOISE, leg=-0.1), "absolute")]
)
def test_a_class_that_acts_without_noise_is_named(noise, mode):
    with pytest.raises(ConfigError, match="nothing is tried with (arm|leg)") as caught:
        explore(noise, NetworkConfig(), environment(ActionConfig(mode=mode), Human()))
    assert caught.value.where == "--exploration" and caught.value.fix


def test_the_hand_task_space_has_no_joints():
    with pytest.raises(ConfigError, match="not of joints"):
        explore(NOISE, NetworkConfig(), environment(ActionConfig(mode="hand_task_space"), Human()))
