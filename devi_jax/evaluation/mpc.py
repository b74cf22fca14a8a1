"""Model-predictive control: the planner online, from where a perturbed start really is. A baseline without a policy.

It is told the object's place, mass and friction, which no policy is, and thinks much longer than it acts.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents.sampling_mpc import Planned, Planner
from devi_jax.evaluation.grades import EASY
from devi_jax.evaluation.metrics import score, summary
from devi_jax.evaluation.rollouts import Rollouts, target_poses
from devi_jax.systems.trajectory_search import LEAD_S, PlanConfig, basis
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import randomize


def control_online(environment: TrackingEnvironment, config: PlanConfig, seed: int, count: int) -> dict[str, Any]:
    """Mean scores of `count` perturbed starts, each controlled by looking ahead from its own states; nobody pushes."""
    environment = environment.calm
    planner = Planner(environment, basis(environment), replace(config.search, variants=1))
    scores = []
    for key in jax.random.split(jax.random.key(seed), count):
        start_key, search_key = jax.random.split(key)
        start = environment.start(jnp.zeros((), jnp.int32))
        physics = randomize(environment.physics, start.physics, start_key, EASY)
        first = jax.tree.map(lambda x: x[None], replace(start, physics=physics))
        begin = int(environment.library.onset[0]) - round(LEAD_S * environment.policy_hz)
        planned = planner.search(first, search_key, begin)
        scores += score(_rollouts(environment, planned), environment.reference, environment.policy_hz)
    return summary(scores)


def _rollouts(environment: TrackingEnvironment, planned: Planned) -> Rollouts:
    physics = planned.states.physics
    alive = np.logical_and.accumulate(np.concatenate([np.ones_like(planned.alive[:1]), planned.alive]))
    return Rollouts(
        frames=jax.vmap(jax.vmap(environment.physics.read))(physics),
        qpos=physics.qpos,
        reward=jnp.concatenate([jnp.zeros_like(planned.reward[:1]), planned.reward]),
        alive=jnp.asarray(alive),
        target=target_poses(environment, physics.qpos),
    )
