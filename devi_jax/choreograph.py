"""`python -m devi_jax.choreograph lift_can --out=CLIP.npz`: make a clip by inverse kinematics, check it, write it.

The bundled clips are made by this command; the same numbers give the same arrays.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import save_clip
from devi_jax.core.errors import ClipError, SceneError, exit_on_error
from devi_jax.core.scene import Table
from devi_jax.core.scene_file import Setup, Thing
from devi_jax.datasets.formats.object_mesh import centre_of_mass
from devi_jax.datasets.formats.tcdm import of_mesh, read_object_motion
from devi_jax.datasets.load import resolve
from devi_jax.datasets.scenes import load_setup
from devi_jax.scripted_video.bundled_clips import SCRIPTED, scripted_clip
from devi_jax.scripted_video.gallery import write_gallery
from envs import animation
from envs.animation import (
    DrinkMug,
    Follow,
    GradeName,
    Hammer,
    Hand,
    Hat,
    LiftBox,
    LiftCan,
    Limits,
    PickPlace,
    PourBottle,
    PushBox,
)
from envs.animation.kinematics.to_clip import FPS

FLAT_HAND = Limits(least_opposition_deg=0.0)
"""A hand that presses has its thumb beside the fingers, not opposite."""

SCRIPT_LIMITS = Limits(
    penetration_mm=5.0,
    self_penetration_mm=np.inf,
    palm_gap_mm=np.inf,
    tip_gap_mm=np.inf,
    least_opposition_deg=0.0,
    foot_slip_mm=2.0,
    wrist_speed_m_s=1.8,
    joint_step_rad=0.5,
)
"""Whatever is held, however: hands are out of it and of the table, feet stay."""

Verb = Literal["lift", "place", "pour", "drink", "push", "wear", "hammer", "hand_over"]

FILE_BITS = 13
"""Clean clips are written in steps of a tenth of a millimetre and milliradian."""


@dataclass(frozen=True)
class Bundled:
    """A motion of the suite: the numbers it takes, what makes it, what it must hold to, and what it is."""

    plan: type
    make: Callable[[Any], Clip]
    limits: Limits
    summary: str


SUITE: dict[str, Bundled] = {
    "lift_can": Bundled(
        LiftCan, animation.lift_can, Limits(), "Reach over the table, close the right hand around a can, lift it."
    ),
    "lift_box": Bundled(LiftBox, animation.lift_box, FLAT_HAND, "Take a box between both palms and lift it."),
    "pick_place": Bundled(
        PickPlace, animation.pick_place, Limits(), "Take a small box, set it down on another place, let go."
    ),
    "pour_bottle": Bundled(
        PourBottle, animation.pour_bottle, Limits(), "Lift a bottle, tilt it as if to pour, turn it upright again."
    ),
    "drink_mug": Bundled(
        DrinkMug,
        animation.drink_mug,
        Limits(),
        "Bring a mug to the mouth, tilt it as if to drink, lower it a little.",
    ),
    "push_box": Bundled(
        PushBox, animation.push_box, FLAT_HAND, "Lay the right palm on a box's side and push it over the table."
    ),
    "hammer": Bundled(
        Hammer,
        animation.hammer,
        Limits(),
        "Take a mallet by its handle, raise it, strike twice just above the table.",
    ),
    "hat": Bundled(Hat, animation.put_on_hat, Limits(), "Take a hat by its crown, from above, and put it on the head."),
}

app = tyro.extras.SubcommandApp()


def _command(name: str, motion: Bundled) -> Callable[..., None]:
    """The subcommand that makes one motion of the suite."""

    def run(plan: Any, out: Path = Path(f"{name}.npz")) -> None:
        write(motion.make(plan), out, motion.limits)

    run.__annotations__["plan"] = Annotated[motion.plan, tyro.conf.arg(name="")]
    run.__doc__ = f"{motion.summary}\n\nArgs:\n    plan: the motion in numbers.\n    out: the clip file to write."
    return run


for _name, _motion in SUITE.items():
    app.command(name=_name)(_command(_name, _motion))


@app.command
def script(
    scene: str,
    action: Verb,
    target: str | None = None,
    hand: Hand = "right",
    out: Path | None = None,
) -> None:
    """Plan an action in any scene: choose how to take the thing, and move it.

    Args:
        scene: a bundled scene, or a scene file (.json).
        action: what is done with the manipulated thing.
        target: the name of another thing, or x,y,z in metres; where place, pour and hammer go.
        hand: which hand; both press a thing between the palms; hand_over begins with it.
        out: the clip file to write; by default SCENE-ACTION.npz.
    """
    setup = load_setup(scene)
    given = {} if target is None else {"target": _spot(target)}
    motion = animation.script(setup, animation.make_action(action, **given), hand)
    name = f"{setup.name}-{action}"
    words = [f"--scene={scene}", f"--action={action}", *([f"--target={target}"] if target else []), f"--hand={hand}"]
    # from the other side and ahead: the hand does not hide the thing
    camera = frontal(azimuth_deg=45.0 if hand == "left" else -45.0)
    clip = animation.to_clip(motion, name, camera, f"python -m devi_jax.choreograph script {' '.join(words)}")
    write(clip, Path(f"{name}.npz") if out is None else out, SCRIPT_LIMITS)


@app.command
def scripted(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    out: Path = Path("."),
    grades: bool = True,
) -> None:
    """Make the bundled clips that the planner does in bundled scenes, each clean and as wrong as from video.

    Args:
        names: which of them; by default all.
        out: the folder that takes NAME.npz, NAME-mild.npz and NAME-rough.npz.
        grades: also the two that are wrong.
    """
    if unknown := [name for name in names if name not in SCRIPTED]:
        raise ClipError(f"no scripted clip '{unknown[0]}'", where="NAMES", valid=", ".join(SCRIPTED))
    for name in names or SCRIPTED:
        write(scripted_clip(name), out / f"{name}.npz", SCRIPT_LIMITS)
        for grade in ("mild", "rough") if grades else ():
            degrade(str(out / f"{name}.npz"), grade, out / f"{name}-{grade}.npz")


@app.command
def follow(
    motion: tyro.conf.Positional[Path],
    mesh: Path,
    at: tuple[float, float] = (0.1, 0.33),
    hand: Hand = "right",
    mass: float = 0.2,
    out: Path | None = None,
) -> None:
    """Plan a human who moves a thing as a recording of TCDM or MyoDM has it, which holds no human.

    Args:
        motion: the .npz of the thing's motion.
        mesh: the thing's mesh.
        at: where on the table it stands at first, metres.
        hand: which hand; both press a thing between the palms.
        mass: of the thing, kg.
        out: the clip file to write; by default MOTION-follow.npz.
    """
    recorded = read_object_motion(motion)
    poses = of_mesh(recorded, centre_of_mass(mesh), FPS)
    turn = tuple(float(x) for x in poses.rotations[0])
    thing = Thing("thing", str(mesh), "plastic", at, rotation=turn, mass_kg=mass)  # type: ignore[arg-type]
    way = tuple(map(tuple, np.hstack([poses.positions, poses.rotations]).tolist()))
    planned = animation.script(Setup(recorded.name, table=Table(), things=(thing,)), Follow(way), hand)
    note = {"action": "Follow", "source": motion.name, "mesh": mesh.name, "at": list(at), "hand": hand}
    camera = frontal(azimuth_deg=45.0 if hand == "left" else -45.0)
    command = f"python -m devi_jax.choreograph follow {motion.name} --mesh={mesh.name}"
    clip = animation.to_clip(replace(planned, plan=note), f"{recorded.name}-follow", camera, command)
    write(clip, Path(f"{clip.name}.npz") if out is None else out, SCRIPT_LIMITS)


def _spot(target: str) -> str | tuple[float, ...]:
    """A thing's name, or a point from `x,y,z`; raises `SceneError` for another number of numbers."""
    if "," not in target:
        return target
    try:
        point = tuple(float(x) for x in target.split(","))
    except ValueError:
        point = ()
    if len(point) != 3:
        raise SceneError(f"'{target}' is no point", where="--target", valid="x,y,z in metres, or the name of a thing")
    return point


