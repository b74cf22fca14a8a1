"""`python -m devi_jax.clips list|show|convert|check|repair|degrade-tracks`: the clips, and how good they are."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from devi_jax.core.clip import Clip, body_only, crop, resample
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.core.errors import ClipError, exit_on_error
from devi_jax.core.scene import ObjectSpec
from devi_jax.datasets import clip_quality, preview
from devi_jax.datasets.bundled_sets import SETS, clip_set
from devi_jax.datasets.grounding import lower_to_floor, move_to_origin
from devi_jax.datasets.load import READABLE, bundled, resolve
from devi_jax.datasets.repair_options import RepairOptions

Name = tyro.conf.Positional[str]
_ALL = RepairOptions()
MOST_POINTS = 4096
LARGEST_MARGIN_M = 0.1
"""Beyond this even both feet together leave no place for a centre of mass."""


def list_clips(
    of_set: Annotated[str | None, tyro.conf.arg(name="set", help=f"only one of {', '.join(SETS)}")] = None,
) -> None:
    """List the clips that come with the project, or those of one set."""
    known = bundled()
    clips = [load_clip(known[name]) for name in (known if of_set is None else clip_set(of_set))]
    rows = [["name", "frames", "seconds", "object", "contact"]]
    rows += [[c.name, str(c.frames), f"{c.duration_s:.1f}", _object(c.scene.object), _contact(c)] for c in clips]
    print(_table(rows))
    print(f"\nA clip .npz, or {READABLE}, can stand wherever a name can.")


def show(
    clip: Name,
    mesh: Annotated[Path | None, tyro.conf.arg(help="object mesh of a foreign recording")] = None,
    plot: Annotated[Path | None, tyro.conf.arg(help="write an overview picture (.png)")] = None,
) -> None:
    """Show what a clip holds: header, scene, ranges, provenance.

    Args:
        clip: a bundled name, a clip .npz, or a foreign recording.
    """
    c = resolve(clip, mesh)
    table = c.scene.table
    rows = [
        ["name", c.name],
        ["frames", f"{c.frames} at {c.fps:g} fps, {c.duration_s:.1f} s"],
        ["table", f"{table.size} m at {table.centre}" if table else "none"],
        ["object", _object(c.scene.object)],
        ["object poses", "yes" if c.object_poses else "no"],
        ["object tracks", f"{c.object_tracks.points_px.shape[1]} points" if c.object_tracks else "no"],
        ["camera", f"{c.camera.width} x {c.camera.height}" if c.camera else "none, the environment picks one"],
        ["contact", _contact(c)],
        ["joints within", _range(c.joint_positions)],
    ]
    if c.object_poses is not None:
        rows.append(["object within", _range(c.object_poses.positions)])
    print(_table(rows))
    print("provenance " + json.dumps(c.provenance, indent=2))
    if plot is not None:
        print(f"wrote {preview.overview(c, plot)}")


def convert(
    source: Name,
    out: Path,
    mesh: Path | None = None,
    mass: float | None = None,
    model: Path | None = None,
    sequence: str | None = None,
    ground: bool = False,
    body: bool = False,
    start: int = 0,
    stop: int | None = None,
    fps: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write a clip file of a foreign recording, or of a part of a clip.

    Args:
        source: a foreign recording (docs/clips.md lists them), a clip .npz, or a bundled name.
        out: the clip file (.npz) to write.
        mesh: the object's mesh (.obj, .stl, .ply, .glb), or .npy points whose convex hull is taken.
        mass: mass of the object in kg; without it an assumption stands in the clip's provenance.
        model: your SMPL-X or SMPL-H .npz, which GRAB and AMASS need.
        sequence: the name of one of the sequences in an OMOMO pickle.
        ground: lower the human by the measured float of its feet.
        body: keep the human alone, without the object.
        start: first frame to keep.
        stop: frame after the last to keep; without it all.
        fps: resample to this rate.
        overwrite: replace an existing file.
    """
    _check_out(out, overwrite)
    if fps is not None and not 1 <= fps <= 1000:
        raise ClipError(f"cannot resample to {fps} fps", where="--fps", valid="1 to 1000")
    clip = resolve(source, mesh, mass, model, sequence)
    if start or stop is not None:
        clip = crop(clip, start, clip.frames if stop is None else stop)
        if clip.scene.table is None and clip.camera is None:
            clip = move_to_origin(clip)
    if body:
        clip = body_only(clip)
    if fps is not None:
        clip = resample(clip, fps)
    if ground:
        clip = lower_to_floor(clip)
    _save(clip, out)
    print(f"wrote {out}: {clip.frames} frames at {clip.fps:g} fps")
    for note in clip.provenance.get("assumptions", []):
        print(f"  assumed  {note}")


def check(
    clip: Name,
    mesh: Path | None = None,
    simulate: bool = True,
    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False,
) -> None:
    """Measure what a clip is worth before any training: ok or warn, and what to do. Warnings do not fail.

    Args:
        clip: a bundled name, a clip .npz, or a foreign recording.
        mesh: the object's mesh of a foreign recording.
        simulate: also rest the object, look for overlap, replay the clip open loop, and tell what DeVI's reward makes
            of it done well, not done or done wrong; some seconds each.
        as_json: print JSON in place of the table.
    """
    c = resolve(clip, mesh)
    findings, factors = clip_quality.measure(c), []
    if simulate:
        from devi_jax.clip_tools.check import examine

        found, factors = examine(c)
        findings += found
    if as_json:
        out = {
            "clip": c.name,
            "findings": [dataclasses.asdict(f) | {"verdict": f.verdict} for f in findings],
            "factors": [dataclasses.asdict(f) | {"blind": f.blind} for f in factors],
        }
        print(json.dumps(out, indent=2))
        return
    rows = [["finding", "value", "limit", "verdict", "what to do"]]
    rows += [
        [f.name, f"{f.value:.4g} {f.unit}", f.limit, f.verdict, f.advice if f.verdict == "warn" else ""]
        for f in findings
    ]
    print(_table(rows))
    if factors:
        from devi_jax.clip_tools.reward_factors import HEAD, factor_table

        print(f"\n{HEAD}\n{_table(factor_table(factors))}")


