"""From rows to the page of the ablation of the object's reward: a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.bench.ablation.jobs import ARMS, COMMON, GRADE, OF_DEGRADED, TRACKS
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import LEARNING, Ages, left_out, old_note, split

MOST = 0.3
"""Share of easy starts up to which the replay of a clip may succeed; above it a plan has little to show."""
GRADES = ("easy", "hard")
DRAWS = 10_000
"""Bootstrap samples of clips."""

HEAD = f"""# Is the object in 2D enough?

`python -m devi_jax.bench ablation` searches for the plans that are missing and writes this page; each row lies in the
folder beside it. Nobody edits it by hand. A plan that fails stays in; a search that did not end leaves no row.

DeVI's claim is that a reward that sees the object only as points in the picture does as well as one that knows its pose
in space. Here plans are searched by four rewards, alike in all else: **2D** is DeVI's, **6-DoF** has errors of the
object's place and turn in its stead, **contact** nothing in its stead, and **human** no reward for contact either.
Clips are of grade {GRADE}, and such that the hands do not say where the object is.

- Of three plans and the clip's own targets those of the highest mean reward from perturbed starts are taken; success,
  which is judged in space, is no part of it: `train {" ".join(COMMON)}`.
- Tracks are **exact**, the clip's poses projected; or of {TRACKS["noise"].noise_px:.0f} pixels of **noise**; or
  {100 * TRACKS["hidden"].hidden:.0f} % of the points are **hidden** at a time; or **one-sided**, of the surface that
  faces the camera. Of degraded tracks 2D gets the points, 6-DoF the poses that they tell by perspective-n-point,
  smoothed, and success is judged by the recorded poses (`clips degrade-tracks`, `evaluate --truth`).
- Before contact the hands follow the object, by its pose, in all: of degraded tracks by the pose that these tell.
- Success as in [results.md](results.md), of 256 easy and 256 hard starts. A clip counts where its replay succeeds from
  at most {100 * MOST:.0f} % of easy starts.
- No policy is learned: what is compared is what a search finds by each reward.
"""

PAIRS = f"""Means over pairs of one clip and seed, in points of success; 95 % interval of a bootstrap over clips
({DRAWS} samples): the seeds of a clip are no independent clips.
"""


@dataclass(frozen=True)
class Difference:
    """Of two arms over `pairs` of a clip and a seed from `clips` clips: mean and interval of a rate of success."""

    pairs: int
    clips: int
    mean: float
    low: float
    high: float


def difference(rows: Sequence[Result], one: str, other: str, grade: str, tracks: str = "exact") -> Difference | None:
    """How much more often the plans of one arm succeed than those of another; None without a pair."""
    rates = {(r["clip"], r["seed"], r["arm"]): plan_rate(r, grade) for r in rows if r["tracks"] == tracks}
    pairs = [
        (clip, rates[clip, seed, one] - rates[clip, seed, other])
        for clip, seed, arm in rates
        if arm == one and (clip, seed, other) in rates
    ]
    if not pairs:
        return None
    clips = sorted({clip for clip, _ in pairs})
    of_clip = [np.array([gap for name, gap in pairs if name == clip]) for clip in clips]
    drawn = np.random.default_rng(0).integers(len(clips), size=(DRAWS, len(clips)))
    sums, counts = (np.array([f(x) for x in of_clip], float) for f in (np.sum, len))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(len(pairs), len(clips), float(sums.sum() / counts.sum()), float(low), float(high))


def plan_rate(row: Result, grade: str) -> float:
    """Share of a grade's starts from which the targets of the highest reward succeed."""
    return row["grades"][grade]["success"][row["best"]]


def counting(rows: Sequence[Result]) -> list[Result]:
    """Rows of clips whose replay succeeds seldom enough that a plan has something to show."""
    replay: dict[str, list[float]] = {}
    for row in rows:
        replay.setdefault(row["clip"], []).append(row["grades"]["easy"]["success"]["reference"])
    return [row for row in rows if np.mean(replay[row["clip"]]) <= MOST]


