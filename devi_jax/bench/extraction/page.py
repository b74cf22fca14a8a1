"""From rows to `docs/extraction.md`: a pure function, so that the page says what the rows say and nothing else."""

from collections.abc import Callable, Sequence

import numpy as np

from devi_jax.bench.extraction.jobs import KNOBS, NONE, SCENES
from devi_jax.bench.extraction.targets import DONE, PAPER, STAGES, TARGETS, judged, number, of, short
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import EXTRACTION, Ages, left_out, old_note, split

HEAD = """# Extraction, measured

`python -m devi_jax.bench extract` films, extracts and measures the cells that are missing and writes this page; each
row lies in `docs/extraction/`. Nobody edits it by hand, and an extraction that failed stays in. One scripted video is
measured by `python -m devi_jax.extract FOLDER --truth=FOLDER/clip.npz`.

- The videos are scripted: rendered from a known motion, so all is measured against the truth. They are kinder than
  generated ones: no invented pixels, true shadows, no deformation. The knobs below make them worse.
- **raw**: the body's network alone, hands as they hang. **unified**: body and hands before alignment. **aligned**:
  after visual HOI alignment. **gripped**: with the likeliest grip in place of each seen hold, as it is in the clip.
  Scripted hands hold things by one of the same few hundred grips, to which others come only near: this stage is
  flattered here.
- Pixels are of a picture 1024 x 576. **By the paper's measure** a motion is compared with the estimators' own 2D
  joints, less the constant by which each is off in the first frames, where the human is known: a network's idea of a
  joint is not the skeleton's. **By the truth** is the stricter number, over 51 joints, legs included.
- **C**: contact precision, the share of frames of true contact in which the last joints of the five fingers are on
  average within 0.1 or 0.025 m of the object where it truly is; **d**: their mean distance, d_HOI. The paper cannot
  know where a held object is and measures before it moves: that is **grasp**. **held** is all frames of contact.
- **wrist**: of the hands that act, at contact (from the first touch until the object moves) and while they hold.
- Hands found, their sides and their 2D errors are of the hands that act.
- **object**: its poses in space from its first true motion on, median / 95th percentile; `-` in rows from before there
  were any, and where it was not found for long.
"""


