"""Whole-clip rollouts of a policy, nothing cut off after a fall: what evaluation, films and plots are made of."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from devi_jax.core.environment import Observation
from devi_jax.core.policy import Act, Policy
from devi_jax.core.sim_state import SimState
from devi_jax.evaluation.valid_starts import perturbed_starts
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import Randomization, kick
from envs.tracking.state import TrackingState
from envs.tracking.target_noise import TargetNoise


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rollouts:
    """N rollouts over all T frames of a clip; frame 0 is the start state.

    `frames` has leaves (T, N, ...); `alive` is whether no bound that ends an episode of training has been exceeded yet;
    `target` is the pose of the thing that the object is brought to, in scenes with one. `unmoved`: in how many of them
    nothing but the clip's own place was free for the object.
    """

    frames: SimState
    qpos: Float[Array, "T N nq"]
    reward: Float[Array, "T N"]
    alive: Bool[Array, "T N"]
    target: Float[Array, "T N 7"] | None = None
    unmoved: int = field(default=0, metadata={"static": True})


def zero_policy() -> Policy:
    """Zero action; in residual mode this replays the reference open loop."""
    return Policy(_zero)


def random_policy(environment: TrackingEnvironment, scale: float) -> Policy:
    """Gaussian actions of a given standard deviation."""
    return Policy(_gaussian, jnp.full(environment.action_size, scale))


def roll(
    environment: TrackingEnvironment,
    policy: Policy,
    key: PRNGKeyArray,
    count: int = 1,
    perturbation: Randomization | None = None,
    exact: int = 0,
    replay: bool = False,
) -> Rollouts:
    """Play a policy from frame 0 to the end of the only clip in `count` environments, as one compiled scan.

    `exact`: how many of them, the first ones, are spared the perturbation. `replay`: act with zeros, in the same
    compiled scan; in residual mode that replays the environment's targets open loop.
    """
    if environment.library.clips != 1:
        raise ValueError("rollouts are of one clip: environment.only(k)")
    environment = environment.calm  # what training is disturbed by is no part of what is asked for here
    frames, length = environment.frames, int(environment.library.length[0])
    start_key, push_key, run_key = jax.random.split(key, 3)
    first, unmoved = _starts(environment, count), 0
    pushes, noise_rad = jnp.zeros((frames, count, 2)), jnp.zeros(count)
    if perturbation is not None:
        some = count - exact
        keys = jax.random.split(start_key, some)
        rest = jax.tree.map(lambda x: x[exact:], first)
        rest, unmoved = perturbed_starts(environment, rest, keys, perturbation)
        first = jax.tree.map(lambda a, b: jnp.concatenate([a[:exact], b]), first, rest)
        pushes = pushes.at[:, exact:].set(_draw_pushes(environment, push_key, some, perturbation))
        noise_rad = noise_rad.at[exact:].set(perturbation.joint_rad)
    disturbances = pushes, noise_rad
    parts = policy.parameters, policy.initial_carry(count)
    played = _run(policy.act, environment, parts, first, disturbances, run_key, jnp.asarray(not replay))
    played = jax.tree.map(lambda x: x[:length], played)
    return replace(played, target=target_poses(environment, played.qpos), unmoved=unmoved)


@partial(jax.jit, static_argnums=1)
def _starts(environment: TrackingEnvironment, count: int) -> TrackingState:
    """The clip's start, `count` times."""
    start = environment.start(jnp.zeros((), jnp.int32))
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (count, *x.shape)), start)


def target_poses(environment: TrackingEnvironment, qpos: Float[Array, "T N nq"]) -> Float[Array, "T N 7"] | None:
    """Where the scene's target is over time; None without one."""
    target = environment.physics.scene.spec.target
    if target is None:
        return None
    return qpos[..., environment.physics.layout.object(target.name).qpos]


@partial(jax.jit, static_argnums=0)
def _run(
    act: Act, environment: TrackingEnvironment, parts: tuple[Any, Any], first: TrackingState, disturbances, key, moves
) -> Rollouts:
    (parameters, memory), (pushes, noise_rad) = parts, disturbances

    def decide(memory, observation, key):
        memory, action = act(parameters, memory, observation, key)
        keys = jax.random.split(jax.random.fold_in(key, 1), len(noise_rad))
        still = jnp.zeros((len(noise_rad), environment.action_size))
        return memory, jnp.where(moves, action, still), TargetNoise(keys, noise_rad)

    def show(state):
        return jax.vmap(environment.frame)(state), state.physics.qpos

    def advance(carry, inputs):
        state, observation, memory, alive = carry
        push, step_key = inputs
        state = jax.vmap(environment.pushed)(state, push)
        memory, action, noise = decide(memory, observation, step_key)
        state, transition = jax.vmap(environment.step)(state, action, noise)
        alive = alive & ~transition.terminated
        return (state, transition.observation, memory, alive), (*show(state), transition.reward, alive)

    alive = jnp.ones(first.t.shape[0], bool)
    start = (*show(first), jnp.zeros(first.t.shape[0]), alive)
    inputs = (pushes[1:], jax.random.split(key, len(pushes) - 1))
    _, rest = jax.lax.scan(advance, (first, jax.vmap(environment.observe)(first), memory, alive), inputs)
    return Rollouts(*jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), start, rest))


def _zero(parameters: Any, carry: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Any, Float[Array, "N A"]]:
    return carry, jnp.zeros((_count(observation), 1))


def _gaussian(
    scale: Float[Array, " A"], carry: Any, observation: Observation, key: PRNGKeyArray
) -> tuple[Any, Float[Array, "N A"]]:
    return carry, scale[None] * jax.random.normal(key, (_count(observation), *scale.shape))


def _count(observation: Observation) -> int:
    return jax.tree.leaves(observation)[0].shape[0]


def _draw_pushes(
    environment: TrackingEnvironment, key: PRNGKeyArray, count: int, by: Randomization
) -> Float[Array, "T N 2"]:
    """Velocity changes of the root, once a rollout."""
    frames, length = environment.frames, int(environment.library.length[0])
    when_key, where_key = jax.random.split(key)
    when = jax.random.randint(when_key, (count,), 1, max(length - 1, 2))
    kicks = jax.vmap(lambda key: kick(key, by.push_m_s))(jax.random.split(where_key, count))
    return jnp.where((jnp.arange(frames)[:, None] == when[None])[..., None], kicks[None], 0.0)
