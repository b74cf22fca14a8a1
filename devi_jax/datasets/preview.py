"""One overview picture of a clip: paths from above, heights, contact labels."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import INDEX, SIDES


def overview(clip: Clip, path: Path) -> Path:
    """Write a .png of pelvis, wrists and object over the floor and over time; returns its path."""
    if path.suffix != ".png":
        raise ClipError(f"cannot draw to '{path}'", where="--plot", valid="a path that ends in .png")
    seconds = np.arange(clip.frames) / clip.fps
    lines = {name: clip.joint_positions[:, INDEX[name]] for name in ("pelvis", "left_wrist", "right_wrist")}
    if clip.object_poses is not None:
        lines["object"] = clip.object_poses.positions
    figure = Figure(figsize=(12, 4), layout="constrained")
    above, height, contact = figure.subplots(1, 3)
    for name, points in lines.items():
        above.plot(points[:, 0], points[:, 1], label=name)
        height.plot(seconds, points[:, 2], label=name)
    for k, side in enumerate(SIDES):
        contact.fill_between(seconds, k, k + 0.8 * clip.contact[:, k], step="mid", label=f"{side} hand")
    above.set(title=f"{clip.name} from above", xlabel="x [m]", ylabel="y [m]", aspect="equal")
    height.set(title="height", xlabel="time [s]", ylabel="z [m]")
    contact.set(title="contact labels", xlabel="time [s]", yticks=[])
    for axes in (above, height, contact):
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
