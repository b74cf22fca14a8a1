"""What a run leaves behind when training ends, and what a dry run prints."""

from typing import Any

import jax
import jax.numpy as jnp

from agents import Learner, TrainState
from agents.minibatch import RolloutConfig
from devi_jax.core.environment import ObservationSizes
from devi_jax.core.errors import DeviceError
from devi_jax.core.policy import Policy
from devi_jax.evaluation.evaluate import evaluate, judge, turned_around
from devi_jax.evaluation.grades import EASY, HARD
from devi_jax.evaluation.rollout_film import film_rollout
from devi_jax.evaluation.rollouts import Rollouts, zero_policy
from devi_jax.evaluation.table import table
from devi_jax.runs.curves import curves
from devi_jax.runs.devices import peak_memory_mb
from devi_jax.runs.json_io import write_json
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly
from devi_jax.systems.system import System
from devi_jax.training.run_config import trained_policy, training_steps

UNSEEN = 1000
"""Seeds from here on draw the perturbed starts of last evaluations, which neither planning nor training has seen."""


def unseen(seed: int) -> int:
    """The seed of the perturbed starts that the policy of a run's seed is evaluated from."""
    return UNSEEN + seed


def report(
    run: RunDir, assembly: Assembly, learner: Learner, state: TrainState, film: bool, seed: int = 0
) -> dict[str, Any]:
    """Evaluate the policy, write evaluation.json, curves.png, film.mp4 and strip.png, print and return the table.

    On a machine without a renderer, all but the film; the message names the missing package.
    """
    policy, steps = trained_policy(learner, state), training_steps(run, learner, state)
    if len(assembly.clips) > 1:
        return _report_clips(run, assembly, policy, steps, film, seed)
    result, rollouts = evaluate(assembly, policy, unseen(seed))
    write_json(run.evaluation_json, {**result, "training": steps})
    print(table(result))
    curves(run.curves_png, run.metrics_jsonl, _units(assembly.system))
    if film:
        _film(run, assembly, rollouts)
    print(f"curves: {run.curves_png}\nevaluation: {run.evaluation_json}")
    return result


def _report_clips(
    run: RunDir, assembly: Assembly, policy: Policy, steps: dict[str, int], film: bool, seed: int
) -> dict[str, Any]:
    """The same of a policy of several clips: each is evaluated, printed and filmed by itself."""
    results = {}
    for i, clip in enumerate(assembly.clips):
        results[clip.name], rollouts = evaluate(assembly.only(i), policy, unseen(seed))
        print(f"{clip.name}\n{table(results[clip.name])}")
        if film:
            _film(run, assembly.only(i), rollouts, f"-{clip.name}")
    write_json(run.evaluation_json, {"clips": results, "training": steps})
    curves(run.curves_png, run.metrics_jsonl, _units(assembly.system))
    print(f"curves: {run.curves_png}\nevaluation: {run.evaluation_json}")
    return {"clips": results}


def report_plan(run: RunDir, assembly: Assembly, film: bool, seed: int = 0) -> None:
    """Evaluate the targets' open-loop replay, write evaluation.json and the film, and say that nothing was learned."""
    several, results = len(assembly.clips) > 1, {}
    for i, clip in enumerate(assembly.clips):
        result, rollouts = evaluate(assembly.only(i), zero_policy(), unseen(seed))
        results[clip.name] = unlearned(result)
        print(targets_line(results[clip.name]))
        if film:
            _film(run, assembly.only(i), rollouts, f"-{clip.name}" if several else "")
    write_json(run.evaluation_json, {"clips": results} if several else results[assembly.clip.name])
    print(f"no policy was learned; evaluation of the targets' open-loop replay: {run.evaluation_json}")


REPLAYED = {
    "plan": "the plan's targets",
    "follow": "the clip's targets, which follow the object (no plan was better)",
    "reference": "the clip's targets (no plan was better)",
}
"""What a run without learning comes to, by its name in an evaluation."""


def targets_line(result: dict[str, Any]) -> str:
    """What `unlearned` says of a clip's targets, in a line, and in another one by the truth where that is known."""
    name, truth = turned_around(result), result.get("truth")

    def rates(grades: dict[str, Any]) -> str:
        return ", ".join(f"{grade} {told['success'][name]:.0%}" for grade, told in grades.items())

    said = f"{REPLAYED[name]}, replayed open loop, succeed from {rates(result['grades'])} of perturbed starts"
    known = f"\nby the truth {truth['clip']}: from {rates(truth['grades'])}" if truth else ""
    return f"{result['clip']}: {said}{known}"


