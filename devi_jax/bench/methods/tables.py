"""The tables of a comparison, in the layout of DeVI's Table 1, with what is no policy among the methods."""

from collections.abc import Callable, Sequence

import numpy as np

from devi_jax.bench import evidence
from devi_jax.bench.markdown import table
from devi_jax.bench.methods.published import LABELS, METRICS, TABLE_1
from devi_jax.bench.result_files import Result

Score = Callable[[Result], float | None]

IDLE = {"reference": "replay, no policy", "nothing": "do nothing, no policy"}
"""What stands among the methods without being one, and its label there."""
NOTHING = "Nothing to compare: every clip is trivial.\n"


def place(system: str) -> tuple[int, str]:
    """Where a method stands in tables: the paper's in its order, then others by name, then what is no policy."""
    names = [*LABELS, *IDLE]
    return (names.index(system) if system in names else len(LABELS) - 1), system


def label(system: str) -> str:
    """What a method is called."""
    return {**LABELS, **IDLE}.get(system, system)


def trivial_clips(rows: Sequence[Result]) -> set[str]:
    """Clips on which replay or doing nothing passes."""
    return {r["clip"] for r in rows if evidence.trivial(r["evaluation"])}


def with_idle(rows: Sequence[Result]) -> list[Result]:
    """The rows, and others in their form for replay and doing nothing: one a clip and seed, from DeVI's evaluation
    where there is one, else from another method's."""
    told: dict[tuple, Result] = {}
    for row in sorted(rows, key=lambda r: (r["system"] != "devi", r["system"])):
        for name in IDLE:
            scores = evidence.side(row["evaluation"], name)
            if scores:
                idle = {**row, "system": name, "evaluation": scores, "error": None, "status": "done"}
                told.setdefault((name, row["clip"], row["seed"]), idle)
    return [*rows, *told.values()]


def table_1(rows: Sequence[Result]) -> str:
    """Each method and DeVI on the clips and seeds where both succeed, with the paper's numbers beside ours."""
    head = ["method", "clips x seeds"] + [x for name in METRICS.values() for x in (name, "†")]
    lines = []
    for system in _systems(rows):
        if system == "devi":
            continue
        theirs, ours = _both(rows, system)
        for at, (name, mine) in enumerate(((system, theirs), ("devi", ours))):
            paper = TABLE_1[system][at] if system in TABLE_1 else None
            cells = [x for i, key in enumerate(METRICS) for x in (spread(mine, _error(key)), _paper(paper, i))]
            lines.append([label(name), f"{len(mine)}", *cells])
    return table(head, lines) if lines else NOTHING


def all_clips(rows: Sequence[Result]) -> str:
    """Each method over all runs that ended, and how many did not."""
    head = ["method", "runs", *METRICS.values(), "success, paper's", "success", "perturbed"]
    lines = []
    for system, mine in by_system(rows).items():
        done = [r for r in mine if r["evaluation"]]
        failed = f" ({len(mine) - len(done)} failed)" if len(done) < len(mine) else ""
        errors = [spread(done, _error(key)) for key in METRICS]
        rates = [spread(mine, score) for score in (_truth("success_paper"), _truth("success"), _perturbed)]
        lines.append([label(system), f"{len(mine)}{failed}", *errors, *rates])
    return table(head, lines) if lines else NOTHING


def clip_by_clip(rows: Sequence[Result]) -> str:
    """Policy and what is no policy from the same perturbed starts, and errors from the exact one, clip by clip."""
    easy = trivial_clips(rows)
    lines = []
    for clip in dict.fromkeys(r["clip"] for r in rows):
        for system, mine in by_system([r for r in rows if r["clip"] == clip]).items():
            rates = [spread(mine, _perturbed), *(spread(mine, _side(name)) for name in evidence.OTHERS)]
            better = sum(evidence.beats_all(r["evaluation"]) for r in mine)
            errors = [
                f"{spread(mine, _error(key))} / {spread(mine, _idle_error(key))}"
                for key in ("mpjpe_all_mm", "t_obj_mm")
            ]
            cells = ["yes" if clip in easy else "no", label(system), *rates, f"{better} of {len(mine)}", *errors]
            lines.append([clip, *cells])
    others = evidence.LABELS.values()
    errors = ["MPJPE mm, policy / replay", "T_obj mm, policy / replay"]
    return table(["clip", "trivial", "method", "policy", *others, "better than they", *errors], lines)


def by_system(rows: Sequence[Result]) -> dict[str, list[Result]]:
    """Rows by system: what is no policy, baselines and ablations, and DeVI last, as in the paper."""
    found = _systems(rows)
    names = [*(n for n in found if n in IDLE), *(n for n in found if n not in IDLE and n != "devi"), "devi"]
    groups = {name: [r for r in rows if r["system"] == name] for name in names}
    return {name: group for name, group in groups.items() if group}


def _systems(rows: Sequence[Result]) -> list[str]:
    return sorted({r["system"] for r in rows}, key=place)


def _both(rows: Sequence[Result], system: str) -> tuple[list[Result], list[Result]]:
    """Rows of a method and of DeVI on the clips and seeds where both succeed."""
    found = {
        name: {(r["clip"], r["seed"]): r for r in rows if r["system"] == name and _truth("success_paper")(r)}
        for name in (system, "devi")
    }
    shared = [key for key in found[system] if key in found["devi"]]
    return [found[system][key] for key in shared], [found["devi"][key] for key in shared]


def _error(key: str) -> Score:
    return lambda row: row["evaluation"]["exact"].get(key) if row["evaluation"] else None


def _idle_error(key: str) -> Score:
    return lambda row: (evidence.side(row["evaluation"], "reference") or {"exact": {}})["exact"].get(key)


def _truth(key: str) -> Score:
    """1 or 0, and 0 for a run that failed; `None` where the clip cannot tell."""

    def score(row: Result) -> float | None:
        if not row["evaluation"]:
            return 0.0
        value = row["evaluation"]["exact"].get(key)
        return None if value is None else float(value)

    return score


def _perturbed(row: Result) -> float | None:
    return evidence.rate(row["evaluation"]) if row["evaluation"] else 0.0


def _side(name: str) -> Score:
    return lambda row: evidence.rate(row["evaluation"], name)


def spread(rows: Sequence[Result], score: Score) -> str:
    """Mean over clips, and its standard deviation over seeds where there are several."""
    seeds: dict[int, list[float]] = {}
    for row in rows:
        value = score(row)
        if value is not None:
            seeds.setdefault(row["seed"], []).append(value)
    if not seeds:
        return "-"
    means = [float(np.mean(values)) for values in seeds.values()]
    every = float(np.mean([value for values in seeds.values() for value in values]))
    digits = 2 if every < 10 else 1
    deviation = f" ± {np.std(means, ddof=1):.{digits}f}" if len(means) > 1 else ""
    return f"{every:.{digits}f}{deviation}"


def _paper(values: Sequence[float] | None, i: int) -> str:
    return "-" if values is None else f"{values[i]:.4g}"