def repair(
    clip: Name,
    out: Path,
    how: tyro.conf.OmitArgPrefixes[RepairOptions] = _ALL,
    mesh: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write a clip that can be tracked: smooth, on a table, feet on the floor, balanced, hands out of the object.

    Args:
        clip: a bundled name, a clip .npz, or a foreign recording.
        out: the clip file (.npz) to write.
        how: what to repair.
        mesh: the object's mesh of a foreign recording.
        overwrite: replace an existing file.
    """
    from devi_jax.clip_tools.repair import repair_clip

    _check_out(out, overwrite)
    if not 0 <= how.sigma <= 30:
        raise ClipError(f"cannot smooth by {how.sigma} frames", where="--sigma", valid="0 to 30 frames")
    if not 0 <= how.margin_m <= LARGEST_MARGIN_M:
        raise ClipError(
            f"a centre of mass {how.margin_m} m inside the soles' edge",
            where="--margin-m",
            valid=f"0 to {LARGEST_MARGIN_M} m: soles are about 0.1 m wide",
        )
    c = repair_clip(resolve(clip, mesh), how)
    _save(c, out)
    print(f"wrote {out}: {c.frames} frames at {c.fps:g} fps")
    for note in c.provenance.get("repaired", []):
        print(f"  {note}")
    print(f"next: python -m devi_jax.clips check {out}")


def write_degraded_tracks(
    clip: Name,
    out: Path,
    noise_px: float = 0.0,
    hidden: float = 0.0,
    one_sided: bool = False,
    points: int = 128,
    seed: int = 0,
    mesh: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write the clip with its object as 2D tracks of a camera, exact or degraded, and the poses that these tell.

    Args:
        clip: a bundled name, a clip .npz, or a foreign recording.
        out: the clip file (.npz) to write.
        noise_px: standard deviation of each coordinate of each point, pixels.
        hidden: share of points that are hidden at a time, each for a third of a second in the mean.
        one_sided: only points that face the camera in the first frame, and while they do.
        points: how many points of the surface are tracked.
        seed: of points, noise and hiding.
        mesh: the object's mesh of a foreign recording.
        overwrite: replace an existing file.
    """
    from devi_jax.clip_tools.degrade_tracks import TrackDegradation, degrade_tracks

    _check_out(out, overwrite)
    if not 1 <= points <= MOST_POINTS:
        raise ClipError(f"{points} points", where="--points", valid=f"1 to {MOST_POINTS}")
    if seed < 0:
        raise ClipError(f"a seed of {seed}", where="--seed", valid="0 or more")
    c = degrade_tracks(resolve(clip, mesh), TrackDegradation(noise_px, hidden, one_sided), points, seed)
    _save(c, out)
    assert c.object_tracks is not None
    off, seen = c.provenance["degraded"]["poses_off"], c.object_tracks.visible
    print(f"wrote {out}: {seen.shape[1]} points, {seen.mean():.0%} of them visible")
    print(f"  poses by these tracks are {1e3 * off['rms_m']:.1f} mm and {off['rms_rad']:.3f} rad off (RMS)")


def _check_out(out: Path, overwrite: bool) -> None:
    if out.suffix != ".npz":
        raise ClipError(f"'{out}' is no clip file name", where="--out", valid="a path that ends in .npz")
    if out.exists() and not overwrite:
        raise ClipError("the file exists", where=f"--out={out}", valid="a new name", fix="add --overwrite")


def _save(clip: Clip, out: Path) -> None:
    try:
        save_clip(clip, out)
    except OSError as error:
        raise ClipError(f"cannot write ({error})", where=f"--out={out}", valid="a writable folder") from error


def _object(spec: ObjectSpec | None) -> str:
    if spec is None:
        return "none"
    size = f"{len(spec.mesh.faces)} faces" if spec.mesh else " x ".join(f"{s:g}" for s in spec.size) + " m"
    return f"{spec.shape} {size}, {spec.mass_kg:.2f} kg"


def _range(points: np.ndarray) -> str:
    flat = points.reshape(-1, 3)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return ", ".join(f"{n} {a:.2f} to {b:.2f}" for n, a, b in zip("xyz", low, high, strict=True)) + " m"


def _contact(clip: Clip) -> str:
    left, right = (clip.contact > 0.5).sum(axis=0)
    return f"left {left}, right {right} frames" + (f", from frame {clip.onset}" if clip.onset < clip.frames else "")


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _new_names(args: list[str]) -> list[str]:
    """Arguments with the former name of a command replaced, and a notice of one line."""
    if args[:1] != ["mend"]:
        return args
    print("note: `clips mend` is now `clips repair`; the old name will go with the next version", file=sys.stderr)
    return ["repair", *args[1:]]


def main(args: list[str] | None = None) -> None:
    """Run the command line; exit code 2 on bad input."""
    commands = {
        "list": list_clips,
        "show": show,
        "convert": convert,
        "check": check,
        "repair": repair,
        "degrade-tracks": write_degraded_tracks,
    }
    args = _new_names(sys.argv[1:] if args is None else args)
    with exit_on_error():
        tyro.extras.subcommand_cli_from_dict(commands, prog="python -m devi_jax.clips", args=args)


if __name__ == "__main__":
    main()
