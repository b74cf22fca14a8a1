"""From rows to `docs/results.md`: a pure function, so that the page says what the rows say and nothing else."""

from collections.abc import Sequence

from devi_jax.bench.evidence import OTHERS, PASSES, beats_all, trivial, verdict
from devi_jax.bench.learning.jobs import ABLATIONS, CAPTURE, FULL
from devi_jax.bench.learning.tables import ablations, grades, groups, noise, runs
from devi_jax.bench.learning.targets import HEAD as TARGETS_HEAD
from devi_jax.bench.learning.targets import TARGETS, target_line
from devi_jax.bench.markdown import table
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import LEARNING, Ages, left_out, old_note, paragraph, split
from devi_jax.datasets.bundled_sets import GRADES, SUITE

HEAD = f"""# Learning, measured

`python -m devi_jax.bench learning` trains the cells that are missing and writes this page; each row lies in
`docs/results/`. Nobody edits it by hand, and a run that failed stays in.

- **success**: mean joint error and mean object error below 0.2 m *and* the object lifted to within 30 % of the
  reference's height and left where the clip leaves it; without an object, below 0.2 m in every frame, as a mean hides a
  fall. **parity**: MPJPE ≤ 26 mm and T_obj ≤ 22 mm, the paper's own.
- **perturbed**, or **easy**: the rate of success over starts that neither planning nor training has met, with the
  object moved by up to 2 cm and 15°, its mass times 0.5 to 2, its friction times 0.7 to 1.3, and a push of 5 N s on the
  pelvis.
- What is **no policy** meets the same starts open loop: the **plan**, where one was searched and taken; the
  **replay** of the reference; **do nothing**, the body in its first pose. `-`: not measured, or no plan was searched,
  because the replay did well enough; **follow**, the clip's targets, carried along with where the object stands, where
  there is no plan. **beats them**: in how many runs the policy is better beyond chance than each of these, from easy or
  from hard starts, and worse from neither (exact sign test over the same starts, p < 0.05 over both grades).
- **trivial**: replay or doing nothing succeeds from more than {100 * PASSES:.0f} % of those starts. What a policy
  scores there says little about learning, and counts in no headline. Where doing nothing was not measured, replay
  alone decides.
- Times are minutes on the wall from the start of the command, planning and compilation included, until an evaluation
  first passed; medians over clips and seeds, where a run that never passed counts as infinitely long. They count only
  for policies that ended better than plan and replay: else it is those who passed, and `-` stands there.
- **frames**: the share of the clip, from its exact start, before a bound that ends an episode is exceeded.
- **pinned**: the pelvis follows the clip through stiff springs. **free**: it stands on its own feet.
"""

CURVES = "Success from perturbed starts over minutes of training; dotted: the replay of the reference"


def results(
    rows: Sequence[Result], ages: Ages, keep_old: bool = False, curves: str | None = None, compared: str | None = None
) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order. `curves`: file name of their picture, if any.

    `ages`: of their commits; what is old stands below a heading that says so if `keep_old`, else only its count does.
    `compared`: what `methods.page.summary` says of the comparison of methods, if there is one.
    """
    fresh, old = split(sorted(rows, key=_order), ages)
    shown = [*fresh, *(old if keep_old else [])]
    picture = [f"![{CURVES}]({curves})\n"] if curves else []
    parts = [HEAD, "## Against the targets\n", _targets(fresh)]
    parts += [left_out(len(old))] if old and not keep_old else []
    parts += ["No row is of the code as it is.\n"] if old and not fresh else _sections(fresh, "##", picture)
    if old and keep_old:
        parts += ["## Old rows\n", old_note(old, ages, LEARNING), *_sections(old, "###", [] if fresh else picture)]
    if compared:
        parts += ["## Methods compared\n", compared]
    parts += ["## Runs\n", runs(shown, ages)]
    return "\n".join(parts)


def _sections(rows: Sequence[Result], level: str, picture: list[str]) -> list[str]:
    """What rows came to in a sentence, their picture, and their tables below headings of a level."""
    made_here = [r for r in rows if r["variant"] == FULL and r["grade"] != CAPTURE]
    suite = [r for r in made_here if r["clip"] in SUITE]
    beyond = [r for r in made_here if r["clip"] not in SUITE]
    capture = [r for r in rows if r["variant"] == FULL and r["grade"] == CAPTURE]
    parts = [
        in_short(rows),
        *picture,
        f"{level} Clip by clip\n",
        groups(suite, ("clip", "grade", "root")),
        grades(suite),
    ]
    if beyond:
        parts += [f"{level} Beyond the suite\n", "Several things on a table, two hands, the floor.\n"]
        parts += [groups(beyond, ("clip", "grade", "root")), grades(beyond)]
    parts += [f"{level} Without parts of the recipe\n", ablations(rows)]
    parts += [f"{level} Real capture\n", groups(capture, ("clip", "root")), grades(capture), noise(capture)]
    return [part for part in parts if part]


def in_short(rows: Sequence[Result]) -> str:
    """In how many rows the policy is better than all that is no policy, or worse than some of it; of how many clips."""
    done = [r for r in rows if r["evaluation"]]
    if not done:
        return ""
    better = [r for r in done if beats_all(r["evaluation"])]
    worse = [r for r in done if "worse" in [verdict(r["evaluation"], name) for name in OTHERS]]
    hard = [r for r in done if not trivial(r["evaluation"])]
    return paragraph(
        f"Of {len(done)} rows the policy is better than all that is no policy in {len(better)}, worse than some of it "
        f"in {len(worse)}, neither in the rest. {len(hard)} rows are of clips that are not trivial; of these it is "
        f"better in {len([r for r in hard if r in better])}."
    )


def _order(row: Result) -> tuple:
    clip = SUITE.index(row["clip"]) if row["clip"] in SUITE else len(SUITE)
    grade = GRADES.index(row["grade"]) if row["grade"] in GRADES else len(GRADES)
    variants = [FULL, *ABLATIONS]
    variant = variants.index(row["variant"]) if row["variant"] in variants else len(variants)
    return variant, row["variant"], clip, row["clip"], row["root"] != "pinned", grade, row["seed"]


def _targets(rows: Sequence[Result]) -> str:
    note = "On two cores, in minutes of learning; clips that are trivial are left out.\n\n"
    return note + table(TARGETS_HEAD, [target_line(rows, target) for target in TARGETS])
