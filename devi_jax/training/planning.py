"""Before learning: the reference's own targets, or better ones found by search, judged by what they carry open loop.

What a plan gives learning is targets to turn around, and physically valid states to start from.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from devi_jax.core.errors import RunError
from devi_jax.core.npz_container import NpzFormat
from devi_jax.evaluation.evaluate import Judgement
from devi_jax.systems.build import Assembly
from devi_jax.systems.trajectory_search import PlanConfig, Watch, fold, search, states, variants, with_states
from envs.embodiments.human import Human
from envs.tracking.env import TrackingEnvironment
from envs.tracking.state import PlanStates

FIX = "train again into a new folder with --out"
FORMAT = NpzFormat("plan", 1, RunError, FIX, kind="plan", bare=True)
"""Plans of earlier versions have no header."""

FALLEN_MM = 100.0
"""Mean error of the body's joints above which it fell: standing replays stay below 20 mm."""

SEARCH = "search"
"""What stages of planning are called that searched; the one before them only replays targets."""

Judge = Callable[[TrackingEnvironment], Judgement]
"""How an environment's open-loop replay is judged."""


@dataclass(frozen=True)
class Attempt:
    """One set of targets and how their open-loop replay was judged."""

    environment: TrackingEnvironment
    judgement: Judgement

    @property
    def carried(self) -> float:
        """Share of perturbed starts that succeed; for a clip without object poses, share of time within bounds."""
        perturbed = self.judgement.perturbed
        return float(perturbed["alive_share"] if perturbed["success_rate"] is None else perturbed["success_rate"])

    @property
    def falls(self) -> bool:
        """Whether the body, whatever the object does, is far from the reference on average from the exact start."""
        return self.judgement.exact["mpjpe_body_mm"] > FALLEN_MM

    def rank(self, by: Literal["success", "reward"] = "success") -> tuple[float, ...]:
        """The higher the better: success on its feet from the exact start, then the share of perturbed starts, then the
        reward; or the reward alone."""
        reward = float(self.judgement.perturbed["reward"])
        stands = bool(self.judgement.exact["success"]) and not self.falls
        return (reward,) if by == "reward" else (float(stands), self.carried, reward)


def plan(
    assembly: Assembly,
    config: PlanConfig,
    judge: Judge,
    key: PRNGKeyArray,
    tell: Callable[[str], None] = print,
    watch: Watch | None = None,
) -> tuple[Assembly, list[dict[str, Any]]]:
    """The assembly with the best targets found and their states to start from; and what each attempt took and reached.

    The reference's own targets, which may follow the object, are the first attempt: where they already carry enough
    perturbed starts, nothing is searched. Their states are simulated all the same. A search that finds nothing better
    is the last one, unless attempts are ranked by reward: then all are made. Where a body on its own feet falls, be it
    after the last thing it has to do, legs are searched.
    """
    raw, began = assembly.environment, time.monotonic()
    best = Attempt(raw, judge(raw))
    follows = "object_following" in raw.library.reference.noted
    rows = [_row("follow" if follows else "replay", best, began)]
    tell(_line(rows[-1]))
    legs = raw.physics.scene.embodiment.root == "free" and best.falls
    lost = int(best.judgement.exact["alive_share"] * raw.reference.frames) if legs else None
    # without a human's hand that touches, and without legs, there is nothing to turn
    touches = int(raw.library.onset[0]) < raw.reference.frames
    body = raw.physics.scene.embodiment
    searchable = legs or (touches and isinstance(body, Human))
    if not isinstance(body, Human):
        tell(f"plan: none is searched for the {body.name}; its reference's targets are kept")
    by_reward = config.rank == "reward"
    while searchable and len(rows) <= config.attempts and (by_reward or not _enough(best, config, legs)):
        key, search_key = jax.random.split(key)
        environment = fold(raw, search(raw, config, search_key, lost, watch))
        attempt = Attempt(environment, judge(environment))
        rows.append(_row(f"{SEARCH} {len(rows)}", attempt, began))
        tell(_line(rows[-1]))
        if attempt.rank(config.rank) > best.rank(config.rank):
            best = attempt
        elif not by_reward:
            tell("plan: the search found nothing better, so there is no other")
            break
    return replace(assembly, environment=with_states(best.environment, config, key), raw=raw), rows


def _enough(best: Attempt, config: PlanConfig, legs: bool) -> bool:
    return best.carried >= config.enough and not (legs and best.falls)


