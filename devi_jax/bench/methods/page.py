"""From rows to the page of a comparison, in the layout of DeVI's Tables 1 and 3: a pure function."""

from collections.abc import Callable, Sequence

import numpy as np

from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.methods.published import BOUNDS, LABELS, METRICS, TABLE_1, TABLE_3
from devi_jax.bench.result_files import Result

HEAD = """# Methods compared

`python -m devi_jax.compare` trains the cells that are missing and writes this page; each row lies in the folder beside
it. Nobody edits it by hand, and a run that failed stays in.

- Every system has its own reward, termination and goal ([fidelity.md](fidelity.md)), and the same body, physics,
  networks, learner, recipe, length of training and evaluator. Where the recipe plans first, a plan's score is the
  system's own reward.
- Errors are means over the whole clip from its exact start; nothing is cut off after a fall. Numbers are means over
  clips, **±** their standard deviation over seeds, where there are several.
- **†** is the paper's own number: 16 clips of GRAB, Isaac Gym, about 20 hours on an A6000 each. Here are other clips,
  another simulator and minutes: not comparable with ours, only its order of methods is.
- **policy** is what was learned. Plan and replay are targets played open loop; they are no policies, enter no table but
  the last, and stand there so that a policy can be told from them.
"""

PAIRED = """Errors on the clips and seeds where both succeed as the paper means it: MPJPE (all) and T_obj below 0.2 m.
"""

RATIOS = """Share of clips with MPJPE (all) (M), T_obj (T) and O_obj (O) all below the bounds; a failed run fails.
"""

EVERY = """Errors of every run that ended, success or not. **success** also wants the object lifted and left where the
clip has it; **perturbed**: success over 64 starts with object, mass and friction changed, and a push.
"""

Score = Callable[[Result], float | None]


def page(rows: Sequence[Result]) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order; each setting has its own tables."""
    rows = sorted(rows, key=_order)
    settings = list(dict.fromkeys(_setting(row) for row in rows))
    parts = [HEAD] + [_tables(setting, [r for r in rows if _setting(r) == setting]) for setting in settings]
    return "\n".join([*parts, "## Runs\n", _runs(rows)])


def _setting(row: Result) -> tuple[str, str, str]:
    return row["root"], row["recipe"], row["budget"]


def _order(row: Result) -> tuple:
    return row["root"] != "pinned", row["recipe"], row["budget"], row["clip"], *_place(row["system"]), row["seed"]


def _place(system: str) -> tuple[int, str]:
    """Where a method stands in tables: the paper's in its order, then others by name."""
    names = list(LABELS)
    return (names.index(system) if system in names else len(names)), system


def _tables(setting: tuple[str, str, str], rows: Sequence[Result]) -> str:
    root, recipe, budget = setting
    pelvis = "Pinned pelvis" if root == "pinned" else "On its own feet"
    clips = list(dict.fromkeys(r["clip"] for r in rows))
    seeds = len({r["seed"] for r in rows})
    return "\n".join(
        [
            f"## {pelvis}, recipe {recipe}, {budget} each\n",
            f"{len(clips)} clips ({', '.join(clips)}), {seeds} {'seed' if seeds == 1 else 'seeds'}.\n",
            "### Table 1: errors where both succeed\n",
            PAIRED,
            table_1(rows),
            "### Errors over all clips\n",
            EVERY,
            all_clips(rows),
            "### Table 3: success ratio\n",
            RATIOS,
            table_3(rows),
            "### Policy, plan and replay from perturbed starts\n",
            replays(rows),
        ]
    )


def summary(rows: Sequence[Result], page_name: str) -> str:
    """For a page beside this one: every setting's methods over all its clips, and how that came about."""
    parts = []
    for setting in dict.fromkeys(_setting(row) for row in sorted(rows, key=_order)):
        mine = [r for r in rows if _setting(r) == setting]
        root, recipe, budget = setting
        clips, systems = (list(dict.fromkeys(r[key] for r in sorted(mine, key=_order))) for key in ("clip", "system"))
        number, unit = budget.split()
        flags = f"--seeds={len({r['seed'] for r in mine})} --{unit}={number} --roots={root} --recipe={recipe}"
        parts += [f"`python -m devi_jax.compare --clips {' '.join(clips)} --systems {' '.join(systems)} {flags}`\n"]
        parts += [all_clips(mine)]
        machines = dict.fromkeys("commit {}, {}".format(*made_cells(r)[:2]) for r in mine)
        minutes = sum(r["trained_minutes"] for r in mine)
        parts += [f"{len(mine)} runs, {minutes:.0f} minutes of training; {'; '.join(machines)}.\n"]
    said = f"More in [{page_name}]({page_name}): where two methods both succeed, and the paper's own numbers.\n"
    return "\n".join([*parts, said]) if parts else "Not run yet.\n"


def table_1(rows: Sequence[Result]) -> str:
    """Each method and DeVI on the clips and seeds where both succeed, with the paper's numbers beside ours."""
    head = ["method", "clips x seeds"] + [x for label in METRICS.values() for x in (label, "†")]
    lines = []
    for system in _systems(rows):
        if system == "devi":
            continue
        theirs, ours = _both(rows, system)
        for side, (name, mine) in enumerate(((system, theirs), ("devi", ours))):
            paper = TABLE_1[system][side] if system in TABLE_1 else None
            cells = [x for i, key in enumerate(METRICS) for x in (_spread(mine, _error(key)), _paper(paper, i))]
            lines.append([LABELS.get(name, name), f"{len(mine)}", *cells])
    return table(head, lines) if lines else "Nothing to compare yet.\n"


