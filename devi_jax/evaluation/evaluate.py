"""How well a policy imitates its clip: from the exact start and from perturbed ones, beside what no policy scores.

Doing nothing, open-loop replay of the reference and the targets that the policy turns around meet the very same
perturbations.
"""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import jax
import numpy as np

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ConfigError
from devi_jax.evaluation.grades import CAUSES, EASY, GRADES, NOISE, wilson
from devi_jax.evaluation.metrics import score, summary
from devi_jax.evaluation.models import MODELS, Change
from devi_jax.evaluation.rollouts import Policy, Rollouts, roll
from devi_jax.systems.build import Assembly
from envs.tracking.actions import JointAbsolute
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import Randomization
from envs.tracking.reference import Reference, make_reference

ROLLOUTS = 256
"""Perturbed rollouts of each grade of an evaluation."""
GLANCES = 64
"""Of a quick one: while training, of a plan, and of each cause of failure."""
SAME_TARGETS = 1e-3
"""Numbers of a quaternion in which targets of one clip may differ without being a plan's: other machines round
otherwise."""
TRIVIAL = 0.6
"""Share of easy starts that replay or doing nothing passes, from which a clip says nothing of a policy."""


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
    count: int = GLANCES,
    replay: bool = False,
    perturbation: Randomization = EASY,
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
            "unmoved": rollouts.unmoved,
        },
        successes=np.array([bool(s.success) for s in scores[1:]]),
        rollouts=rollouts,
    )


def yardsticks(assembly: Assembly) -> dict[str, TrackingEnvironment]:
    """Environments whose zero action a policy is compared with.

    `nothing`: the body holds its first pose. `reference`: open-loop replay of the clip. What the policy turns around,
    where that is more than the clip: `plan` where a plan was searched and taken, else `follow`, the clip's targets
    that go where the object stands.
    """
    environment = assembly.environment
    bare = replayed(assembly.raw or environment)
    unaided = replace(bare, library=bare.library.without("object_following", "weight"))
    out = {"nothing": replace(unaided, library=unaided.library.standing()), "reference": unaided}
    if searched(assembly):
        return {"plan": replayed(environment), **out}
    return {"follow": replayed(environment), **out} if "object_following" in bare.library.reference.noted else out


def searched(assembly: Assembly) -> bool:
    """Whether the targets are those of a plan that was searched, not the clip's own."""
    if assembly.raw is None:
        return False
    own, clip = (np.asarray(e.library.reference.target) for e in (assembly.environment, assembly.raw))
    return bool(np.abs(own - clip).max() > SAME_TARGETS)


def evaluate(
    assembly: Assembly,
    policy: Policy,
    seed: int = 0,
    count: int | None = None,
    glances: int | None = None,
    truth: Clip | None = None,
) -> tuple[dict[str, Any], Rollouts]:
    """The content of `evaluation.json`, and the rollouts for a film, the exact one first.

    `exact` and `perturbed` (the easy grade) are the policy's; under the names of `yardsticks` stands the same for each
    of these. `grades` and `causes` have everybody's rates with Wilson's intervals, and `versus` compares the policy
    with each: at the top for easy starts, within each grade for its own; of causes only with what it turns around.
    `noisy`: rates under noise of 0.02 rad on the joint targets. `trivial`: whether replay or doing nothing passes most
    easy starts. `count`: starts of each grade, `ROLLOUTS` unless said; `glances`: of each cause. `truth`: another
    clip than was imitated, by which the same rollouts are scored too, see `by_truth`. Raises `ConfigError` where that
    is of another length.
    """
    count, environment = count or ROLLOUTS, assembly.environment
    glances = glances or min(count, GLANCES)
    known = None if truth is None else truth_reference(assembly, truth)
    others = yardsticks(assembly)
    nearest = turned_around(others)

    def all_of(
        perturbation: Randomization, starts: int, among: Mapping[str, TrackingEnvironment] = others
    ) -> dict[str, Judgement]:
        idle = {name: judge(e, policy, seed, starts, True, perturbation) for name, e in among.items()}
        return {"policy": judge(environment, policy, seed, starts, False, perturbation), **idle}

    graded = {grade: all_of(perturbation, count) for grade, perturbation in GRADES.items()}
    easy = graded["easy"]
    result = {
        "clip": assembly.clip.name,
        "frames": environment.reference.frames,
        "root": environment.physics.scene.embodiment.root,
        "engine": environment.physics.engine,
        "seed": seed,
        **easy["policy"].to_json(),
        **{name: easy[name].to_json() for name in others},
        "grades": {grade: rates(sides) for grade, sides in graded.items()},
        "causes": {
            cause: rates(all_of(perturbation, glances, {nearest: others[nearest]}))
            for cause, perturbation in CAUSES.items()
        },
        "noisy": {name: side.perturbed for name, side in all_of(NOISE, glances).items()},
        "versus": versus(easy),
        "trivial": bool(max(easy[name].successes.mean() for name in ("nothing", "reference")) > TRIVIAL),
    }
    if truth is not None and known is not None:
        result["truth"] = {"clip": truth.name, **by_truth(graded, known, environment.policy_hz)}
    return result, easy["policy"].rollouts


