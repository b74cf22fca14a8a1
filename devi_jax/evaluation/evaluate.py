"""How well a policy imitates its clip: from the exact start and from perturbed ones, beside what no policy scores.

Open-loop replay of the reference, and of a plan where there is one, meets the very same perturbations.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import jax
import numpy as np

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ConfigError
from devi_jax.evaluation.metrics import score, summary
from devi_jax.evaluation.rollouts import NOISE, Perturbation, Policy, Rollouts, roll
from devi_jax.systems.build import Assembly
from envs.tracking.actions import JointAbsolute
from envs.tracking.env import TrackingEnvironment
from envs.tracking.reference import make_reference

ROLLOUTS = 64
"""Perturbed rollouts of one evaluation."""


PERTURBATION = Perturbation()
"""Of the object and the pelvis."""


@dataclass(frozen=True)
class Judgement:
    """Scores from the exact start, means over perturbed starts, and which of those succeeded (count,)."""

    exact: dict[str, Any]
    perturbed: dict[str, Any]
    successes: np.ndarray
    rollouts: Rollouts
    """The exact one first, then the perturbed ones."""

    def to_json(self) -> dict[str, Any]:
        """Without the rollouts."""
        return {"exact": self.exact, "perturbed": self.perturbed}


def judge(
    environment: TrackingEnvironment,
    policy: Policy,
    seed: int = 0,
    count: int = ROLLOUTS,
    replay: bool = False,
    perturbation: Perturbation = PERTURBATION,
) -> Judgement:
    """One exact and `count` perturbed rollouts at once, compiled once for policy, plan and replay of a clip.

    The same seed draws the same perturbations, whoever acts. `replay`: nobody does, and `policy` is only compiled.
    """
    # a plan's states only serve resets: without them one compilation fits the environments with and without a plan
    environment = replace(environment, planned=None)
    rollouts = roll(environment, policy, jax.random.key(seed), count + 1, perturbation, exact=1, replay=replay)
    scores = score(rollouts, environment.reference, environment.policy_hz)
    reward = np.asarray(rollouts.reward)[1:].mean(axis=0)
    return Judgement(
        exact={**asdict(scores[0]), "reward": float(reward[0])},
        perturbed={
            **summary(scores[1:]),
            "reward": float(reward[1:].mean()),
            "perturbation": asdict(perturbation),
        },
        successes=np.array([bool(s.success) for s in scores[1:]]),
        rollouts=rollouts,
    )


def evaluate(
    assembly: Assembly, policy: Policy, seed: int = 0, count: int = ROLLOUTS
) -> tuple[dict[str, Any], Rollouts]:
    """The content of `evaluation.json`, and the rollouts for a film, the exact one first.

    `exact` and `perturbed` are the policy's. `reference` and, where the environment's targets are a plan's, `plan` hold
    the same for their open-loop replay: that is no policy, and never reported as one. `versus` compares the policy with
    each of them. `noisy` has the rates of all three under noise on the joint targets.
    """
    environment, raw = assembly.environment, assembly.raw
    judged = judge(environment, policy, seed, count)
    idle = {"plan": replayed(environment)} if raw is not None else {}
    idle["reference"] = replayed(raw or environment)
    others = {name: judge(world, policy, seed, count, replay=True) for name, world in idle.items()}
    noisy = {"policy": judge(environment, policy, seed, count, False, NOISE).perturbed}
    noisy |= {name: judge(world, policy, seed, count, True, NOISE).perturbed for name, world in idle.items()}
    result = {
        "clip": assembly.clip.name,
        "frames": environment.reference.frames,
        "root": environment.physics.scene.embodiment.root,
        "engine": environment.physics.engine,
        "seed": seed,
        **judged.to_json(),
        **{name: other.to_json() for name, other in others.items()},
        "noisy": noisy,
        "versus": {name: compare(judged.successes, other.successes) for name, other in others.items()},
    }
    return result, judged.rollouts


def by_truth(assembly: Assembly, rollouts: Rollouts, truth: Clip) -> dict[str, Any]:
    """How rollouts, the exact one first, compare with another clip than was imitated: the truth of a video, say.

    Raises:
        ConfigError: it is of another length.
    """
    environment = assembly.environment
    system = assembly.system
    reference, _ = make_reference(truth, environment.physics, system.controllers, system.object_points)
    if reference.frames != environment.reference.frames:
        raise ConfigError(
            f"{truth.name} has {reference.frames} frames, {assembly.clip.name} {environment.reference.frames}",
            where="--truth",
            valid="the clip that imagine wrote beside the video",
        )
    scores = score(rollouts, reference, environment.policy_hz)
    return {"clip": truth.name, "exact": asdict(scores[0]), "perturbed": summary(scores[1:])}


def replayed(environment: TrackingEnvironment) -> TrackingEnvironment:
    """The environment in which zero action means open-loop replay, whatever the recipe's actions mean."""
    action = environment.action
    return replace(environment, action=action.around) if isinstance(action, JointAbsolute) else environment


def compare(policy: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Whether the policy succeeds where the other does not, over the same perturbed starts: an exact sign test.

    `verdict`: `better` or `worse` where the two differ beyond chance (p < 0.05, two-sided), else `no different`.
    """
    from scipy.stats import binomtest

    won, lost = int((policy & ~other).sum()), int((~policy & other).sum())
    p = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    verdict = "no different" if p >= 0.05 else "better" if won > lost else "worse"
    return {
        "verdict": verdict,
        "policy_only": won,
        "other_only": lost,
        "p": p,
        "policy": float(policy.mean()),
        "other": float(other.mean()),
    }