def all_clips(rows: Sequence[Result]) -> str:
    """Each method over all runs that ended, and how many did not."""
    head = ["method", "runs", *METRICS.values(), "success, paper's", "success", "perturbed"]
    lines = []
    for system, mine in _by_system(rows).items():
        done = [r for r in mine if r["evaluation"]]
        failed = f" ({len(mine) - len(done)} failed)" if len(done) < len(mine) else ""
        errors = [_spread(done, _error(key)) for key in METRICS]
        rates = [_spread(mine, score) for score in (_truth("success_paper"), _truth("success"), _perturbed)]
        lines.append([LABELS.get(system, system), f"{len(mine)}{failed}", *errors, *rates])
    return table(head, lines)


def table_3(rows: Sequence[Result]) -> str:
    """Success ratios under the paper's eight bounds, its numbers beside ours."""
    head = ["method"] + [x for turn, m, t in BOUNDS for x in (f"O<{turn}, M<{m}, T<{t}", "†")]
    lines = []
    for system, mine in _by_system(rows).items():
        paper = TABLE_3.get(system)
        cells = [x for i, b in enumerate(BOUNDS) for x in (_spread(mine, _passes(b)), _paper(paper, i))]
        lines.append([LABELS.get(system, system), *cells])
    return table(head, lines)


def replays(rows: Sequence[Result]) -> str:
    """Success rates of policy, plan and the reference's replay under the same perturbations, clip by clip."""
    lines = []
    for clip in dict.fromkeys(r["clip"] for r in rows):
        for system, mine in _by_system([r for r in rows if r["clip"] == clip]).items():
            rates = [_spread(mine, score) for score in (_perturbed, _side("plan"), _side("reference"))]
            lines.append([clip, LABELS.get(system, system), *rates])
    return table(["clip", "method", "policy", "plan", "replay"], lines)


def _systems(rows: Sequence[Result]) -> list[str]:
    return sorted({r["system"] for r in rows}, key=_place)


def _by_system(rows: Sequence[Result]) -> dict[str, list[Result]]:
    """Rows by system, baselines and ablations first and DeVI last, as in the paper."""
    names = [name for name in _systems(rows) if name != "devi"] + ["devi"]
    groups = {name: [r for r in rows if r["system"] == name] for name in names}
    return {name: group for name, group in groups.items() if group}


def _both(rows: Sequence[Result], system: str) -> tuple[list[Result], list[Result]]:
    """Rows of a method and of DeVI on the clips and seeds where both succeed."""
    found = {
        name: {(r["clip"], r["seed"]): r for r in rows if r["system"] == name and _truth("success_paper")(r)}
        for name in (system, "devi")
    }
    shared = [key for key in found[system] if key in found["devi"]]
    return [found[system][key] for key in shared], [found["devi"][key] for key in shared]


def _error(key: str) -> Score:
    return lambda row: row["evaluation"]["exact"].get(key)


def _truth(key: str) -> Score:
    """1 or 0, and 0 for a run that failed; `None` where the clip cannot tell."""

    def score(row: Result) -> float | None:
        if not row["evaluation"]:
            return 0.0
        value = row["evaluation"]["exact"].get(key)
        return None if value is None else float(value)

    return score


def _perturbed(row: Result) -> float | None:
    return row["evaluation"]["perturbed"].get("success_rate") if row["evaluation"] else 0.0


def _side(name: str) -> Score:
    def score(row: Result) -> float | None:
        side = (row["evaluation"] or {}).get(name)
        return side["perturbed"].get("success_rate") if side else None

    return score


def _passes(bounds: tuple[float, float, float]) -> Score:
    def score(row: Result) -> float | None:
        if not row["evaluation"]:
            return 0.0
        exact = row["evaluation"]["exact"]
        values = [exact.get(key) for key in ("o_obj_rad", "mpjpe_all_mm", "t_obj_mm")]
        if None in values:
            return None
        turn, mpjpe, place = bounds
        return float(values[0] < turn and values[1] < 1e3 * mpjpe and values[2] < 1e3 * place)

    return score


def _spread(rows: Sequence[Result], score: Score) -> str:
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
    spread = f" ± {np.std(means, ddof=1):.{digits}f}" if len(means) > 1 else ""
    return f"{every:.{digits}f}{spread}"


def _paper(values: Sequence[float] | None, i: int) -> str:
    return "-" if values is None else f"{values[i]:.4g}"


def _runs(rows: Sequence[Result]) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = []
    for r in rows:
        status = r["status"] if not r.get("error") else f"{r['status']}: {r['error']}".replace("|", "/")
        minutes, steps = f"{r['trained_minutes']:.1f}", f"{r['environment_steps'] / 1e6:.2f} M"
        lines.append([f"`{r['cell']}`", status, minutes, steps, *made_cells(r)])
    return MADE_NOTE + table(["cell", "", "minutes", "steps", *MADE], lines)
