"""Search in the simulator for targets that do the task, and simulate the states they lead through.

The score is the recipe's own reward, through the environment's own functions. A plan is open loop.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from agents.sampling_mpc import Planned, Planner, PlannerConfig
from devi_jax.core import rotations as rot
from devi_jax.core.errors import ConfigError
from envs.control.hand_task_space import task_space
from envs.physics import PhysicsState
from envs.tracking.actions import HandTaskSpace, JointAbsolute, JointResidual
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import Randomization, randomize
from envs.tracking.state import PlanStates, TrackingState

Watch = Callable[[float, float], None]
"""Hears of the share of the clip that is planned, and of the latest window's mean reward in its worst condition."""

LEAD_S = 1 / 3
"""Seconds before contact at which a plan may begin to leave the reference."""
FALL_S = 1.5
"""Seconds before a fall is seen at which a plan begins to avert it."""


@dataclass(frozen=True)
class PlanConfig:
    """What is searched, and when enough is found."""

    search: PlannerConfig = PlannerConfig(samples=48, variants=4)
    """The search itself."""
    conditions: Randomization = Randomization(object_m=0.01, object_rad=0.13, mass=(0.7, 1.5), friction=(0.75, 1.2))
    """How the variants differ that every candidate must bear; the first one is always the clip as it is."""
    attempts: int = 3
    """Searches at most, each with fresh candidates and conditions."""
    rank: Literal["success", "reward"] = "success"
    """By what the best attempt is taken: by success and the share of perturbed starts, which ask where the object is in
    space, or by the mean reward from these starts, which asks what the system asks. By reward every attempt is made,
    and `enough` is of no effect."""
    enough: float = 0.9
    """Share of perturbed starts that targets must carry to be taken at once, else the best attempt is: searches of one
    clip differ much, and another one takes less time than learning to make an uncertain grasp sure."""


def search(
    environment: TrackingEnvironment,
    config: PlanConfig,
    key: PRNGKeyArray,
    falls: int | None = None,
    watch: Watch | None = None,
) -> Planned:
    """One search over the clip, of hands from shortly before contact; where the body `falls` at a frame also of legs,
    and of both from before that."""
    start_key, search_key, environment = *jax.random.split(key), environment.shaken(config.conditions)
    config = config if environment.physics.has_object else replace(config, search=unvaried(config.search))
    planner = Planner(environment, basis(environment, falls is not None), config.search, lighter)
    begin = int(environment.library.onset[0]) - round(LEAD_S * environment.policy_hz)
    if falls is not None:
        begin = max(0, min(begin, falls - round(FALL_S * environment.policy_hz)))
    last = planner.frames - 1
    tell = watch and (lambda frame, score: watch(frame / last, score))
    return planner.search(variants(environment, config, start_key), search_key, begin, tell)


def unvaried(config: PlannerConfig) -> PlannerConfig:
    """For a clip without an object, whose conditions would all be the same: as many more candidates instead."""
    return replace(config, variants=1, samples=config.samples * config.variants)


def lighter(state: TrackingState, share: Float[Array, ""]) -> TrackingState:
    """The same moment with an object of less weight, by up to nine tenths, that slips less."""
    of = state.physics.variation
    variation = replace(of, mass=of.mass * (1 - 0.9 * share), friction=of.friction * (1 + share))
    return replace(state, physics=replace(state.physics, variation=variation))


def basis(environment: TrackingEnvironment, legs: bool = False) -> Float[Array, "T D A"]:
    """What one unit of each task-space number is in actions."""
    reference = environment.reference
    position, rotation, contact = (
        np.asarray(x, float) for x in (reference.position, reference.rotation, reference.contact)
    )
    action = environment.action
    if isinstance(action, HandTaskSpace):  # its numbers are these
        return jnp.broadcast_to(jnp.eye(action.size), (len(position), action.size, action.size))
    residual = action.around if isinstance(action, JointAbsolute) else action
    if not isinstance(residual, JointResidual):
        raise ConfigError(
            f"nothing is known of how to search in {type(action).__name__}",
            where="--plan, --action.mode",
            valid="actions of joints, or of the hand task space",
            fix="add --plan=none",
        )
    return residual.from_turns(jnp.asarray(task_space(position, rotation, contact, legs).basis, jnp.float32))


def fold(environment: TrackingEnvironment, planned: Planned) -> TrackingEnvironment:
    """The environment whose targets are the plan's: its zero action replays the plan."""
    reference = environment.reference
    turns = environment.action.turns(jnp.concatenate([planned.actions, planned.actions[-1:]]), reference.action)
    joints = rot.quat_mul(reference.target[:, 1:], rot.quat_exp(turns))
    return environment.with_targets(jnp.concatenate([reference.target[:, :1], joints], axis=1))


def with_states(environment: TrackingEnvironment, config: PlanConfig, key: PRNGKeyArray) -> TrackingEnvironment:
    """The environment with the states that its zero action leads through without failure, in V conditions."""
    frames = environment.reference.frames
    calm = environment.calm
    seen = jax.tree.map(lambda x: x[:frames], states(calm, variants(calm, config, key)))
    physics, memory = living(*seen)
    length = jnp.asarray([physics.qpos.shape[0]], jnp.int32)
    physics, memory = jax.tree.map(lambda x: x[None], (physics, memory))
    return replace(environment, planned=PlanStates(physics, length, memory))


Simulated = tuple[PhysicsState, dict[str, Array]]
"""States, and what controllers keep in them."""


def living(simulated: Simulated, alive: Bool[Array, "T V"]) -> Simulated:
    """States (L, V, ...) until the last of the conditions fails; in each frame those that failed become copies of one
    that did not: an episode that starts after a failure ends at once, and teaches that this time is hard."""
    lives = np.asarray(alive)
    last = int(lives.any(axis=1).sum())
    some = lives[:last].argmax(axis=1)
    pick = np.where(lives[:last], np.arange(lives.shape[1]), some[:, None])
    return jax.tree.map(lambda x: x[np.arange(last)[:, None], pick], simulated)


def variants(environment: TrackingEnvironment, config: PlanConfig, key: PRNGKeyArray) -> TrackingState:
    """The start under each condition (V, ...); the first is the clip's own."""
    start = environment.start(jnp.zeros((), jnp.int32))
    others = [
        replace(
            start,
            physics=randomize(environment.physics, start.physics, k, config.conditions),
            noise=None if start.noise is None else k,
        )
        for k in jax.random.split(key, config.search.variants - 1)
    ]
    return jax.tree.map(lambda *x: jnp.stack(x), start, *others)


@jax.jit
def states(environment: TrackingEnvironment, first: TrackingState) -> tuple[Simulated, Bool[Array, "T V"]]:
    """Simulated states (T, V, ...) of zero action from V starts, and whether no bound was exceeded until then."""
    still = jnp.zeros(environment.action_size)

    def step(carry, _):
        state, alive = carry
        state, transition = jax.vmap(environment.step, in_axes=(0, None))(state, still)
        alive = alive & ~transition.terminated
        return (state, alive), ((state.physics, state.memory), alive)

    start = (first, jnp.ones(first.t.shape[0], bool))
    _, after = jax.lax.scan(step, start, None, length=environment.frames - 1)
    begun = (first.physics, first.memory), start[1]
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), begun, after)
