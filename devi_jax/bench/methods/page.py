"""From rows to the page of a comparison, in the layout of DeVI's Table 1: a pure function."""

from collections.abc import Sequence

from devi_jax.bench.evidence import PASSES
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.methods.tables import all_clips, clip_by_clip, place, table_1, trivial_clips, with_idle
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import LEARNING, Ages, left_out, old_note, split

HEAD = f"""# Methods compared

`python -m devi_jax.compare` trains the cells that are missing and writes this page; each row lies in the folder beside
it. Nobody edits it by hand, and a run that failed stays in.

- Every system has its own reward, termination and goal ([fidelity.md](fidelity.md)), and the same body, physics,
  networks, learner, recipe, length of training and evaluator. Where the recipe plans first, a plan's score is the
  system's own reward.
- Errors are means over the whole clip from its exact start; nothing is cut off after a fall. Numbers are means over
  clips, **±** their standard deviation over seeds, where there are several.
- **†** is the paper's own number: 16 clips of GRAB, Isaac Gym, about 20 hours on an A6000 each. Here are other clips,
  another simulator and minutes: not comparable with ours, only its order of methods is.
- **policy** is what was learned. **plan** (where one was searched and taken), **replay** of the reference and **do
  nothing** (the body in its first pose) are open loop and no policies; replay and doing nothing stand among the methods
  so that a method can be told from them. `-`: not measured. **better than they**: in how many runs the policy is better
  than all of them beyond chance.
- A clip is **trivial** where replay or doing nothing succeeds from more than {100 * PASSES:.0f} % of the perturbed
  starts. Tables of errors leave such clips out: there a method is measured by how little it spoils.
- The paper's Table 3, success under bounds on the mean errors, is not here: an object that is never touched passes it.
"""

PAIRED = """Errors on the clips and seeds where both succeed as the paper means it: MPJPE (all) and T_obj below 0.2 m.
"""

EVERY = """Errors of every run that ended, success or not. **success** also wants the object lifted and left where the
clip has it; **perturbed**: success over starts with object, mass and friction changed, and a push.
"""

CLIPS = """Success from perturbed starts, and errors from the exact one.
"""


def page(rows: Sequence[Result], ages: Ages, keep_old: bool = False) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order; each setting has its own tables.

    `ages`: of their commits; what is old stands below a heading that says so if `keep_old`, else only its count does.
    """
    fresh, old = split(sorted(rows, key=_order), ages)
    parts = [HEAD, *_settings(fresh, "##")]
    parts += [] if fresh else ["Not run yet.\n"]
    if old and keep_old:
        parts += ["## Old rows\n", old_note(old, ages, LEARNING), *_settings(old, "###")]
    elif old:
        parts += [left_out(len(old))]
    return "\n".join([*parts, "## Runs\n", _runs([*fresh, *(old if keep_old else [])], ages)])


def _setting(row: Result) -> tuple[str, str, str]:
    return row["root"], row["recipe"], row["budget"]


def _order(row: Result) -> tuple:
    return row["root"] != "pinned", row["recipe"], row["budget"], row["clip"], *place(row["system"]), row["seed"]


def _settings(rows: Sequence[Result], level: str) -> list[str]:
    settings = dict.fromkeys(_setting(row) for row in rows)
    return [_tables(setting, [r for r in rows if _setting(r) == setting], level) for setting in settings]


def _tables(setting: tuple[str, str, str], rows: Sequence[Result], level: str) -> str:
    root, recipe, budget = setting
    pelvis = "Pinned pelvis" if root == "pinned" else "On its own feet"
    clips = list(dict.fromkeys(r["clip"] for r in rows))
    seeds = len({r["seed"] for r in rows})
    counted = counting(rows)
    return "\n".join(
        [
            f"{level} {pelvis}, recipe {recipe}, {budget} each\n",
            f"{len(clips)} clips ({', '.join(clips)}), {len(trivial_clips(rows))} of them trivial, "
            f"{seeds} {'seed' if seeds == 1 else 'seeds'}.\n",
            f"{level}# Table 1: errors where both succeed\n",
            PAIRED,
            table_1(with_idle(counted)),
            f"{level}# Errors over all clips\n",
            EVERY,
            all_clips(with_idle(counted)),
            f"{level}# Clip by clip\n",
            CLIPS,
            clip_by_clip(rows),
        ]
    )


def counting(rows: Sequence[Result]) -> list[Result]:
    """The rows of clips that are not trivial."""
    easy = trivial_clips(rows)
    return [r for r in rows if r["clip"] not in easy]


def summary(rows: Sequence[Result], ages: Ages, page_name: str, keep_old: bool = False) -> str:
    """For a page beside this one: every setting's methods over all its clips, and how that came about."""
    parts = []
    fresh, old = split(sorted(rows, key=_order), ages)
    for setting in dict.fromkeys(_setting(row) for row in fresh):
        mine = [r for r in fresh if _setting(r) == setting]
        parts += [f"`{command(setting, mine)}`\n", all_clips(with_idle(counting(mine)))]
        machines = dict.fromkeys("commit {}, {}".format(*(made_cells(r, ages)[k] for k in (0, 2))) for r in mine)
        minutes = sum(r["trained_minutes"] for r in mine)
        parts += [f"{len(mine)} runs, {minutes:.0f} minutes of training; {'; '.join(machines)}.\n"]
    kept = f"{len(old)} rows of old code stand there.\n" if keep_old else left_out(len(old))
    said = f"More in [{page_name}]({page_name}): where two methods both succeed, and the paper's own numbers.\n"
    return "\n".join([*(parts or ["Not run yet with code as it is.\n"]), *([kept] if old else []), said])


def command(setting: tuple[str, str, str], rows: Sequence[Result]) -> str:
    """The command that makes the rows of a setting."""
    root, recipe, budget = setting
    clips, systems = (list(dict.fromkeys(r[key] for r in rows)) for key in ("clip", "system"))
    number, unit = budget.split()
    flags = f"--seeds={len({r['seed'] for r in rows})} --{unit}={number} --roots={root} --recipe={recipe}"
    return f"python -m devi_jax.compare --clips {' '.join(clips)} --systems {' '.join(systems)} {flags}"


def _runs(rows: Sequence[Result], ages: Ages) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = []
    for r in rows:
        status = r["status"] if not r.get("error") else f"{r['status']}: {r['error']}".replace("|", "/")
        minutes, steps = f"{r['trained_minutes']:.1f}", f"{r['environment_steps'] / 1e6:.2f} M"
        lines.append([f"`{r['cell']}`", status, minutes, steps, *made_cells(r, ages)])
    return MADE_NOTE + table(["cell", "", "minutes", "steps", *MADE], lines)
