"""From rows to `docs/results.md`: a pure function, so that the page says what the rows say and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from devi_jax.bench.learning.jobs import ABLATIONS, CAPTURE, FULL
from devi_jax.bench.learning.targets import TARGETS, in_words, judged, of_target, times
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.result_files import Result
from devi_jax.bench.training_result import STAGES
from devi_jax.datasets.bundled_sets import GRADES, SUITE
from devi_jax.evaluation.grades import NOISE

HEAD = """# Learning, measured

`python -m devi_jax.bench learning` trains the cells that are missing and writes this page; each row lies in
`docs/results/`. Nobody edits it by hand, and a run that failed stays in.

- **success**: mean joint error and mean object error below 0.2 m *and* the object lifted to within 30 % of the
  reference's height and left where the clip leaves it; without an object, below 0.2 m in every frame, as a mean hides a
  fall. **parity**: MPJPE ≤ 26 mm and T_obj ≤ 22 mm, the paper's own.
- **perturbed**: the rate of success over 64 starts with the object moved by up to 2 cm and 15°, its mass times 0.5 to
  2, its friction times 0.7 to 1.3, and a push of 5 N s on the pelvis. Plan and replay are open loop under the same
  perturbations: they are no policies, and stand here so that a policy can be told from them.
- A run stops when it succeeds from 95 % of the perturbed starts; the rates below are of other starts, which neither
  planning nor training has met.
- **plan found**: targets that succeed open loop from the exact start; the reference's own, where they do. Rows without
  the plan, and without the residual (whose actions are absolute targets, so that there is nothing to plan), have none.
- Times are minutes on the wall from the start of the command, planning and compilation included, until an evaluation
  first passed; medians over clips and seeds, where a run that never passed counts as infinitely long.
- **frames**: the share of the clip, from its exact start, before any bound of A.10's early termination is exceeded.
- **pinned**: the pelvis follows the clip through stiff springs. **free**: it stands on its own feet.
"""

COLUMNS = ["runs", "plan", "success", "parity", "≥ 60 %", "≥ 80 %"]
ENDS = ["policy", "plan", "replay", "beats plan, replay", "MPJPE mm", "T_obj mm", "frames"]


def results(rows: Sequence[Result], curves: str | None = None, compared: str | None = None) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order. `curves`: file name of their picture, if any.

    `compared`: what `methods.page.summary` says of the comparison of methods, if there is one.
    """
    rows = sorted(rows, key=_order)
    made_here = [r for r in rows if r["variant"] == FULL and r["grade"] != CAPTURE]
    suite = [r for r in made_here if r["clip"] in SUITE]
    beyond = [r for r in made_here if r["clip"] not in SUITE]
    capture = [r for r in rows if r["variant"] == FULL and r["grade"] == CAPTURE]
    parts = [HEAD, "## Against the targets\n", _targets(rows)]
    if curves:
        parts += [f"![Success from perturbed starts over minutes of training]({curves})\n"]
    parts += ["## Clip by clip\n", _groups(suite, ("clip", "grade", "root"))]
    if beyond:
        parts += [
            "## Beyond the suite\n",
            "Several things on a table, two hands, the floor.\n",
            _groups(beyond, ("clip", "grade", "root")),
        ]
    parts += ["## Without parts of the recipe\n", _ablations(rows)]
    parts += ["## Real capture\n", _groups(capture, ("clip", "root")), _noise(capture)]
    if compared:
        parts += ["## Methods compared\n", compared]
    parts += ["## Runs\n", _runs(rows)]
    return "\n".join(parts)


def _order(row: Result) -> tuple:
    clip = SUITE.index(row["clip"]) if row["clip"] in SUITE else len(SUITE)
    grade = GRADES.index(row["grade"]) if row["grade"] in GRADES else len(GRADES)
    variant = [FULL, *ABLATIONS].index(row["variant"])
    return variant, clip, row["clip"], row["root"] != "pinned", grade, row["seed"]


