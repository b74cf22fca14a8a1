"""An arm with a gripper that does to an object what a clip's human did: carries a box along its path.

Another body than DeVI's, by the same table: joints are hinges and slides, the world holds the root, PD runs at twice
the policy's rate. The reference knows how to grip the object where it stands, and no more: to carry it is learned, from
the object's path alone. With `--arm-reference=follow` the reference carries it too, as a yardstick.
"""

import math
from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.exploration import Exploration
from devi_jax.systems.system import System
from envs import rewards
from envs.physics import Timing
from envs.rewards import Reward, hand_contact, measured
from envs.tracking import observations
from envs.tracking.config import ActionConfig, ActionScale, CurriculumConfig, ResetConfig
from envs.tracking.observations import Goal, Observe
from envs.tracking.randomization import Randomization
from envs.tracking.terminations import Termination, Untouched


def arm_state(state: SimState) -> Float[Array, "30"]:
    """Positions (9) and rates (9) of hinges and slides, rad or m, fingertips from the object (6) and from the base (6),
    metres, in the base's axes."""
    assert state.scalars is not None and state.scalar_rates is not None and state.object_position is not None
    to_object = (state.object_position[None] - state.tips).reshape(-1)
    return jnp.concatenate(
        [state.scalars, state.scalar_rates, to_object, (state.tips - state.position[:1]).reshape(-1)]
    )


def arm_goal(state: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """How far each joint's reference is, 9 numbers a target frame."""
    assert state.scalars is not None
    return jnp.concatenate([t.scalars - state.scalars for t in targets if t.scalars is not None])


@measured("m", needs="object_position", gate=hand_contact)
def grip_distance(state: SimState, reference: ReferenceState) -> Float[Array, "1"]:
    """Horizontal distance of the grasp centre from the object where it should be held, metres."""
    assert state.object_position is not None
    away = (jnp.mean(state.tips, axis=0) - state.object_position)[:2]
    return jnp.sqrt(jnp.sum(away**2) + 1e-12)[None]


@measured("m", needs="object_position")
def object_away(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Distance of the object from its reference, metres."""
    return rewards.object_position(state, reference)


def capsule_arm(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """The system, at one of DeVI's two sizes; its targets are residuals in either recipe."""
    base = devi(preset, recipe)
    return replace(
        base,
        name="capsule_arm",
        embodiment="capsule_arm",
        timing=Timing(policy_hz=30.0, control_hz=60.0),
        action=ActionConfig(scale=ActionScale(arm=0.8, wrist=0.8, gripper=0.02)),
        observations={
            "actor": {"arm": Observe(arm_state), "object": Observe(observations.object_state)},
            "critic": {},
        },
        goal={"joints": Goal(arm_goal), "object": Goal(observations.object_goal)},
        goal_frames=(1, 5, 15),
        rewards={
            "object_position": Reward(rewards.object_position, sharpness=200.0),
            "object_rotation": Reward(rewards.object_rotation, sharpness=1.0),
            "grip_distance": Reward(grip_distance, sharpness=200.0),
            "power": Reward(rewards.joint_power, shape="exponential", sharpness=0.2),
        },
        terminations={"object_away": Termination(object_away, 0.15)},
        controllers={},
        resets=ResetConfig(pre_contact=0.7, lead=8, visited=0.2),
        randomization=Randomization(),
        exploration=Exploration(),
        curriculum=CurriculumConfig(),
        network=replace(base.network, output_scale=0.0, log_std=-2.2, learn_log_std=False, log_std_range=math.inf),
        ppo=replace(base.ppo, actor_learning_rate=5e-4, critic_warmup=0, target_kl=0.03, actor_ema=0.0),
    )