def unlearned(result: dict[str, Any]) -> dict[str, Any]:
    """An evaluation without its policy, which did nothing: the targets it turned around have the same numbers.

    By the `truth`, whose `exact` and `perturbed` are the policy's alone, they stay, as those of the targets.
    """

    def others(told: dict[str, Any]) -> dict[str, Any]:
        sides = {part: {k: v for k, v in told[part].items() if k != "policy"} for part in ("success", "interval")}
        return {"starts": told["starts"], **sides}

    kept = {k: v for k, v in result.items() if k not in ("exact", "perturbed", "versus", "noisy")}
    graded = {part: {name: others(told) for name, told in result[part].items()} for part in ("grades", "causes")}
    if truth := result.get("truth"):
        kept["truth"] = {**truth, "grades": {name: others(told) for name, told in truth["grades"].items()}}
    return {**kept, **graded}


def _film(run: RunDir, assembly: Assembly, rollouts: Rollouts, suffix: str = "") -> None:
    film, picture = (path.with_stem(path.stem + suffix) for path in (run.film_mp4, run.strip_png))
    try:
        film_rollout(film, picture, assembly, rollouts)
        print(f"film: {film}")
    except DeviceError as error:
        print(f"no film: {error}")


def _units(system: System) -> dict[str, str]:
    """What curves.png shows beside reward and episode length: the deterministic policy, then the terms in training."""
    policy = {"reward": "", "mpjpe_all_mm": "mm", "t_obj_mm": "mm", "lift_ratio": "", "perturbed_success": ""}
    terms = {f"environment/{name}": row.measure.unit for name, row in system.rewards.items()}
    return {f"evaluation/{name}": unit for name, unit in policy.items()} | terms


def glance(assembly: Assembly, learner: Learner, state: TrainState) -> dict[str, float]:
    """The deterministic policy's scores: the curve that shows learning without its noise, and dates its successes.

    From the exact start (truth as 0 or 1), and `perturbed_success` and `hard_success`: the rates over easy and hard
    starts, the same in every glance.
    """
    policy = trained_policy(learner, state)
    keys = ("reward", "success", "parity", "mpjpe_all_mm", "t_obj_mm", "lift_ratio", "duration_s")
    clips = []
    for i in range(len(assembly.clips)):
        judged, hard = (judge(assembly.only(i).environment, policy, perturbation=grade) for grade in (EASY, HARD))
        scores = {k: judged.exact[k] for k in keys} | {
            "perturbed_success": judged.perturbed["success_rate"],
            "hard_success": hard.perturbed["success_rate"],
            "perturbed_reward": (judged.perturbed["reward"] + hard.perturbed["reward"]) / 2,
        }
        clips.append({k: float(v) for k, v in scores.items() if v is not None})
    common = set.intersection(*map(set, clips))
    out = {f"evaluation/{k}": sum(c[k] for c in clips) / len(clips) for k in clips[0] if k in common}
    if len(clips) > 1:
        named = zip(assembly.clips, clips, strict=True)
        out |= {f"evaluation/{clip.name}/{k}": v for clip, own in named for k, v in own.items()}
    return out


def dry_run(assembly: Assembly, learner: Learner, seed: int) -> str:
    """Shapes, parameter counts and memory of a training, and two steps taken for real."""
    environment, sizes = assembly.environment, learner.algorithm
    shapes = jax.eval_shape(learner.init, jax.random.key(seed))
    actor, critic = jax.eval_shape(learner.networks.init, jax.random.key(seed))
    _, rollout = jax.eval_shape(learner.collect, shapes)
    first = environment.start(jnp.zeros((), jnp.int32))
    step = jax.jit(environment.step)
    second, one = step(first, jnp.zeros(environment.action_size))
    third, two = step(second, jnp.zeros(environment.action_size))
    portions = f", minibatch {sizes.minibatch}, {sizes.epochs} epochs" if isinstance(sizes, RolloutConfig) else ""
    lines = [
        f"clip           {assembly.clip.name}: {environment.reference.frames} frames, contact from frame "
        f"{assembly.clip.onset}, starts at 0 and {int(environment.library.pre_contact[0])}",
        f"observation    {_named(environment.observation_sizes)}",
        f"action         {environment.action_size} ({type(environment.action).__name__})",
        f"environments   {sizes.environments} x {sizes.horizon} steps{portions}",
        f"parameters     actor {_count(actor):,}, critic {_count(critic):,}",
        f"memory         state {_megabytes(shapes):.0f} MB, rollout {_megabytes(rollout):.0f} MB, "
        f"process so far {peak_memory_mb():.0f} MB",
        f"two steps      reward {float(one.reward):.4f}, {float(two.reward):.4f}, "
        f"root height {float(environment.frame(third).position[0, 2]):.3f} m",
    ]
    return "\n".join(lines)


def _named(sizes: ObservationSizes) -> str:
    named = jax.tree_util.tree_leaves_with_path(sizes)
    return ", ".join(f"{jax.tree_util.keystr(path, simple=True, separator='.')} {size}" for path, size in named)


def _count(tree) -> int:
    return sum(x.size for x in jax.tree.leaves(tree))


def _megabytes(tree) -> float:
    return sum(x.size * getattr(x.dtype, "itemsize", 4) for x in jax.tree.leaves(tree)) / 1e6
