"""The tables of `docs/results.md`: a line a group of runs that differ in their seed, what is no policy beside it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from devi_jax.bench.evidence import LABELS, OTHERS, graded_rate, rate, side, trivial, verdict
from devi_jax.bench.learning.jobs import FULL
from devi_jax.bench.learning.stage_times import in_words, stage_times
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import Ages
from devi_jax.bench.training_result import STAGES
from devi_jax.evaluation.grades import NOISE

SIDES = ("policy", *OTHERS)
HEAD = [
    *("runs", "trivial", "plan", "success", "parity", "≥ 60 %", "≥ 80 %"),
    *("policy", *LABELS.values(), "beats them", "MPJPE mm", "T_obj mm", "frames"),
]


def groups(rows: Sequence[Result], keys: tuple[str, ...]) -> str:
    """A line for each group of rows alike in `keys`."""
    if not rows:
        return "Not run yet.\n"
    found: dict[tuple, list[Result]] = {}
    for row in rows:
        found.setdefault(tuple(row[k] for k in keys), []).append(row)
    return table([*keys, *HEAD], [[*name, *_summary(group)] for name, group in found.items()])


def ablations(rows: Sequence[Result]) -> str:
    """The variants of the recipe, and the recipe itself on the same clips."""
    ablated = [r for r in rows if r["variant"] != FULL]
    tasks = dict.fromkeys((r["clip"], r["grade"], r["root"]) for r in ablated)
    compared = [r for r in rows if (r["clip"], r["grade"], r["root"]) in tasks]
    return groups(compared, ("variant", "clip", "grade", "root"))


def noise(rows: Sequence[Result]) -> str:
    """What noise on the joint targets leaves, where it was measured."""
    told = [(r["cell"], r["evaluation"]) for r in rows if r["evaluation"] and r["evaluation"].get("noisy")]
    if not told:
        return ""
    head = f"Success from the exact start under noise of {NOISE.joint_rad} rad on every joint target.\n\n"
    lines = [[f"`{cell}`", *(percent([_noisy(evaluation, name)]) for name in SIDES)] for cell, evaluation in told]
    return head + table(["cell", "policy", *LABELS.values()], lines)


def _noisy(evaluation: Result, name: str) -> float | None:
    return evaluation["noisy"].get(name) if name == "policy" or side(evaluation, name) else None


def grades(rows: Sequence[Result]) -> str:
    """Success by grade of perturbation, where more than one was measured."""
    told = [(r["cell"], r["evaluation"]) for r in rows if r["evaluation"] and r["evaluation"].get("grades")]
    names = list(dict.fromkeys(g for _, e in told for g in e["grades"]))
    if not names:
        return ""
    head = ["cell", *(f"{LABELS.get(name, name)}, {grade}" for grade in names for name in SIDES)]
    lines = [[f"`{c}`", *(percent([graded_rate(e, g, n)]) for g in names for n in SIDES)] for c, e in told]
    return "Success by grade of perturbation.\n\n" + table(head, lines)


def runs(rows: Sequence[Result], ages: Ages) -> str:
    """How every row was made, and how old it is."""
    if not rows:
        return "Not run yet.\n"
    cells = []
    for r in rows:
        minutes = f"{r['trained_minutes']:.1f} of {r['minutes']:g}"
        steps = f"{r['environment_steps'] / 1e6:.2f} M"
        cells.append([f"`{r['cell']}`", r["status"], minutes, steps, *made_cells(r, ages)])
    return MADE_NOTE + table(["cell", "", "minutes", "steps", *MADE], cells)


def percent(values: Iterable[Any]) -> str:
    """The median of shares; `-` where none is known."""
    there = [v for v in values if v is not None]
    return f"{100 * float(np.median(there)):.0f} %" if there else "-"


def _summary(rows: Sequence[Result]) -> list[str]:
    """What a group of runs that differ in their seed came to."""
    done = [r["evaluation"] for r in rows if r["evaluation"]]
    failed = len(rows) - len(done)
    count = f"{len(rows)}" + (f" ({failed} failed)" if failed else "")
    minutes = [in_words(stage_times(rows, stage)) for stage in STAGES]
    ends = [percent(rate(e, name) for e in done) for name in SIDES]
    errors = [_median(e["exact"].get(key) for e in done) for key in ("mpjpe_all_mm", "t_obj_mm")]
    frames = percent(e["exact"].get("alive_share") for e in done)
    return [count, _trivial(done), *minutes, *ends, _beats(done), *errors, frames]


def _trivial(evaluations: Sequence[Result]) -> str:
    known = [t for t in map(trivial, evaluations) if t is not None]
    if not known:
        return "-"
    return "yes" if all(known) else f"{sum(known)} of {len(known)}" if any(known) else "no"


def _beats(evaluations: Sequence[Result]) -> str:
    """How often the policy is better, beyond chance, than each of what is no policy, where that was compared."""
    told = {name: [v for v in (verdict(e, name) for e in evaluations) if v] for name in OTHERS}
    return ", ".join(f"{v.count('better')} of {len(v)}" if v else "-" for v in told.values())


def _median(values: Iterable[Any]) -> str:
    there = [v for v in values if v is not None]
    return f"{float(np.median(there)):.1f}" if there else "-"