@app.command
def degrade(clip: tyro.conf.Positional[str], grade: GradeName = "mild", out: Path | None = None) -> None:
    """Make a choreographed clip as wrong as video estimators do: wrists off, joints trembling, fingers left open.

    Args:
        clip: a bundled name, or a clip .npz made by this command.
        grade: `mild`: wrists off by 1 cm and 5 degrees; `rough`: 3 cm and 10 degrees, fingers closed by less than half.
        out: the clip file to write; by default CLIP-GRADE.npz.
    """
    degraded = animation.degrade(resolve(clip), grade)
    out = Path(f"{degraded.name}.npz") if out is None else out
    save_clip(degraded, out)
    print(f"{out}: {degraded.frames} frames, {out.stat().st_size / 1e3:.0f} kB")


@app.command
def gallery(out: Path = Path("docs"), films: Path | None = None) -> None:
    """Draw the bundled clips: a page, and a strip of pictures of each clip.

    Args:
        out: the folder that takes gallery.md and gallery/NAME.png.
        films: a folder with SCENE/video.mp4 of bundled scenes, made by imagine; without it the page's films stay.
    """
    for picture in write_gallery(out, films):
        print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")


def write(clip: Clip, out: Path, limits: Limits) -> None:
    """Check a clip and write it; raises `ClipError` where it is not fit to imitate."""
    clip = animation.compact(clip, FILE_BITS)
    quality = animation.assess(animation.build_stage(clip.scene), clip)
    if faults := animation.shortcomings(quality, limits):
        raise ClipError(
            f"the motion is not fit to imitate: {'; '.join(faults)}",
            where=clip.name,
            fix="choose a place for the object within reach, or another direction of the hand",
        )
    checks = {name: round(value, 3) for name, value in asdict(quality).items()}
    save_clip(replace(clip, provenance=clip.provenance | {"checks": checks}), out)
    print(f"{out}: {clip.frames} frames, {out.stat().st_size / 1e3:.0f} kB")
    for name, value in checks.items():
        print(f"  {name:28} {value:8.2f}")


if __name__ == "__main__":
    with exit_on_error():
        app.cli()
