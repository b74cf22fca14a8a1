"""`python -m devi_jax.choreograph lift_can --out=CLIP.npz`: make a clip by inverse kinematics, check it, write it.

The bundled clips are made by this command; the same numbers give the same arrays.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import tyro

from devi_jax.core.clip import Clip
from devi_jax.core.clipfile import save_clip
from devi_jax.core.errors import ClipError, exit_on_error
from devi_jax.sources.resolve import resolve
from devi_jax.systems.gallery import write_gallery
from envs import choreography
from envs.choreography import DrinkMug, GradeName, Hammer, Hat, LiftBox, LiftCan, Limits, PickPlace, PourBottle, PushBox

FLAT_HAND = Limits(least_opposition_deg=0.0)
"""A hand that presses has its thumb beside the fingers, not opposite."""

FILE_BITS = 13
"""Clean clips are written in steps of a tenth of a millimetre and milliradian."""

app = tyro.extras.SubcommandApp()


@app.command(name="lift_can")
def lift_can(plan: Annotated[LiftCan, tyro.conf.arg(name="")], out: Path = Path("lift_can.npz")) -> None:
    """Reach over the table, close the right hand around a can, lift it.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.lift_can(plan), out, Limits())


@app.command(name="lift_box")
def lift_box(plan: Annotated[LiftBox, tyro.conf.arg(name="")], out: Path = Path("lift_box.npz")) -> None:
    """Take a box between both palms and lift it.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.lift_box(plan), out, FLAT_HAND)


@app.command(name="pick_place")
def pick_place(plan: Annotated[PickPlace, tyro.conf.arg(name="")], out: Path = Path("pick_place.npz")) -> None:
    """Take a small box, set it down on another place, let go.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.pick_place(plan), out, Limits())


@app.command(name="pour_bottle")
def pour_bottle(plan: Annotated[PourBottle, tyro.conf.arg(name="")], out: Path = Path("pour_bottle.npz")) -> None:
    """Lift a bottle, tilt it as if to pour, turn it upright again.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.pour_bottle(plan), out, Limits())


@app.command(name="drink_mug")
def drink_mug(plan: Annotated[DrinkMug, tyro.conf.arg(name="")], out: Path = Path("drink_mug.npz")) -> None:
    """Bring a mug to the mouth, tilt it as if to drink, lower it a little.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.drink_mug(plan), out, Limits())


@app.command(name="push_box")
def push_box(plan: Annotated[PushBox, tyro.conf.arg(name="")], out: Path = Path("push_box.npz")) -> None:
    """Lay the right palm on a box's side and push it over the table.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.push_box(plan), out, FLAT_HAND)


@app.command(name="hammer")
def hammer(plan: Annotated[Hammer, tyro.conf.arg(name="")], out: Path = Path("hammer.npz")) -> None:
    """Take a mallet by its handle, raise it, strike twice just above the table.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.hammer(plan), out, Limits())


@app.command(name="hat")
def hat(plan: Annotated[Hat, tyro.conf.arg(name="")], out: Path = Path("hat.npz")) -> None:
    """Take a hat by its crown, from above, and put it on the head.

    Args:
        plan: the motion in numbers.
        out: the clip file to write.
    """
    write(choreography.put_on_hat(plan), out, Limits())


@app.command
def degrade(clip: tyro.conf.Positional[str], grade: GradeName = "mild", out: Path | None = None) -> None:
    """Make a choreographed clip as wrong as video estimators do: wrists off, joints trembling, fingers left open.

    Args:
        clip: a bundled name, or a clip .npz made by this command.
        grade: `mild`: wrists off by 1 cm and 5 degrees; `rough`: 3 cm and 10 degrees, fingers closed by less than half.
        out: the clip file to write; by default CLIP-GRADE.npz.
    """
    degraded = choreography.degrade(resolve(clip), grade)
    out = Path(f"{degraded.name}.npz") if out is None else out
    save_clip(degraded, out)
    print(f"{out}: {degraded.frames} frames, {out.stat().st_size / 1e3:.0f} kB")


@app.command
def gallery(out: Path = Path("docs")) -> None:
    """Draw the bundled suite: a page, and a strip of pictures of each clip.

    Args:
        out: the folder that takes gallery.md and gallery/NAME.png.
    """
    for picture in write_gallery(out):
        print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")


def write(clip: Clip, out: Path, limits: Limits) -> None:
    """Check a clip and write it; raises `ClipError` where it is not fit to imitate."""
    clip = choreography.compact(clip, FILE_BITS)
    quality = choreography.assess(choreography.build_stage(clip.scene), clip)
    if faults := choreography.shortcomings(quality, limits):
        raise ClipError(
            f"the motion is not fit to imitate: {'; '.join(faults)}",
            where=clip.name,
            mend="choose a place for the object within reach, or another direction of the hand",
        )
    checks = {name: round(value, 3) for name, value in asdict(quality).items()}
    save_clip(replace(clip, provenance=clip.provenance | {"checks": checks}), out)
    print(f"{out}: {clip.frames} frames, {out.stat().st_size / 1e3:.0f} kB")
    for name, value in checks.items():
        print(f"  {name:28} {value:8.2f}")


if __name__ == "__main__":
    with exit_on_error():
        app.cli()
