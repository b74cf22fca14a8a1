"""The tracking environment: follow a clip in physics. Pure functions of one environment; the learner adds the batch."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from devi_jax.core import rotations as rot
from devi_jax.core.frame import Frame
from devi_jax.core.protocols import Observation, Transition
from envs import observe
from envs.action import ACTION_SIZE, absolute_control, residual_control
from envs.config import EnvironmentConfig
from envs.physics import Control, Physics, PhysicsState
from envs.reference import Reference
from envs.reset import start_frame
from envs.terminate import failed
from envs.terms import Rewards


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrackingState:
    """Simulated state and the clip's frame it stands for."""

    physics: PhysicsState
    t: Int[Array, ""]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["reference"],
    meta_fields=["physics", "config", "rewards", "pre_contact"],
)
@dataclass(frozen=True, eq=False)
class TrackingEnvironment:
    """A clip, a physics and a recipe of reward terms. Implements `devi_jax.core.protocols.Environment`.

    A pytree of its reference: what is compiled for one clip's length serves every plan and every grade of it.
    """

    physics: Physics
    reference: Reference
    config: EnvironmentConfig
    rewards: Rewards
    pre_contact: int

    @property
    def observation_sizes(self) -> dict[str, int]:
        """Token lengths: human 778, object 15 (if there is one), goal 468 a future frame."""
        sizes = {"human": observe.HUMAN_SIZE, "goal": observe.GOAL_SIZE * len(self.config.goal_offsets)}
        return {**sizes, "object": observe.OBJECT_SIZE} if self.physics.has_object else sizes

    @property
    def action_size(self) -> int:
        """51 joints, three numbers each."""
        return ACTION_SIZE

    def reset(self, key: PRNGKeyArray) -> TrackingState:
        """Start at frame 0 or just before contact, in the reference's pose and motion."""
        frame_key, noise_key = jax.random.split(key)
        return self.start(start_frame(frame_key, self.pre_contact, self.config.reset), noise_key)

    def start(self, t: Int[Array, ""], key: PRNGKeyArray | None = None) -> TrackingState:
        """State at frame t of the reference; with a key, joint rotations are disturbed as the reset asks."""
        pose, velocity = self.reference.pose(t), self.reference.velocity(t)
        if key is not None and self.config.reset.joint_noise_rad > 0:
            noise = self.config.reset.joint_noise_rad * jax.random.normal(key, (51, 3))
            joints = rot.quat_mul(pose.rotation[1:], rot.quat_exp(noise))
            pose = type(pose)(jnp.concatenate([pose.rotation[:1], joints]), pose.root_position, pose.object)
        return TrackingState(self.physics.init(pose, velocity), jnp.asarray(t, jnp.int32))

    def frame(self, state: TrackingState) -> Frame:
        """What the simulation shows."""
        return self.physics.read(state.physics)

    def observe(self, state: TrackingState) -> Observation:
        """Observation tokens of a state."""
        return self._tokens(self.frame(state), state.t)

    def control(self, state: TrackingState, action: Float[Array, "153"]) -> Control:
        """PD targets for the step from frame t to t + 1."""
        i, action_config = jnp.minimum(state.t, self.reference.frames - 1), self.config.action
        target, target_root = self.reference.target[i], self.reference.target_root[i]
        if action_config.mode == "absolute":
            return absolute_control(action, target[0], target_root)
        return residual_control(action, target, target_root, action_config.scale_rad)

    def step(self, state: TrackingState, action: Float[Array, "153"]) -> tuple[TrackingState, Transition]:
        """One control interval towards the next frame of the clip; never resets."""
        after = TrackingState(self.physics.step(state.physics, self.control(state, action)), state.t + 1)
        frame, target = self.frame(after), self.reference.at(after.t)
        reward, errors = self.rewards(frame, target)
        terminated = failed(frame, target, self.config.termination)
        transition = Transition(
            observation=self._tokens(frame, after.t),
            reward=reward,
            terminated=terminated,
            truncated=~terminated & (after.t >= self.reference.frames - 1),
            metrics=errors,
        )
        return after, transition

    def _tokens(self, frame: Frame, t: Int[Array, ""]) -> Observation:
        targets = tuple(self.reference.at(t + k) for k in self.config.goal_offsets)
        tokens = {"human": observe.human_state(frame), "goal": observe.goal(frame, targets)}
        return {**tokens, "object": observe.object_state(frame)} if self.physics.has_object else tokens