def _targets(rows: Sequence[Result]) -> str:
    lines = []
    for target in TARGETS:
        mine = of_target(rows, target)
        cells = [judged(times(mine, stage), wanted) for stage, wanted in target.minutes.items()]
        last = list(target.minutes)[-1].removeprefix("perturbed_")
        lines.append([f"{target.label} ({len(mine)} runs)", *cells[:-1], f"≥ {last} %: {cells[-1]}"])
    return table(["", "plan found", "policy: success", "policy: parity", "perturbed-start success"], lines)


def _groups(rows: Sequence[Result], keys: tuple[str, ...]) -> str:
    if not rows:
        return "Not run yet.\n"
    groups: dict[tuple, list[Result]] = {}
    for row in rows:
        groups.setdefault(tuple(row[k] for k in keys), []).append(row)
    return table([*keys, *COLUMNS, *ENDS], [[*name, *_summary(group)] for name, group in groups.items()])


def _ablations(rows: Sequence[Result]) -> str:
    ablated = [r for r in rows if r["variant"] != FULL]
    tasks = dict.fromkeys((r["clip"], r["grade"], r["root"]) for r in ablated)
    compared = [r for r in rows if (r["clip"], r["grade"], r["root"]) in tasks]
    return _groups(compared, ("variant", "clip", "grade", "root"))


def _noise(rows: Sequence[Result]) -> str:
    """What noise on the joint targets leaves, where it was measured."""
    told = [(r["cell"], r["evaluation"]["noisy"]) for r in rows if r["evaluation"] and r["evaluation"].get("noisy")]
    if not told:
        return ""
    head = f"Success from the exact start under noise of {NOISE.joint_rad} rad on every joint target.\n\n"
    names = ("policy", "plan", "reference")
    lines = [[f"`{cell}`", *(_percent([noisy.get(name)]) for name in names)] for cell, noisy in told]
    return head + table(["cell", "policy", "plan", "replay"], lines)


def _summary(rows: Sequence[Result]) -> list[str]:
    """What a group of runs that differ in their seed came to."""
    done = [r["evaluation"] for r in rows if r["evaluation"]]
    failed = len(rows) - len(done)
    count = f"{len(rows)}" + (f" ({failed} failed)" if failed else "")
    ends = [_percent(side and side["perturbed"]["success_rate"] for side in sides) for sides in _sides(done)]
    beats = [_beats(done, name) for name in ("plan", "reference")]
    errors = [_median(e["exact"][key] for e in done) for key in ("mpjpe_all_mm", "t_obj_mm")]
    frames = _percent(e["exact"].get("alive_share") for e in done)
    return [count, *(in_words(times(rows, s)) for s in STAGES), *ends, ", ".join(beats), *errors, frames]


def _sides(evaluations: Sequence[Result]) -> list[list[Result | None]]:
    return [list(evaluations)] + [[e.get(name) for e in evaluations] for name in ("plan", "reference")]


def _beats(evaluations: Sequence[Result], name: str) -> str:
    """How often the policy beat an open-loop replay."""
    told = [e["versus"][name]["verdict"] for e in evaluations if name in e["versus"]]
    return f"{told.count('better')} of {len(told)}" if told else "-"


def _percent(values: Iterable[Any]) -> str:
    there = [v for v in values if v is not None]
    return f"{100 * float(np.median(there)):.0f} %" if there else "-"


def _median(values: Iterable[Any]) -> str:
    there = [v for v in values if v is not None]
    return f"{float(np.median(there)):.1f}" if there else "-"


def _runs(rows: Sequence[Result]) -> str:
    if not rows:
        return "Not run yet.\n"
    cells = []
    for r in rows:
        minutes = f"{r['trained_minutes']:.1f} of {r['minutes']:g}"
        steps = f"{r['environment_steps'] / 1e6:.2f} M"
        cells.append([f"`{r['cell']}`", r["status"], minutes, steps, *made_cells(r)])
    return MADE_NOTE + table(["cell", "", "minutes", "steps", *MADE], cells)