def _row(stage: str, attempt: Attempt, began: float) -> dict[str, Any]:
    exact = attempt.judgement.exact
    return {
        "stage": stage,
        "minutes": (time.monotonic() - began) / 60,
        "success": exact["success"],
        "perturbed": attempt.carried,
        "mpjpe_all_mm": exact["mpjpe_all_mm"],
        "t_obj_mm": exact["t_obj_mm"],
    }


def _line(row: dict[str, Any]) -> str:
    thing = "" if row["t_obj_mm"] is None else f", T_obj {row['t_obj_mm']:.0f} mm"
    verdict = {None: "cannot be judged", True: "succeeds", False: "fails"}[row["success"]]
    return (
        f"plan: {row['stage']} {verdict} open loop, {row['perturbed']:.0%} of perturbed starts; "
        f"MPJPE {row['mpjpe_all_mm']:.0f} mm{thing}; {60 * row['minutes']:.0f} s"
    )


def save_plan(path: Path, environment: TrackingEnvironment) -> None:
    """Write the targets and states of an environment of one clip as plain arrays."""
    of = environment.planned
    planned = None if of is None else (of.states, of.memory)
    leaves: dict[str, Any] = {f"state_{i}": np.asarray(x[0]) for i, x in enumerate(jax.tree.leaves(planned))}
    FORMAT.write(path, {"target": np.asarray(environment.reference.target), **leaves}, digest=True)


def load_plan(path: Path, assembly: Assembly) -> Assembly:
    """The assembly as it was planned. Raises `RunError` if the file is of another clip or version."""
    raw = assembly.environment
    shapes = jax.eval_shape(lambda e: states(e, variants(e, PlanConfig(), jax.random.key(0)))[0], raw.calm)
    wanted, structure = jax.tree.flatten(shapes)
    _, arrays = FORMAT.read(path)
    names = ["target", *(f"state_{i}" for i in range(len(wanted)))]
    if missing := [name for name in names if name not in arrays]:
        raise _misfit(path, f"it lacks {', '.join(missing)}")
    target, *leaves = (jnp.asarray(arrays[name]) for name in names)
    # the number of conditions V, and of frames until they fail, are the plan's own
    fits = [0 < x.shape[0] <= s.shape[0] and x.shape[2:] == s.shape[2:] for x, s in zip(leaves, wanted, strict=True)]
    if target.shape != raw.reference.target.shape or not all(fits):
        raise _misfit(path, "its arrays are of another size")
    states_, memory = jax.tree.unflatten(structure, [x[None] for x in leaves])
    length = jnp.asarray([leaves[0].shape[0]], jnp.int32)
    planned = replace(raw.with_targets(target), planned=PlanStates(states_, length, memory))
    return replace(assembly, environment=planned, raw=raw)


def load_plans(paths: Sequence[Path], assembly: Assembly) -> Assembly:
    """The assembly as each of its clips was planned."""
    return merge_plans(assembly, [load_plan(path, assembly.only(i)) for i, path in enumerate(paths)])


def merge_plans(assembly: Assembly, planned: Sequence[Assembly]) -> Assembly:
    """The assembly with the targets and states of the plan of each of its clips, planned one by one."""
    if len(planned) == 1:
        return planned[0]
    environments = [one.environment for one in planned]
    longest = max(e.planned.states.qpos.shape[1] for e in environments if e.planned is not None)

    def held(x: jax.Array) -> jax.Array:
        more = longest - x.shape[1]
        return jnp.concatenate([x, jnp.repeat(x[:, -1:], more, axis=1)], axis=1) if more else x

    made = [jax.tree.map(held, (e.planned.states, e.planned.memory)) for e in environments if e.planned is not None]
    states, memory = jax.tree.map(lambda *x: jnp.concatenate(x), *made)
    length = jnp.concatenate([e.planned.length for e in environments if e.planned is not None])
    target = jnp.concatenate([e.library.reference.target for e in environments])
    library = assembly.environment.library
    whole = replace(
        assembly.environment,
        library=replace(library, reference=replace(library.reference, target=target)),
        planned=PlanStates(states, length, memory),
    )
    return replace(assembly, environment=whole, raw=assembly.environment)


def _misfit(path: Path, why: str) -> RunError:
    return RunError(
        f"the run's plan cannot be used: {why}",
        where=str(path),
        valid="a plan of the same clip, written by the same version",
        fix=FIX,
    )
