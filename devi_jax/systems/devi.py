"""DeVI: dexterous video imitation. A human tracked in 3D, an object tracked in 2D, contact per hand, PPO.

The whole task is the table that `devi` returns. Reward: R = R_h R_o R_contact (Eq. 15-21). The paper states no
sharpness; these are measured to let a grasp be found. `devi_sharp` in `ablations.py` has sharper ones.
"""

from dataclasses import replace
from math import pi
from typing import Literal

from agents import PAPER, NetworkConfig, Ppo
from devi_jax.systems.exploration import Exploration
from devi_jax.systems.system import System
from envs import rewards
from envs.control import AnkleBalance, FeedForward, GraspClosure, GroundReaction, ObjectFollowing, PalmForce
from envs.rewards import Reward, halved
from envs.tracking import observations, terminations
from envs.tracking.config import ActionConfig, ActionScale, CurriculumConfig, ObjectPoints, ResetConfig
from envs.tracking.observations import Goal, Observe
from envs.tracking.randomization import Randomization
from envs.tracking.terminations import Termination

Preset = Literal["paper", "cpu"]
"""Sizes."""
Recipe = Literal["fast", "paper"]
"""How it is learned."""


def devi(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """The system, at one of two sizes.

    `preset`: `paper` has A.8's networks and 4,096 environments; `cpu` few environments and small networks, for minutes
    on a laptop. `recipe`: `paper` is A.10 as printed: absolute PD targets, two places to start from, no plan; `fast`
    turns around targets that already carry, starts in states of the plan, randomizes the object and adapts the
    learning rate.
    """
    small = preset == "cpu"
    system = System(
        name="devi",
        embodiment="human",
        action=ActionConfig(mode="absolute"),
        observations={
            "actor": {"human": Observe(observations.human_state), "object": Observe(observations.object_state)},
            "critic": {},
        },
        goal={
            "joints": Goal(observations.joint_goal),
            "reference": Goal(observations.reference_goal, on=False),
            "object": Goal(observations.object_goal, on=False),
        },
        goal_frames=(1,) if small else (1, 4),
        rewards={
            "joint_position": Reward(rewards.joint_position, sharpness=20.0),
            "joint_velocity": Reward(rewards.joint_velocity, sharpness=0.05),
            "joint_rotation": Reward(rewards.joint_rotation, sharpness=0.5),
            "hand_position": Reward(rewards.hand_local_position, sharpness=200.0),
            "hand_rotation": Reward(rewards.hand_local_rotation, sharpness=0.3),
            "power": Reward(rewards.joint_power, shape="exponential", sharpness=0.02),
            "object_2d": Reward(rewards.object_2d, sharpness=300.0),
            "contact_force": Reward(rewards.contact_force, shape="linear"),
            "contact_distance": Reward(rewards.contact_distance, shape="sigmoid", sharpness=60.0),
            # not the paper's, for what one view is blind to. 8 cm are a twentieth of 1.6 m
            "object_size": halved(rewards.object_size, 0.05, weight=0.0),
            "object_second_view": halved(rewards.object_second_view, 0.016, weight=0.0),
        },
        combine="product",
        terminations={
            **terminations.OFF,
            "body_mean": Termination(terminations.body_mean, 0.2),
            "body_any": Termination(terminations.body_any, 0.4),
            # at 40 mm half of the first grasps end before they teach anything
            "fingertips": Termination(terminations.fingertips, 0.08 if small else 0.04),
            "object_pixels": Termination(terminations.object_pixels, 0.08),
        },
        controllers={
            "feedforward": FeedForward(),
            "palm_force": PalmForce(force_n=50.0),
            "grasp_closure": GraspClosure(angle_rad=0.25),
            "ground_reaction": GroundReaction(rate=0.0),
            "ankle_balance": AnkleBalance(gain=0.0),
            "object_following": ObjectFollowing(),
        },
        resets=ResetConfig(pre_contact=0.5),
        object_points=ObjectPoints(128 if small else 1024),
        ppo=_SMALL_PPO if small else Ppo(),
        network=_SMALL_NETWORK if small else PAPER,
    )
    return _fast(system) if recipe == "fast" else _paper(system)


def _paper(system: System) -> System:
    """What A.10 leaves open, such that something is learned: see "Learning" in docs/fidelity.md.

    Noise and first bounds go together: with them the ideal policy lives through the clip, and as the bounds become
    those of A.10 the policy makes its noise smaller.
    """
    return replace(
        system,
        action=ActionConfig(mode="absolute", zero="first_frame"),
        exploration=Exploration(finger=0.17, wrist=0.12, arm=0.08, spine=0.05, leg=0.05),
        curriculum=CurriculumConfig(termination_scale=3.0, decay=500),
        ppo=replace(system.ppo, normalise_value=True, value_clip=0.2, target_kl=0.02),
        network=replace(system.network, learn_log_std=True, log_std_range=1.5),
    )


def _fast(system: System) -> System:
    """What makes minutes of hours, each a setting of its own: see the ablation rows in docs/results.md."""
    return replace(
        system,
        action=ActionConfig(
            scale=ActionScale(finger=0.3, wrist=0.15, arm=0.15, spine=0.15, leg=0.15),
            joints="active",
        ),
        controllers={
            **system.controllers,
            "ground_reaction": GroundReaction(rate=4.0),
            "ankle_balance": AnkleBalance(gain=2.0, damping=0.35),
            "object_following": ObjectFollowing(on=True),
        },
        # of its own body an actor sees how far exploration has thrown it, leans on that, and fails without; what moves
        # about has to see it, for its balance
        observations={
            **system.observations,
            "actor": {**system.observations["actor"], "human": Observe(observations.human_state, when="moving")},
        },
        goal={
            **system.goal,
            "joints": Goal(observations.joint_goal, when="moving"),
            "reference": Goal(observations.reference_goal, when="standing"),
        },
        # hands that follow an object 5 cm and 30 degrees off are as far from the clip's: at 8 cm three in four of such
        # episodes end for it, and what is learned is not to follow
        terminations={**system.terminations, "fingertips": Termination(terminations.fingertips, 0.2)},
        resets=ResetConfig(
            pre_contact=0.5, displace="first", plan_states=0.3, onset=0.2, visited=0.1, joint_noise_rad=0.02
        ),
        # what is judged as hard, but for noise on the targets, of which exploration has enough
        randomization=Randomization(0.05, pi / 6, (0.5, 2.0), (0.5, 1.3), push_m_s=0.5),
        ppo=replace(
            system.ppo,
            actor_learning_rate=1e-4,
            target_kl=0.01,
            critic_warmup=5,
            actor_ema=0.9,
            # where all explore alike, what is learned leans on that noise, and fails without
            exploration_range=(0.3, 1.0),
        ),
        network=replace(system.network, output_scale=0.0, log_std=-1.6),
    )


_SMALL_PPO = Ppo(
    environments=256,
    minibatch=2048,
    epochs=2,
    gamma=0.97,
    actor_learning_rate=1e-4,
    critic_learning_rate=1e-3,
    value_clip=None,
    normalise_value=False,
    reward_scale=0.03,
)
_SMALL_NETWORK = NetworkConfig(
    token_width=64,
    token_layers=2,
    transformer_layers=1,
    heads=4,
    feedforward_width=128,
    actor_widths=(256, 256),
    critic_widths=(256, 256),
    log_std=-2.3,
)


def choose_preset(platform: str) -> tuple[Preset, str]:
    """What `--preset=auto` takes on a JAX platform, and why."""
    if platform == "cpu":
        return "cpu", "no accelerator: paper-size networks would take 90 % of the time here"
    return "paper", f"a {platform} carries 4,096 environments and paper-size networks"
