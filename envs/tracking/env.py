"""The tracking environment: follow a clip in physics. Pure functions of one environment; the learner adds the batch."""

import math
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from devi_jax.core import rotations as rot
from devi_jax.core.environment import Observation, Transition
from devi_jax.core.sim_state import SimState
from envs.control.ankle_balance import ANKLES, ankle_turns, centre_of_mass, centre_velocity, segments
from envs.control.ground_reaction import LEGS, Goal, footing_turns
from envs.physics import CONTROL_HZ, Control, Physics, PhysicsState
from envs.rewards import Rewards
from envs.tracking import curriculum as curricula
from envs.tracking import observations as observe
from envs.tracking.actions import absolute_control, reach_rad, residual_control
from envs.tracking.config import EnvironmentConfig
from envs.tracking.curriculum import Curriculum
from envs.tracking.randomization import disturb
from envs.tracking.reference import Reference
from envs.tracking.resets import start_frame
from envs.tracking.terminations import failed, silent_steps


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrackingState:
    """Simulated state, the clip's frame it stands for, and the factor on the bounds at which its episode fails.

    `ankles`: by how much balance will turn both ankles in the next step. `silent`: for how many steps each hand that
    should touch the object has felt nothing; `None` where no episode ends by that. `legs`: by how much the forces under
    the feet will turn the legs in the next step; `None` where nothing shares them.
    """

    physics: PhysicsState
    t: Int[Array, ""]
    leniency: Float[Array, ""]
    ankles: Float[Array, "2 3"]
    silent: Int[Array, "2"] | None = None
    legs: Float[Array, "8 3"] | None = None


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["reference", "planned"],
    meta_fields=["physics", "config", "rewards", "pre_contact", "onset", "joints"],
)
@dataclass(frozen=True, eq=False)
class TrackingEnvironment:
    """A clip, a physics and a recipe of reward terms. Implements `devi_jax.core.environment.Environment`.

    A pytree of its reference: what is compiled for one clip's length serves every plan and every grade of it.
    `pre_contact`, `onset`: last frame before contact and first frame of it. `joints`: those that actions turn.
    `planned`: states (L, V, ...) that a plan leads through from frame 0, in V conditions, to start from.
    """

    physics: Physics
    reference: Reference
    config: EnvironmentConfig
    rewards: Rewards
    pre_contact: int
    onset: int
    joints: tuple[int, ...]
    planned: PhysicsState | None = None

    @property
    def observation_sizes(self) -> dict[str, int]:
        """Token lengths: human 778, object 15 (if there is one), goal 468 a future frame, 477 with the object's."""
        goal = observe.GOAL_SIZE + (observe.GOAL_OBJECT_SIZE if self._aims_object else 0)
        sizes = {"human": observe.HUMAN_SIZE, "goal": goal * len(self.config.goal_offsets)}
        return {**sizes, "object": observe.OBJECT_SIZE} if self.physics.has_object else sizes

    @property
    def action_size(self) -> int:
        """Three numbers for each joint that actions turn."""
        return 3 * len(self.joints)

    def first_curriculum(self) -> Curriculum:
        """Nothing learned yet about where to start."""
        return curricula.first_curriculum(
            self.config.curriculum, self.reference.frames, self.start(jnp.zeros((), jnp.int32))
        )

    def learned(self, curriculum: Curriculum, states: TrackingState, transitions: Transition) -> Curriculum:
        """The curriculum after S steps of N environments from `states` (S, N, ...)."""
        ends = (transitions.terminated, transitions.terminated | transitions.truncated)
        return curricula.learned(self.config.curriculum, curriculum, states, states.t, transitions.reward, *ends)

    def reset(self, key: PRNGKeyArray, curriculum: Curriculum) -> TrackingState:
        """Start on the reference at frame 0 or before contact, in a state of the plan, or in one of the policy's."""
        config, keys = self.config.reset, jax.random.split(key, 7)
        leniency = curricula.leniency(self.config.curriculum, curriculum)
        state = self.start(start_frame(keys[0], self.pre_contact, config), keys[1])
        state = replace(state, physics=disturb(self.physics, state.physics, keys[2], config.disturbance))
        where, when = jax.random.uniform(keys[3]), curricula.draw_bin(keys[4], self.config.curriculum, curriculum)
        if self.planned is not None:
            low, high = self._onset_window
            inside = jax.random.randint(keys[5], (), 0, self.config.curriculum.bin_frames)
            somewhere = jnp.minimum(when * self.config.curriculum.bin_frames + inside, self.reference.frames - 2)
            near = jax.random.randint(keys[5], (), low, high)
            t = jnp.minimum(jnp.where(where < config.planned, somewhere, near), self.planned.qpos.shape[0] - 1)
            state = _where(where < config.planned + config.onset, self._planned_state(t, keys[6]), state)
        own = jax.tree.map(lambda x: x[when], curriculum.own)
        chosen = (where > 1 - config.own) & jnp.isfinite(curriculum.own_score[when])
        return replace(_where(chosen, own, state), leniency=leniency)

    @property
    def _onset_window(self) -> tuple[int, int]:
        last = self.reference.frames - 1
        return max(0, min(self.onset - 15, last - 1)), max(1, min(self.onset + 10, last))

    def _planned_state(self, t: Int[Array, ""], key: PRNGKeyArray) -> TrackingState:
        """A state of the plan at frame t, in one of its conditions, with an object of another mass and friction."""
        assert self.planned is not None
        variants = self.planned.qpos.shape[1]
        pick, other = jax.random.split(key)
        v = jax.random.randint(pick, (), 0, variants)
        physics = jax.tree.map(lambda x: x[t, v], self.planned)
        # in the hand an object cannot be moved, but it can be another one
        by = replace(self.config.reset.disturbance, object_m=0.0, object_rad=0.0)
        return self._state(disturb(self.physics, physics, other, by), t, jnp.ones(()))[0]

    def start(self, t: Int[Array, ""], key: PRNGKeyArray | None = None) -> TrackingState:
        """State at frame t of the reference; with a key, joint rotations are disturbed as the reset asks."""
        pose, velocity = self.reference.pose(t), self.reference.velocity(t)
        if key is not None and self.config.reset.joint_noise_rad > 0:
            noise = self.config.reset.joint_noise_rad * jax.random.normal(key, (51, 3))
            joints = rot.quat_mul(pose.rotation[1:], rot.quat_exp(noise))
            pose = type(pose)(jnp.concatenate([pose.rotation[:1], joints]), pose.root_position, pose.object)
        return self._state(self.physics.init(pose, velocity), t, jnp.ones(()))[0]

    def _state(self, physics: PhysicsState, t, leniency) -> tuple[TrackingState, SimState]:
        """A state and its frame, which is read once and serves balance, reward and observation."""
        frame, t = self.physics.read(physics), jnp.asarray(t, jnp.int32)
        silent = jnp.zeros(2, jnp.int32) if math.isfinite(self.config.termination.silent_steps) else None
        return TrackingState(physics, t, leniency, self._balance(frame, t), silent, self._footing(frame, t)), frame

    def frame(self, state: TrackingState) -> SimState:
        """What the simulation shows."""
        return self.physics.read(state.physics)

    def observe(self, state: TrackingState) -> Observation:
        """Observation tokens of a state."""
        return self._tokens(self.frame(state), state.t)

    def control(self, state: TrackingState, action: Float[Array, " A"]) -> Control:
        """PD targets for the step from frame t to t + 1."""
        i, config = jnp.minimum(state.t, self.reference.frames - 1), self.config.action
        target, target_root = self.reference.target[i], self.reference.target_root[i]
        if config.mode == "absolute":
            return absolute_control(action, target[0], target_root)
        turns = self.turns(action)
        turns = turns.at[ANKLES - 1].add(state.ankles)
        control = residual_control(turns, target, target_root)
        if state.legs is None:
            return control
        # after the action's turns, which a plan folds into the targets: turns this large do not add up
        legs = rot.quat_mul(control.rotation[LEGS], rot.quat_exp(state.legs))
        return replace(control, rotation=control.rotation.at[LEGS].set(legs))

    def _balance(self, frame: SimState, t: Int[Array, ""]) -> Float[Array, "2 3"]:
        config = self.config.action
        if not config.balance or self.physics.scene.root != "free" or self.reference.wrench is not None:
            return jnp.zeros((2, 3))
        of, i = segments(self.physics.model), jnp.minimum(t, self.reference.frames - 1)
        stray = centre_of_mass(of, frame.position, frame.rotation) - self.reference.centre[i]
        velocity = centre_velocity(of, frame.rotation, frame.linear_velocity, frame.angular_velocity)
        drift = velocity - self.reference.centre_velocity[i]
        return ankle_turns(stray, drift, frame.rotation, config.balance, config.balance * config.balance_damping)

    def _footing(self, frame: SimState, t: Int[Array, ""]) -> Float[Array, "8 3"] | None:
        i, reference = jnp.minimum(t, self.reference.frames - 1), self.reference
        if reference.wrench is None or reference.share is None:
            return None
        goal = Goal(
            wrench=reference.wrench[i],
            share=reference.share[i],
            centre=reference.centre[i],
            centre_velocity=reference.centre_velocity[i],
            position=reference.position[i],
            rotation=reference.rotation[i],
            spin=reference.angular_velocity[i, 0],
        )
        return footing_turns(self.physics.model, self.physics.scene.gains, frame, goal, self.config.action.footing)

    def turns(self, action: Float[Array, "*B A"]) -> Float[Array, "*B 51 3"]:
        """Rotation vectors that a residual action stands for, radians; zero for joints it does not turn."""
        given = action.reshape(*action.shape[:-1], len(self.joints), 3) * reach_rad(self.config.action, self.joints)
        index = np.array(self.joints) - 1
        return jnp.zeros((*action.shape[:-1], 51, 3)).at[..., index, :].set(given)

    def actions(self, turns: Float[Array, "*B 51 3"]) -> Float[Array, "*B A"]:
        """Inverse of `turns`, for the joints that actions turn; what the others should do is lost."""
        given = turns[..., np.array(self.joints) - 1, :] / reach_rad(self.config.action, self.joints)
        return given.reshape(*turns.shape[:-2], self.action_size)

    def advance(self, state: TrackingState, action: Float[Array, " A"]) -> tuple[TrackingState, SimState]:
        """The physics of one step alone: the state after it, and what it shows."""
        physics = self.physics.step(state.physics, self.control(state, action))
        return self._state(physics, state.t + 1, state.leniency)

    def step(self, state: TrackingState, action: Float[Array, " A"]) -> tuple[TrackingState, Transition]:
        """One control interval towards the next frame of the clip; never resets."""
        after, frame = self.advance(state, action)
        target = self.reference.at(after.t)
        if state.silent is not None:
            after = replace(after, silent=silent_steps(state.silent, frame, target))
        reward, errors = self.rewards(self._accelerated(frame, state.physics, after.physics), target)
        terminated = failed(frame, target, self.config.termination, state.leniency, after.silent)
        transition = Transition(
            observation=self._tokens(frame, after.t),
            reward=reward,
            terminated=terminated,
            truncated=~terminated & (after.t >= self.reference.frames - 1),
            metrics=errors,
        )
        return after, transition

    def _accelerated(self, frame: SimState, before: PhysicsState, after: PhysicsState) -> SimState:
        """The frame with accelerations over the control step that led to it; compiled away where no term asks."""
        joints = CONTROL_HZ * (self.physics.joint_angular(after) - self.physics.joint_angular(before))
        frame = replace(frame, joint_acceleration=joints)
        if not self.physics.has_object:
            return frame
        rates = [(f.object_linear_velocity, f.object_angular_velocity) for f in (self.physics.read(before), frame)]
        old, new = (jnp.stack([x for x in pair if x is not None]) for pair in rates)
        return replace(frame, object_acceleration=CONTROL_HZ * (new - old))

    @property
    def _aims_object(self) -> bool:
        return self.config.goal_object and self.physics.has_object

    def _tokens(self, frame: SimState, t: Int[Array, ""]) -> Observation:
        targets = tuple(self.reference.at(t + k) for k in self.config.goal_offsets)
        goal = observe.goal(frame, targets)
        if self._aims_object:
            goal = jnp.concatenate([goal, observe.object_goal(frame, targets)])
        tokens = {"human": observe.human_state(frame), "goal": goal}
        return {**tokens, "object": observe.object_state(frame)} if self.physics.has_object else tokens


def _where(condition, chosen: TrackingState, otherwise: TrackingState) -> TrackingState:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), chosen, otherwise)
