"""Panels side by side as an mp4, or a few of their frames as one picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from devi_jax.core.files import replacing
from devi_jax.core.video_writer import encode
from devi_jax.rendering.panels import Footage, Panel, Stage

FILM_HEIGHT = 360
"""Pixels from a film's top to its bottom."""


def film(path: Path, *panels: Panel | Footage, fps: int = 30, height: int = FILM_HEIGHT) -> None:
    """Write an H.264 mp4 of the panels side by side, whole or not at all; `height` is even.

    Raises:
        DeviceError: when this machine cannot render, or cannot write the film.
    """
    with Stage(panels, height) as stage, replacing(path) as temporary:
        encode(temporary, (stage.image(t) for t in range(stage.frames)), stage.width, height, fps)


def strip(path: Path, *panels: Panel | Footage, columns: int = 6, height: int = 300) -> None:
    """Write a PNG with `columns` frames from the first to the last in a row, one row a panel.

    Raises:
        DeviceError: when this machine cannot render.
    """
    rows = []
    for panel in panels:
        with Stage([panel], height) as stage:
            times = np.linspace(0, stage.frames - 1, columns).round().astype(int)
            rows.append(np.concatenate([stage.image(int(t)) for t in times], axis=1))
    widest = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    with replacing(path) as temporary:
        Image.fromarray(np.concatenate(padded)).save(temporary)
