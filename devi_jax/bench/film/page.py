"""From rows to `docs/films.md`: a pure function, so that the page says what the rows say and nothing else."""

from collections.abc import Mapping, Sequence

import numpy as np

from devi_jax.bench.evidence import LABELS, OTHERS, beats_all, graded_rate, side, trivial, verdict
from devi_jax.bench.markdown import MADE, MADE_NOTE, made_cells, table
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import EXTRACTION, LEARNING, Ages, left_out, old_note, paragraph, split

HEAD = """# Real films, measured

`python -m devi_jax.bench film --folder=FILMS` takes the films of [films.toml](films.toml) through `scene`, `extract`,
`clips check` and `train`, one after another, and writes this page; each row lies in `docs/films/`. Nobody edits it by
hand, and a film that failed stays in, with the step that refused it and its figure.

- The films are other people's and not in this repository. What shows their pixels stays in `runs/films/`: `overlay.png`
  of every scene, `clip-overlay.mp4` of every clip, `beside.mp4` and `beside.png`, the film beside the simulation.
- Nobody has the truth of them. A clip is held against what was seen of its own film, and a policy succeeds by its own
  clip: object lifted and left as the clip has it, body and object within 0.2 m on average.
- **given**: all that was said by hand, flags of `scene` and `extract`.
- Pixels are of a picture 1024 wide; **wrists** and **knuckles** are those of the clip, from where networks see them,
  median / 95th percentile. **followed**: the share of frames in which something shows where the thing is, of those in
  which it moves. **tracks**: of its points that are alive then; and how far it is from them, px.
- **easy** and **hard** starts: 256 each, as in [results.md](results.md). **follow**: the clip's targets, carried along
  with where the object stands; **plan**, where one was searched and taken instead. **beats**: whether the policy is
  better than these beyond chance, and worse than none.
"""

WRISTS, KNUCKLES = "wrists from their landmarks", "knuckles from their landmarks"
PX_MEDIAN, PX_P95, SCENE_S, EXTRACT_S = 15.0, 40.0, 60.0, 60.0
"""Bounds of the targets: wrists in pixels; seconds of a scene of five seconds, and of extracting a hundred frames."""
FIVE_S = 150
"""Frames of five seconds, as most films have them."""


def page(rows: Sequence[Result], ages: Ages, keep_old: bool = False, pictures: Mapping[str, str] | None = None) -> str:
    """The page. `rows`: as `jobs.collect` makes them. `ages`: of their commits. `pictures`: files of cells, if any."""
    fresh, old = split(sorted(rows, key=lambda r: (r["film"], r["root"] or "", r.get("seed", 0))), ages)
    watched = tuple(dict.fromkeys((*EXTRACTION, *LEARNING)))
    said = [] if not old else [old_note(old, ages, watched) if keep_old else left_out(len(old))]
    shown = [*fresh, *(old if keep_old else [])]
    films, learned = ([r for r in shown if bool(r["root"]) is policy] for policy in (False, True))
    parts = [HEAD, *said, "## Against the targets\n", targets(films, learned)]
    parts += ["## Films\n", _films(films), "## What scenes are made of\n", _found(films)]
    parts += ["## Policies\n", _policies(learned), *_pictures(learned, pictures or {})]
    parts += ["## Refused, or warned of\n", _refused(films, learned), _warned(films)]
    parts += ["## Sources\n", _sources(films), "## Rows\n", _made(shown, ages)]
    return "\n".join(parts)


def figure(row: Result, name: str) -> float:
    """A figure of a film's clip; NaN where there is none."""
    values = [f["value"] for f in row["quality"] if f["name"] == name]
    return float("nan") if not values or values[0] is None else float(values[0])


def targets(films: Sequence[Result], learned: Sequence[Result]) -> str:
    """What was aimed at, and by how many films it is met."""
    if not films:
        return "Not run yet.\n"
    clips = [r for r in films if r["quality"]]
    scenes = [r for r in films if r["frames"]]
    succeeds = {r["film"] for r in learned if r["evaluation"] and r["evaluation"]["exact"]["success"]}
    better = {r["film"] for r in learned if beats_all(r["evaluation"]) and not trivial(r["evaluation"])}
    near = [r for r in clips if figure(r, f"{WRISTS}, median") <= PX_MEDIAN]
    far = [r for r in clips if figure(r, f"{WRISTS}, 95th percentile") <= PX_P95]
    soon = [r for r in scenes if r["seconds"]["scene"] * FIVE_S / r["frames"] <= SCENE_S]
    quick = [r for r in clips if r["seconds"]["extract"] * 100 / r["frames"] <= EXTRACT_S]
    lines = [
        [f"clip's wrists within {PX_MEDIAN:g} px in the median", f"{len(near)} of {len(clips)} clips"],
        [f"and {PX_P95:g} px at the 95th percentile", f"{len(far)} of {len(clips)} clips"],
        ["becomes a clip", f"{len(clips)} of {len(films)}"],
        ["has a policy that succeeds from the exact start", f"{len(succeeds)} of {len(films)} (three of four wanted)"],
        ["has one that beats plan, follow, replay and doing nothing beyond chance", f"{len(better)} of {len(films)}"],
        [f"scene of five seconds within {SCENE_S:g} s", f"{len(soon)} of {len(scenes)} scenes"],
        [f"a hundred frames extracted within {EXTRACT_S:g} s", f"{len(quick)} of {len(clips)} clips"],
    ]
    return table(["a film", "met by"], lines)