def page(rows: Sequence[Result], ages: Ages, keep_old: bool = False) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order. `ages`: of their commits; old ones if asked."""
    fresh, old = split(sorted(rows, key=_order), ages)
    rows = [*fresh, *old] if keep_old else fresh
    rows.sort(key=_order)
    said = [] if not old else [old_note(old, ages, EXTRACTION) if keep_old else left_out(len(old))]
    done = [r for r in rows if r["status"] == "done"]
    plain = [r for r in done if r["knob"] == NONE]
    turned = {r["scene"] for r in done if r["knob"] != NONE}
    knobs = [r for r in done if r["scene"] in turned]
    count = f"Medians over scenes as they are filmed, without any knob: {len(plain)}.\n"
    parts = [HEAD, *said, "## Against the targets\n", count, _targets(plain)]
    parts += ["## Beside the paper's Table 2\n", count, _table2(plain)]
    parts += ["## Scene by scene\n", _rows(plain, "scene"), _stages(plain)]
    parts += ["## Worse videos\n", _said(), _rows(knobs, "cell")]
    parts += ["## Failed\n", _failed(rows), "## Rows\n", _made(rows, ages)]
    return "\n".join(parts)


def _order(row: Result) -> tuple:
    scene = SCENES.index(row["scene"]) if row["scene"] in SCENES else len(SCENES)
    return scene, row["scene"], list(KNOBS).index(row["knob"])


def _targets(rows: Sequence[Result]) -> str:
    head = ["", "wanted", "median", "worst", "met by", ""]
    return table(head, [judged(target, rows) for target in (*TARGETS, *DONE)])


def _table2(rows: Sequence[Result]) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = [
        [f"paper: {name}", *map(short, px), *map(short, precision), short(d)]
        for name, (px, precision, d) in PAPER.items()
    ]
    for title, px, contact in (("paper's measure", "px_seen", "grasp"), ("truth", "px", "held")):
        for stage in STAGES:
            lines.append([f"{stage}, by the {title}", *_columns(rows, stage, px, contact)])
    truth = [[number(r["measured"]["truth"]["precision"][k]) for r in rows] for k in (0, 1)]
    d = [1e3 * number(r["measured"]["truth"]["d_hoi_m"]) for r in rows]
    lines.append(["the true motion itself", "0", "0", "0", *(_median(v) for v in (*truth, d))])
    note = (
        "By the paper's measure: pixels against the estimators' 2D, contact before the object moves. By the truth: "
        "pixels against the truth, contact in all frames. The paper has 276 generated videos of other scenes.\n\n"
    )
    return note + table(["", "body px", "hand px", "all px", "C 0.1 m", "C 0.025 m", "d mm"], lines)


def _columns(rows: Sequence[Result], stage: str, px: str, contact: str) -> list[str]:
    def over(value: Callable[[Result], float]) -> str:
        return _median([value(r) for r in rows])

    return [
        *(over(lambda r, part=part: of(r, stage, px, part)) for part in ("body", "hand", "all")),
        *(over(lambda r, k=k: of(r, stage, contact, "precision", k)) for k in (0, 1)),
        over(lambda r: 1e3 * of(r, stage, contact, "d_hoi_m")),
    ]


def _rows(rows: Sequence[Result], key: str) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = []
    for r in rows:
        m = r["measured"]
        hands, tracks = m["hands"], m["tracks"]
        lines.append(
            [
                f"`{r[key]}`",
                short(100 * min(number(v) for v in hands["found"].values())),
                short(100 * number(hands["sides"])),
                " / ".join(short(number(hands["px"][p])) for p in ("reach", "grasp", "lift")),
                f"{short(number(tracks['median_px']))} / {short(number(tracks['p95_px']))}",
                f"{short(number(m['labels']['f1']))} ({_signed(number(m['labels']['onset_frames']))})",
                _object(m.get("object")),
                short(1e3 * of(r, "aligned", "joints_m", "all")),
                short(1e3 * of(r, "aligned", "upper_m")),
                f"{short(1e3 * of(r, 'aligned', 'wrist_contact_m'))} / {short(1e3 * of(r, 'aligned', 'wrist_held_m'))}",
                f"{short(of(r, 'aligned', 'px_seen', 'all'))} / {short(of(r, 'aligned', 'px', 'all'))}",
                short(sum(m["seconds"].values())),
            ]
        )
    head = ["", "found %", "sides %", "hand px reach / grasp / lift", "tracks px median / p95", "F1 (onset)"]
    head += ["object mm, degrees", "MPJPE mm", "upper mm", "wrist mm contact / held", "px estimators / truth", "s"]
    return table(head, lines)


def _object(error: dict[str, float] | None) -> str:
    """An object's poses in space: median / 95th percentile of each."""
    if error is None:
        return "-"
    mm, degrees = ((f * error[f"median_{u}"], f * error[f"p95_{u}"]) for f, u in ((1e3, "m"), (1, "deg")))
    return ", ".join(f"{short(median)} / {short(p95)}" for median, p95 in (mm, degrees))


def _stages(rows: Sequence[Result]) -> str:
    """What each stage makes of each scene, in space."""
    if not rows:
        return ""
    lines = []
    for r in rows:
        cells = [f"`{r['scene']}`"]
        for keys in (("joints_m", "all"), ("wrist_contact_m",), ("wrist_held_m",)):
            cells.append(" / ".join(short(1e3 * of(r, stage, *keys)) for stage in STAGES))
        for where in ("grasp", "held"):
            values = [of(r, stage, where, "precision", 1) for stage in STAGES]
            cells.append(" / ".join(short(v) for v in values))
        lines.append(cells)
    head = [" / ".join(STAGES), "MPJPE mm", "wrist at contact mm", "wrist held mm"]
    return table([*head, "C 0.025 m, grasp", "C 0.025 m, held"], lines)


def _said() -> str:
    flags = "; ".join(f"**{name}** `{' '.join(flags)}`" for name, flags in KNOBS.items() if name != NONE)
    return f"What each knob adds to `python -m devi_jax.imagine`: {flags}.\n"


def _failed(rows: Sequence[Result]) -> str:
    failed = [r for r in rows if r["status"] != "done"]
    return table(["cell", "said"], [[f"`{r['cell']}`", r["error"]] for r in failed]) if failed else "None.\n"


def _made(rows: Sequence[Result], ages: Ages) -> str:
    if not rows:
        return "Not run yet.\n"
    return MADE_NOTE + table(["cell", "", *MADE], [[f"`{r['cell']}`", r["status"], *made_cells(r, ages)] for r in rows])


def _median(values: Sequence[float]) -> str:
    there = [v for v in values if not np.isnan(v)]
    return short(float(np.median(there))) if there else "-"


def _signed(frames: float) -> str:
    return "-" if np.isnan(frames) else f"{frames:+.0f}"
