"""What is timed: the raw engine, the whole environment, both halves of an iteration; all in one process, in turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents import Learner
from devi_jax.core.clip import Clip
from devi_jax.runs.devices import cpu_count
from devi_jax.systems import System, assemble
from envs.physics import EngineName, HumanRoot
from envs.tracking.env import TrackingEnvironment
from envs.tracking.state import TrackingState

STEPS = 32
"""Control steps of one measurement."""


@dataclass(frozen=True)
class Phases:
    """Median seconds: `raw` and `environment` for `STEPS` steps of all environments, `collect` and `learn` for their
    part of an iteration of `samples` steps. `cpu`: seconds of all cores together, for the same."""

    environments: int
    samples: int
    raw: float
    environment: float
    collect: float
    learn: float
    cpu: dict[str, float]

    @property
    def cpu_rates(self) -> dict[str, float]:
        """Control steps a second of one core, which a busy machine changes little."""
        count, cpu = self.environments * STEPS, self.cpu
        iteration = self.samples / (cpu["collect"] + cpu["learn"])
        return {"raw": count / cpu["raw"], "environment": count / cpu["environment"], "iteration": iteration}

    @property
    def rates(self) -> dict[str, float]:
        """Control steps a second of each."""
        count = self.environments * STEPS
        return {
            "raw": count / self.raw,
            "environment": count / self.environment,
            "rollout": self.samples / self.collect,
            "iteration": self.samples / (self.collect + self.learn),
        }

    @property
    def ratios(self) -> dict[str, float]:
        """The rates, in units of the raw engine's."""
        return {name: rate / self.rates["raw"] for name, rate in self.rates.items() if name != "raw"}


def measure_phases(system: System, clip: Clip, engine: EngineName, root: HumanRoot, repeats: int) -> Phases:
    """All four on the system's own sizes. The raw engine is C MuJoCo's batch, whatever `engine` is."""
    environment = assemble(system, clip, engine, root).environment
    learner, count = Learner(environment, system.ppo, system.network), system.ppo.environments
    state = jax.block_until_ready(learner.init(jax.random.key(0)))
    after, rollout = jax.block_until_ready(learner.collect(state))
    jobs: dict[str, Callable[[], Any]] = {
        "raw": raw_batch_steps(environment, count),
        "environment": environment_steps(environment, count),
        "collect": lambda: learner.collect(state),
        "learn": lambda: learner.learn(after, rollout),
    }
    spent = medians(jobs, repeats)
    wall, cpu = ({name: getattr(s, clock) for name, s in spent.items()} for clock in ("wall", "cpu"))
    return Phases(count, count * system.ppo.horizon, **wall, cpu=cpu)


def raw_batch_steps(environment: TrackingEnvironment, count: int, steps: int = STEPS) -> Callable[[], None]:
    """Control steps of `mujoco.batch` on the same model, batch and threads, with nothing around it."""
    from mujoco import batch

    physics = environment.physics
    start = _standing(environment, count)
    qpos, qvel = np.asarray(start.physics.qpos), np.asarray(start.physics.qvel)
    sims = batch.Batch(physics.model, count, min(cpu_count(), count))
    spring = sims.expand("qpos_spring")
    sims.bind("sensordata")

    def run() -> None:
        sims.reset()
        sims.qpos, sims.qvel = qpos, qvel
        for _ in range(steps):
            spring[:] = qpos
            sims.step(nstep=physics.substeps)

    return run


def environment_steps(environment: TrackingEnvironment, count: int, steps: int = STEPS) -> Callable[[], Any]:
    """Steps of the whole environment: physics, kinematics, observation, reward, termination."""

    @jax.jit
    def run(state, action):
        def step(state, _):
            state, transition = jax.vmap(environment.step)(state, action)
            tokens = [x.sum() for x in jax.tree.leaves(transition.observation)]
            return state, (transition.reward, transition.terminated, tokens)

        return jax.lax.scan(step, state, None, length=steps)

    start = _standing(environment, count)
    return lambda: run(start, jnp.zeros((count, environment.action_size)))


def _standing(environment: TrackingEnvironment, count: int) -> TrackingState:
    """So many environments at the clip's first frame."""
    return jax.jit(jax.vmap(environment.start))(jnp.zeros(count, jnp.int32))


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of all cores together."""

    wall: float
    cpu: float


def medians(jobs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, Spent]:
    """Median seconds of each job, after one run that compiles it; the jobs take turns."""
    for job in jobs.values():
        jax.block_until_ready(job())
    times: dict[str, list[Spent]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            times[name].append(timed(job))

    def median(spent: list[Spent], clock: str) -> float:
        return float(np.median([getattr(s, clock) for s in spent]))

    return {name: Spent(median(spent, "wall"), median(spent, "cpu")) for name, spent in times.items()}


def timed(job: Callable[[], Any]) -> Spent:
    """Seconds of one run."""
    began, cpu = time.perf_counter(), time.process_time()
    jax.block_until_ready(job())
    return Spent(time.perf_counter() - began, time.process_time() - cpu)
