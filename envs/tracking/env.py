"""The tracking environment: follow clips in physics. Pure functions of one environment; the learner adds the batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from devi_jax.core.environment import Observation, Transition
from devi_jax.core.sim_state import SimState
from envs.control import Controller
from envs.physics import Control, Physics, PhysicsState, Variation
from envs.rewards import Rewards
from envs.tracking import curriculum as curricula
from envs.tracking.actions import Action
from envs.tracking.config import STILL, TaskConfig
from envs.tracking.curriculum import Curriculum
from envs.tracking.motion_library import MotionLibrary
from envs.tracking.observations import Observations
from envs.tracking.randomization import Randomization, kick, pushed, randomize
from envs.tracking.reference import Reference
from envs.tracking.resets import disturbed_pose, start_frame
from envs.tracking.state import PlanStates, TrackingState
from envs.tracking.target_noise import TargetNoise, disturbed
from envs.tracking.terminations import Terminations, count_untouched

ONSET_S = 0.5, 1 / 3
"""Seconds before and after contact onset between which `ResetConfig.onset` starts."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["library", "planned"],
    meta_fields=["physics", "config", "observations", "rewards", "terminations", "controllers", "action"],
)
@dataclass(frozen=True, eq=False)
class TrackingEnvironment:
    """Clips, a physics and a system's tables. Implements `devi_jax.core.environment.Environment`.

    A pytree of its clips: what is compiled for some serves every plan, every grade and every other clip of their
    number and length.
    """

    physics: Physics
    library: MotionLibrary
    config: TaskConfig
    observations: Observations
    rewards: Rewards
    terminations: Terminations
    controllers: "Controllers"
    action: Action
    planned: PlanStates | None = None

    @property
    def reference(self) -> Reference:
        """The reference of the first clip: of an environment of one clip, its only one."""
        return self.library.single()

    @property
    def frames(self) -> int:
        """Frames of the longest clip."""
        return self.library.frames

    def only(self, clip: int) -> "TrackingEnvironment":
        """The environment of one of the clips alone, by the same compiled programs as of any other."""
        planned = None if self.planned is None else jax.tree.map(lambda x: x[clip : clip + 1], self.planned)
        return replace(self, library=self.library.only(clip), planned=planned)

    @property
    def policy_hz(self) -> float:
        """Steps, and frames of the clips, a second."""
        return self.physics.timing.policy_hz

    def with_targets(self, target: Float[Array, "T R 4"]) -> "TrackingEnvironment":
        """The environment of one clip with other PD targets of the joints, a plan's."""
        return replace(self, library=self.library.with_targets(target))

    @property
    def observation_sizes(self) -> dict:
        """Token lengths: of DeVI human 778, object 15 (if there is one), goal 468 a future frame."""
        return self._observation_sizes

    @cached_property
    def _observation_sizes(self) -> dict:
        # a trace of a second, asked for several times while a run is loaded
        shapes = jax.eval_shape(lambda: self.observe(self.start(jnp.zeros((), jnp.int32))))
        return jax.tree.map(lambda x: x.shape[-1], shapes)

    @property
    def action_size(self) -> int:
        """Numbers of an action."""
        return self.action.size

    def first_curriculum(self) -> Curriculum:
        """Nothing learned yet about where to start."""
        start = self.start(jnp.zeros((), jnp.int32))
        return curricula.first_curriculum(self.config.curriculum, self.library.clips, self.frames, start)

    def learned(self, curriculum: Curriculum, states: TrackingState, transitions: Transition) -> Curriculum:
        """The curriculum after S steps of N environments from `states` (S, N, ...)."""
        ends = (transitions.terminated, transitions.terminated | transitions.truncated)
        where = curricula.Where(self.library.clips, states.clip, states.t)
        return curricula.learned(self.config.curriculum, curriculum, states, where, transitions.reward, *ends)

    def reset(self, key: PRNGKeyArray, curriculum: Curriculum) -> TrackingState:
        """Draw a clip, and start it at frame 0 or before contact, in a state of its plan, or in one of the policy's."""
        config, library, keys = self.config, self.library, jax.random.split(key, 7)
        clip = curricula.draw_clip(jax.random.fold_in(key, 1), config.curriculum, curriculum, library.length)
        scale = curricula.termination_scale(config.curriculum, curriculum)
        first = start_frame(keys[0], library.pre_contact[clip], config.resets)
        state = self.start(first, keys[1], clip)
        place = jnp.asarray((first == 0) | (config.resets.displace == "all"), jnp.float32)
        state = replace(state, physics=randomize(self.physics, state.physics, keys[2], config.randomization, place))
        where = jax.random.uniform(keys[3])
        when = curricula.draw_bin(keys[4], config.curriculum, curriculum, clip, library.length)
        if self.planned is not None:
            low, high = self._onset_window(clip)
            inside = jax.random.randint(keys[5], (), 0, config.curriculum.bin_frames)
            somewhere = jnp.minimum(when * config.curriculum.bin_frames + inside, library.last(clip) - 1)
            near = jax.random.randint(keys[5], (), low, high)
            t = jnp.where(where < config.resets.plan_states, somewhere, near)
            planned = self._planned_state(self.planned, clip, jnp.minimum(t, self.planned.length[clip] - 1), keys[6])
            state = _where(where < config.resets.plan_states + config.resets.onset, planned, state)
        bin_ = curricula.bin_of(curriculum, library.clips, clip, when)
        visited = jax.tree.map(lambda x: x[bin_], curriculum.visited)
        chosen = (where > 1 - config.resets.visited) & jnp.isfinite(curriculum.visited_score[bin_])
        state = replace(_where(chosen, visited, state), termination_scale=scale)
        return state if state.noise is None else replace(state, noise=jax.random.fold_in(key, 2))

    def _onset_window(self, clip: Int[Array, ""]) -> tuple[Int[Array, ""], Int[Array, ""]]:
        last, onset = self.library.last(clip), self.library.onset[clip]
        before, after = (round(seconds * self.policy_hz) for seconds in ONSET_S)
        return jnp.maximum(0, jnp.minimum(onset - before, last - 1)), jnp.maximum(1, jnp.minimum(onset + after, last))

    def _planned_state(
        self, planned: PlanStates, clip: Int[Array, ""], t: Int[Array, ""], key: PRNGKeyArray
    ) -> TrackingState:
        """A state of the plan at frame t, in one of its conditions, with an object of another mass and friction."""
        variants = planned.states.qpos.shape[2]
        pick, other = jax.random.split(key)
        v = jax.random.randint(pick, (), 0, variants)
        physics, memory = jax.tree.map(lambda x: x[clip, t, v], (planned.states, planned.memory))
        # in the hand an object cannot be moved, but it can be another one
        by = replace(self.config.randomization, object_m=0.0, object_rad=0.0)
        return self._begin(randomize(self.physics, physics, other, by), clip, t, memory)[0]

    def start(
        self, t: Int[Array, ""], key: PRNGKeyArray | None = None, clip: Int[Array, ""] | int = 0
    ) -> TrackingState:
        """State at frame t of a clip; with a key, joint rotations are disturbed as the reset asks."""
        clip = jnp.asarray(clip, jnp.int32)
        pose, velocity = self.library.pose(clip, t), self.library.velocity(clip, t)
        if key is not None and self.config.resets.joint_noise_rad > 0:
            pose = disturbed_pose(pose, self.config.resets.joint_noise_rad, key)
        physics = self.physics.init(pose, velocity, self._variation(clip))
        return self._begin(physics, clip, t)[0]

    def _variation(self, clip: Int[Array, ""]) -> Variation:
        return Variation(thing=self.library.thing[clip])

    def _begin(
        self, physics: PhysicsState, clip: Int[Array, ""], t, memory: dict[str, Array] | None = None
    ) -> tuple[TrackingState, SimState]:
        """The first state of an episode, and what it shows. `memory`: of what was before it."""
        state, seen = self._state(physics, clip, t, jnp.ones(()), memory or {})
        if self.terminations.counts_contact:
            state = replace(state, untouched=jnp.zeros(len(seen.contact_n), jnp.int32))
        if (past := self.observations.longest - 1) > 0:
            state = replace(state, past=jax.tree.map(lambda x: jnp.broadcast_to(x, (past, *x.shape)), seen))
        if self.observations.noisy or self._is_shaken:
            state = replace(state, noise=jax.random.key(0))
        return state, seen

    def _state(self, physics: PhysicsState, clip, t, scale, before: dict[str, Array]) -> tuple[TrackingState, SimState]:
        """A state and what it shows, which is read once and serves controllers, reward and observation."""
        seen, t = self.physics.read(physics), jnp.asarray(t, jnp.int32)
        commands, memory = self._commands(seen, clip, t, before)
        return TrackingState(physics, clip, t, scale, commands, memory), seen

    def _commands(
        self, seen: SimState, clip: Int[Array, ""], t: Int[Array, ""], before: dict[str, Array]
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """What controllers add in the next step, and what they keep."""
        noted, rows = self.library.noted(clip, t), self.controllers.rows
        if not noted:
            return {}, {}
        reference = self.library.at(clip, jnp.minimum(t, self.library.last(clip)))
        kept = {name: rows[name].remember(seen, own, before.get(name)) for name, own in noted.items()}
        commands = {
            name: rows[name].command(self.physics, seen, reference, own, kept[name]) for name, own in noted.items()
        }
        return commands, {name: memory for name, memory in kept.items() if memory is not None}

    def frame(self, state: TrackingState) -> SimState:
        """What the simulation shows."""
        return self.physics.read(state.physics)

    def observe(self, state: TrackingState) -> Observation:
        """Observation tokens of a state."""
        return self._tokens(self.frame(state), state)

    def control(self, state: TrackingState, action: Float[Array, " A"], noise: TargetNoise | None = None) -> Control:
        """PD targets for the step from frame t to t + 1."""
        target, given = self.library.target(state.clip, state.t), self.library.action(state.clip, state.t)
        rows = self.controllers.rows

        def bend(turns):
            for name, command in state.commands.items():
                turns = rows[name].bend(turns, command)
            return turns

        control = self.action.decode(action, target, given, bend)
        for name, command in state.commands.items() if self.action.residual else ():
            control = rows[name].correct(control, command)
        return control if noise is None else disturbed(control, noise, self._hinges)

    @property
    def _hinges(self) -> tuple[bool, ...]:
        """Which of the body's scalar joints are hinges, the others slides."""
        kinds = [joint.kind for joint in self.physics.scene.embodiment.joints]
        return tuple(kind == "hinge" for kind in kinds if kind in ("hinge", "slide"))

    @property
    def calm(self) -> "TrackingEnvironment":
        """The environment whose episodes nothing pushes or shakes, in which to evaluate."""
        return self.shaken(STILL)

    def shaken(self, by: Randomization) -> "TrackingEnvironment":
        """The environment whose episodes are pushed, and their targets disturbed, as `by` says."""
        randomization = replace(self.config.randomization, push_m_s=by.push_m_s, joint_rad=by.joint_rad)
        return replace(self, config=replace(self.config, randomization=randomization))

    @property
    def _is_shaken(self) -> bool:
        """Whether anything disturbs an episode on its way."""
        return self.config.randomization.push_m_s > 0 or self.config.randomization.joint_rad > 0

    def pushed(self, state: TrackingState, kick_m_s: Float[Array, "2"]) -> TrackingState:
        """The state with another horizontal velocity of its root, where nothing holds that in its place."""
        return replace(state, physics=pushed(self.physics, state.physics, kick_m_s))

    def _disturb(self, state: TrackingState) -> tuple[TrackingState, TargetNoise | None]:
        """Pushed as often as once in the time of the clip, and the noise of targets that are not quite met."""
        if not self._is_shaken:
            return state, None
        assert state.noise is not None
        by, key = self.config.randomization, jax.random.fold_in(jax.random.fold_in(state.noise, 1), state.t)
        when, where, noise = jax.random.split(key, 3)
        if by.push_m_s > 0:
            now = jax.random.uniform(when) * self.library.length[state.clip].astype(jnp.float32) < 1
            state = self.pushed(state, kick(where, jnp.where(now, by.push_m_s, 0.0)))
        return state, TargetNoise(noise, by.joint_rad) if by.joint_rad > 0 else None

    def advance(
        self, state: TrackingState, action: Float[Array, " A"], noise: TargetNoise | None = None
    ) -> tuple[TrackingState, SimState]:
        """The physics of one step alone: the state after it, and what it shows."""
        physics, control = state.physics, self.control(state, action, noise)
        for _ in range(self.physics.timing.hold):
            physics = self.physics.step(physics, control)
        after, seen = self._state(physics, state.clip, state.t + 1, state.termination_scale, state.memory)
        return replace(after, untouched=state.untouched, past=state.past, noise=state.noise), seen

    def step(
        self, state: TrackingState, action: Float[Array, " A"], noise: TargetNoise | None = None
    ) -> tuple[TrackingState, Transition]:
        """One control interval towards the next frame of the clip; never resets. `noise`: instead of its own."""
        state, own = self._disturb(state)
        after, seen = self.advance(state, action, own if noise is None else noise)
        reference = self.library.at(after.clip, after.t)
        if state.untouched is not None:
            after = replace(after, untouched=count_untouched(state.untouched, seen, reference))
        if state.past is not None:
            before = self.physics.read(state.physics)
            after = replace(
                after, past=jax.tree.map(lambda new, x: jnp.concatenate([new[None], x[:-1]]), before, state.past)
            )
        reward, errors = self.rewards(self._accelerated(seen, state.physics, after.physics), reference)
        terminated = self.terminations(seen, reference, state.termination_scale, after.untouched)
        transition = Transition(
            observation=self._tokens(seen, after),
            reward=reward,
            terminated=terminated,
            truncated=~terminated & (after.t >= self.library.last(after.clip)),
            metrics=errors,
        )
        return after, transition

    def _accelerated(self, seen: SimState, before: PhysicsState, after: PhysicsState) -> SimState:
        """The state with accelerations over the control step that led to it; compiled away where no term asks."""
        joints = self.policy_hz * (self.physics.joint_angular(after) - self.physics.joint_angular(before))
        seen = replace(seen, joint_acceleration=joints, step_hz=jnp.asarray(self.policy_hz, jnp.float32))
        if not self.physics.has_object:
            return seen
        rates = [(f.object_linear_velocity, f.object_angular_velocity) for f in (self.physics.read(before), seen)]
        old, new = (jnp.stack([x for x in pair if x is not None]) for pair in rates)
        return replace(seen, object_acceleration=self.policy_hz * (new - old))

    def _tokens(self, seen: SimState, state: TrackingState) -> Observation:
        ahead = tuple(self.library.at(state.clip, state.t + k) for k in self.observations.goal_frames)
        past = () if state.past is None else tuple(_at(state.past, k) for k in range(self.observations.longest - 1))
        key = jax.random.fold_in(state.noise, state.t) if state.noise is not None and self.observations.noisy else None
        return self.observations((seen, *past), ahead, key)


@dataclass(frozen=True, eq=False)
class Controllers:
    """The controllers of a system, by name."""

    rows: Mapping[str, Controller] = field(default_factory=dict)


def _at(states: SimState, k: int) -> SimState:
    return jax.tree.map(lambda x: x[k], states)


def _where(condition, chosen: TrackingState, otherwise: TrackingState) -> TrackingState:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), chosen, otherwise)