def turned_around(others: Container[str]) -> str:
    """Which of `yardsticks` the policy turns around, from their names."""
    return next(name for name in ("plan", "follow", "reference") if name in others)


def in_other_models(
    assembly: Assembly, policy: Policy, seed: int = 0, count: int = GLANCES, models: Mapping[str, Change] = MODELS
) -> dict[str, Any]:
    """`rates` from easy starts in each of some models of physics, of the policy and of what it turns around."""
    others = yardsticks(assembly)
    around = turned_around(others)

    def both(change: Change) -> dict[str, Judgement]:
        physics = change(assembly.environment.physics)
        acting, still = (replace(e, physics=physics) for e in (assembly.environment, others[around]))
        return {
            "policy": judge(acting, policy, seed, count),
            around: judge(still, policy, seed, count, replay=True),
        }

    return {name: rates(both(change)) for name, change in models.items()}


def rates(sides: Mapping[str, Judgement]) -> dict[str, Any]:
    """Share of starts that each passed, with Wilson's interval at 95 %, and the policy against each other one."""
    passed = {name: (int(side.successes.sum()), len(side.successes)) for name, side in sides.items()}
    return {
        "starts": len(sides["policy"].successes),
        "success": {name: won / count for name, (won, count) in passed.items()},
        "interval": {name: list(wilson(*of)) for name, of in passed.items()},
        "versus": versus(sides),
    }


def versus(sides: Mapping[str, Judgement]) -> dict[str, Any]:
    """The policy compared with each other side over the same starts."""
    own = sides["policy"].successes
    return {name: compare(own, side.successes) for name, side in sides.items() if name != "policy"}


def truth_reference(assembly: Assembly, truth: Clip) -> Reference:
    """Another clip than was imitated, ready to be compared with. Raises `ConfigError` where it is of another length."""
    environment, system = assembly.environment, assembly.system
    reference, _ = make_reference(truth, environment.physics, system.controllers, system.object_points)
    if reference.frames != environment.reference.frames:
        raise ConfigError(
            f"{truth.name} has {reference.frames} frames, {assembly.clip.name} {environment.reference.frames}",
            where="--truth",
            valid="the clip that imagine wrote beside the video, or the one that was degraded",
        )
    return reference


def by_truth(graded: Mapping[str, Mapping[str, Judgement]], reference: Reference, hz: float) -> dict[str, Any]:
    """How the rollouts of all sides of each grade compare with another reference than was imitated.

    `exact` and `perturbed` are the policy's from easy starts, `grades` everybody's rates.
    """

    def again(side: Judgement) -> Judgement:
        scores = score(side.rollouts, reference, hz)
        passed = np.array([bool(s.success) for s in scores[1:]])
        return Judgement(asdict(scores[0]), summary(scores[1:]), passed, side.rollouts)

    found = {grade: {name: again(side) for name, side in sides.items()} for grade, sides in graded.items()}
    of_policy = found["easy"]["policy"].to_json()
    return {**of_policy, "grades": {grade: rates(sides) for grade, sides in found.items()}}


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