def page(rows: Sequence[Result], ages: Ages, keep_old: bool = False) -> str:
    """The page. `rows`: as `jobs.collect` makes them, in any order; `ages`: of their commits."""
    arms, kinds = list(ARMS), list(TRACKS)
    fresh, old = split(
        sorted(rows, key=lambda r: (r["clip"], kinds.index(r["tracks"]), arms.index(r["arm"]), r["seed"])), ages
    )
    parts = [HEAD, *_tables(fresh, "##")]
    if old and keep_old:
        parts += ["## Old rows\n", old_note(old, ages, LEARNING), *_tables(old, "###")]
    elif old:
        parts += [left_out(len(old))]
    return "\n".join([*parts, "## Runs\n", _runs([*fresh, *(old if keep_old else [])], ages)])


def _tables(rows: Sequence[Result], level: str) -> list[str]:
    if not rows:
        return ["Not run yet.\n"]
    count = counting(rows)
    lines = [
        _against(count, other, grade, tracks)
        for tracks in TRACKS
        for grade in GRADES
        for other in (ARMS if tracks == "exact" else OF_DEGRADED)
        if other != "2D"
    ]
    return [
        f"{level} 2D against the others\n",
        PAIRS,
        table(["2D less", "tracks", "starts", "pairs", "clips", "difference", "95 % interval"], lines),
        f"{level} Clip by clip\n",
        "Median over seeds (least to most), in percent of easy starts / of hard ones. Poses off: by how much those "
        "that the tracks tell differ from the recorded ones (RMS over the clip, mean over seeds).\n",
        table(["clip", "tracks", "poses off", "counts", "seeds", *ARMS, "replay", "do nothing"], _by_clip(rows, count)),
    ]


def _against(rows: Sequence[Result], other: str, grade: str, tracks: str) -> list[str]:
    found = difference(rows, "2D", other, grade, tracks)
    if found is None:
        return [other, tracks, grade, "0", "0", "not run", "-"]
    interval = "one clip has none" if found.clips < 2 else f"{100 * found.low:+.0f} to {100 * found.high:+.0f}"
    return [other, tracks, grade, str(found.pairs), str(found.clips), f"{100 * found.mean:+.0f}", interval]


def _by_clip(rows: Sequence[Result], count: Sequence[Result]) -> list[list[str]]:
    lines = []
    for clip, tracks in dict.fromkeys((r["clip"], r["tracks"]) for r in rows):
        mine = [r for r in rows if (r["clip"], r["tracks"]) == (clip, tracks)]
        arms = [_spread([r for r in mine if r["arm"] == arm]) for arm in ARMS]
        seeds = str(len({r["seed"] for r in mine}))
        counts = "yes" if any(r["clip"] == clip for r in count) else "no"
        idle = [_spread(mine, side) for side in ("reference", "nothing")]
        lines.append([clip, tracks, _off(mine), counts, seeds, *arms, *idle])
    return lines


def _off(rows: Sequence[Result]) -> str:
    """How far the poses that degraded tracks tell are from the recorded ones."""
    off = [r["poses_off"] for r in rows if r["poses_off"]]
    if not off:
        return "-"
    return f"{1e3 * np.mean([x['rms_m'] for x in off]):.0f} mm, {np.mean([x['rms_rad'] for x in off]):.2f} rad"


def _spread(rows: Sequence[Result], side: str | None = None) -> str:
    """Median, least and most of the rates of a side, else of the best targets, in both grades."""
    if not rows:
        return "-"
    told = []
    for grade in GRADES:
        rates = np.array([100 * r["grades"][grade]["success"][side or r["best"]] for r in rows])
        some = f" ({rates.min():.0f} to {rates.max():.0f})" if np.ptp(rates) >= 0.5 else ""
        told.append(f"{np.median(rates):.0f}{some}")
    return " / ".join(told)


def _runs(rows: Sequence[Result], ages: Ages) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = []
    for r in rows:
        searched = [a for a in r["attempts"] if a["stage"].startswith("search")]
        minutes = f"{r['attempts'][-1]['minutes']:.1f}"
        lines.append([f"`{r['cell']}`", str(len(searched)), minutes, *made_cells(r, ages)])
    return MADE_NOTE + table(["cell", "searches", "minutes", *MADE], lines)
