"""DeVI: dexterous video imitation. A human tracked in 3D, an object tracked in 2D, contact per hand, PPO.

Reward: R = R_h R_o R_contact (Eq. 15-21). The paper states no sharpness; these are measured to let a grasp be found.
"""

from dataclasses import replace
from typing import Literal

from agents import PAPER, NetworkConfig, Ppo
from devi_jax.systems.system import System
from envs.rewards import Weighting
from envs.tracking.config import ActionConfig, EnvironmentConfig, Reach, ResetConfig, TerminationConfig
from envs.tracking.randomization import Disturbance

Preset = Literal["paper", "cpu"]
"""Sizes."""
Recipe = Literal["fast", "paper"]
"""What is done."""

REWARDS: dict[str, Weighting] = {
    "joint_position": Weighting(sharpness=20.0),
    "joint_velocity": Weighting(sharpness=0.05),
    "joint_rotation": Weighting(sharpness=0.5),
    "hand_position": Weighting(sharpness=200.0),
    "hand_rotation": Weighting(sharpness=0.3),
    "power": Weighting(sharpness=0.02),
    "object_2d": Weighting(sharpness=300.0),
    "contact_force": Weighting(),
    "contact_distance": Weighting(sharpness=60.0),
}


def devi(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """The recipe, at one of two sizes.

    `recipe`: `fast` turns around targets that already carry, starts in states of the plan, disturbs the object and
    steers the learner's rate; `paper` is A.10 as printed: absolute PD targets, two places to start from, no plan.
    `preset`: `paper` has A.8's networks and 4,096 environments; `cpu` few environments and small networks, for minutes
    on a laptop.
    """
    size = _CPU if preset == "cpu" else _PAPER
    environment, ppo, network = size if recipe == "paper" else _fast(*size)
    return System(
        name="devi",
        environment=environment,
        rewards=dict(REWARDS),
        combine="product",
        ppo=ppo,
        network=network,
    )


_PAPER = (EnvironmentConfig(action=ActionConfig(mode="absolute")), Ppo(), PAPER)
_CPU = (
    # fingertips may stray 80 mm: at 40 mm half of the first grasps end before they teach anything
    EnvironmentConfig(
        action=ActionConfig(mode="absolute"),
        termination=TerminationConfig(tips_m=0.08),
        goal_offsets=(1,),
        object_points=128,
    ),
    Ppo(
        environments=256,
        minibatch=2048,
        epochs=2,
        gamma=0.97,
        actor_learning_rate=1e-4,
        critic_learning_rate=1e-3,
        value_clip=None,
        reward_scale=0.03,
    ),
    NetworkConfig(
        token_width=64,
        token_layers=2,
        transformer_layers=1,
        heads=4,
        feedforward_width=128,
        actor_widths=(256, 256),
        critic_widths=(256, 256),
        log_std=-2.3,
    ),
)


def _fast(
    environment: EnvironmentConfig, ppo: Ppo, network: NetworkConfig
) -> tuple[EnvironmentConfig, Ppo, NetworkConfig]:
    """What makes minutes of hours, each a setting of its own: see the ablation rows in docs/results.md."""
    environment = replace(
        environment,
        action=ActionConfig(
            reach=Reach(finger=0.3, wrist=0.15, arm=0.15, spine=0.15, leg=0.15),
            joints="active",
            balance=1.0,
            footing=4.0,
        ),
        reset=ResetConfig(
            pre_contact=0.5, planned=0.3, onset=0.2, own=0.1, joint_noise_rad=0.02, disturbance=Disturbance()
        ),
    )
    ppo = replace(ppo, actor_learning_rate=1e-4, target_kl=0.01, critic_warmup=5, actor_ema=0.9)
    return environment, ppo, replace(network, output_scale=0.0, log_std=-1.6)


def choose_preset(platform: str) -> tuple[Preset, str]:
    """What `--preset=auto` takes on a JAX platform, and why."""
    if platform == "cpu":
        return "cpu", "no accelerator: paper-size networks would take 90 % of the time here"
    return "paper", f"a {platform} carries 4,096 environments and paper-size networks"