def _films(rows: Sequence[Result]) -> str:
    if not rows:
        return "Not run yet.\n"
    head = ["film", "shows", "given", "came to", "frames", "wrists px", "knuckles px", "followed"]
    head += ["tracks, px", "scene s", "extract s a 100 frames"]
    lines = []
    for r in rows:
        came = "a clip" if r["quality"] else f"refused by `{r['failed']}`"
        given = " ".join([*r["shown"]["scene"], *r["shown"]["extract"]])
        seconds, tracks = r["seconds"], figure(r, "tracks alive while it moves")
        per = 100 * seconds["extract"] / r["frames"] if r["frames"] and "extract" in seconds else float("nan")
        lines.append(
            [
                *(f"`{r['film']}`", r["shown"]["shows"], f"`{given}`", came, str(r["frames"] or "-")),
                *(_pair(r, name) for name in (WRISTS, KNUCKLES)),
                _short(figure(r, "object followed while it moves"), 2),
                f"{_short(tracks, 2)}, {_pair(r, 'object from its tracks')}",
                *(_short(seconds.get("scene", float("nan")), 0), _short(per, 0)),
            ]
        )
    return table(head, lines)


def _pair(row: Result, name: str) -> str:
    return " / ".join(_short(figure(row, f"{name}, {part}"), 1) for part in ("median", "95th percentile"))


def _short(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def _found(rows: Sequence[Result]) -> str:
    """How each scene knows its camera, its scale and its person, in `scene`'s own words."""
    lines = [[f"`{r['film']}`", *(r["found"].get(k, "-") for k in ("focal", "tilt", "scale", "person"))] for r in rows]
    return table(["film", "focal length", "tilt", "scale", "person"], lines) if lines else "Not run yet.\n"


def _policies(rows: Sequence[Result]) -> str:
    if not rows:
        return "Not run yet.\n"
    sides = ("policy", *OTHERS)
    head = ["cell", *(LABELS.get(s, s) + ", easy" for s in sides), *(LABELS.get(s, s) + ", hard" for s in sides)]
    head += ["beats", "MPJPE mm", "T_obj mm", "lift"]
    lines = []
    for r in rows:
        e = r["evaluation"]
        rates = [graded_rate(e, g, s) if s == "policy" or side(e, s) else None for g in ("easy", "hard") for s in sides]
        exact = e["exact"] if e else {}
        numbers = [exact.get("mpjpe_all_mm"), exact.get("t_obj_mm")]
        lift = exact.get("lift_ratio")
        lines.append(
            [
                f"`{r['cell']}`" + (f" (failed: {r['error']})" if r["status"] != "done" else ""),
                *("-" if rate is None else f"{100 * rate:.1f} %" for rate in rates),
                "; ".join(f"{LABELS[s]}: {verdict(e, s)}" for s in OTHERS if e and verdict(e, s)) or "-",
                *("-" if n is None else f"{n:.1f}" for n in numbers),
                "-" if lift is None else f"{100 * lift:.0f} %",
            ]
        )
    return table(head, lines)


def _pictures(rows: Sequence[Result], pictures: Mapping[str, str]) -> list[str]:
    drawn = [r["cell"] for r in rows if r["cell"] in pictures]
    return [f"![{cell}: the clip above its policy]({pictures[cell]})\n" for cell in drawn]


def _refused(films: Sequence[Result], learned: Sequence[Result]) -> str:
    failed = [r for r in [*films, *learned] if r["status"] != "done"]
    lines = [[f"`{r['cell']}`", f"`{r.get('failed') or 'train'}`", r["error"] or "-"] for r in failed]
    return table(["cell", "step", "said"], lines) if lines else "None was refused.\n"


def _warned(rows: Sequence[Result]) -> str:
    """What was unusual about the clips, by their extraction and by `clips check`."""
    lines = []
    for r in rows:
        unusual = [f for f in r["quality"] if f["verdict"] not in ("ok", "not measured")]
        told = [
            f"{f['name']} {f['value']:.3g} {f['unit']}".strip()
            for f in [*unusual, *r["warned"]]
            if f["value"] is not None
        ]
        if told:
            lines.append([f"`{r['film']}`", "; ".join(told)])
    return table(["clip", "unusual"], lines) if lines else ""


def _sources(rows: Sequence[Result]) -> str:
    lines = []
    for r in rows:
        shown = r["shown"]
        digest = f"`{shown['sha256'][:16]}`" if shown["sha256"] else "-"
        lines.append([f"`{r['film']}`", f"`{shown['file']}`", shown["source"], shown["licence"], digest])
    return table(["film", "file", "from", "licence", "SHA-256 begins"], lines) if lines else "Not run yet.\n"


def _made(rows: Sequence[Result], ages: Ages) -> str:
    if not rows:
        return "Not run yet.\n"
    lines = []
    for r in rows:
        minutes = f"{r['trained_minutes']:.1f} of {r['minutes']:g}" if r["root"] else "-"
        of_clip = (r.get("clip_commit") or "-")[:10]
        lines.append([f"`{r['cell']}`", r["status"], minutes, of_clip, *made_cells(r, ages)])
    note = paragraph("A policy's clip may be of an earlier commit than the policy: its own stands beside it.")
    return note + "\n" + MADE_NOTE + table(["cell", "", "minutes", "its clip's commit", *MADE], lines)
