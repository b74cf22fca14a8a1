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
from envs.choreography import lift
from envs.choreography.quality import assess, shortcomings
from envs.choreography.stage import build_stage

app = tyro.extras.SubcommandApp()


@app.command(name="lift_can")
def lift_can(plan: Annotated[lift.LiftCan, tyro.conf.arg(name="")], out: Path = Path("lift_can.npz")) -> None:
    """Reach over the table, grasp a can with the right hand, lift it.

    Args:
        plan: where the can stands, how the hand comes, and when.
        out: the clip file to write.
    """
    write(lift.lift_can(plan), out)


def write(clip: Clip, out: Path) -> None:
    """Check a clip and write it; raises `ClipError` where it is not fit to imitate."""
    quality = assess(build_stage(clip.scene), clip)
    if faults := shortcomings(quality):
        raise ClipError(
            f"the motion is not fit to imitate: {'; '.join(faults)}",
            where=clip.name,
            mend="choose a place for the object within reach, or another direction of the hand",
        )
    checks = {name: round(value, 3) for name, value in asdict(quality).items()}
    command = f"python -m devi_jax.choreograph {clip.name}"
    save_clip(replace(clip, provenance=clip.provenance | {"command": command, "checks": checks}), out)
    print(f"{out}: {clip.frames} frames, {out.stat().st_size / 1e3:.0f} kB")
    for name, value in checks.items():
        print(f"  {name:28} {value:8.2f}")


if __name__ == "__main__":
    with exit_on_error():
        app.cli()
