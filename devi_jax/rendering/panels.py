"""One picture of a film: a motion from a camera, with 2D tracks drawn over it, or a video as it is; with a title."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import mujoco
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from devi_jax.core.camera import Camera
from devi_jax.rendering.renderer import Renderer

GREEN, RED = (60, 220, 90), (240, 60, 50)
"""Reference points, simulated points."""

MOST_DOTS = 64
"""Of more points than this, every few are drawn."""


@dataclass(frozen=True)
class Dots:
    """2D tracks: `points_px` (T, M, 2) in the pixels of the panel's camera, `visible` (T, M) bool, an RGB colour."""

    points_px: np.ndarray
    visible: np.ndarray
    colour: tuple[int, int, int] = GREEN


@dataclass(frozen=True)
class Panel:
    """A model moving through `qpos` (T, nq), seen by `camera`, whose aspect the panel takes."""

    title: str
    model: mujoco.MjModel
    qpos: np.ndarray
    camera: Camera
    dots: Sequence[Dots] = ()

    def width(self, height: int) -> int:
        """Width in pixels at a height, even as video codecs want it."""
        return 2 * round(height * self.camera.width / self.camera.height / 2)


@dataclass(frozen=True)
class Footage:
    """A video as a panel: its `pictures` (T, H, W, 3), uint8 RGB, each shown as large as the film is high."""

    title: str
    pictures: np.ndarray

    def width(self, height: int) -> int:
        """Width in pixels at a height, even as video codecs want it."""
        return 2 * round(height * self.pictures.shape[2] / self.pictures.shape[1] / 2)


def frames(panel: Panel | Footage) -> int:
    """How many frames a panel has."""
    return len(panel.qpos if isinstance(panel, Panel) else panel.pictures)


class Stage:
    """Panels side by side, ready to be drawn frame by frame. A context manager.

    Raises:
        DeviceError: when this machine cannot render.
    """

    def __init__(self, panels: Sequence[Panel | Footage], height: int):
        self.panels, self.height = panels, height
        self.width = sum(panel.width(height) for panel in panels)
        self.frames = max(frames(panel) for panel in panels)
        self._font = ImageFont.load_default(size=max(10, height // 24))
        self._renderers: list[Renderer | None] = []
        with ExitStack() as opened:
            for panel in panels:
                rendered = isinstance(panel, Panel)
                renderer = Renderer(panel.model, panel.width(height), height) if rendered else None
                self._renderers.append(renderer and opened.enter_context(renderer))
            self._opened = opened.pop_all()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def image(self, t: int) -> np.ndarray:
        """Frame `t`, uint8 (height, width, 3); a panel whose motion is over holds its last frame."""
        pairs = zip(self.panels, self._renderers, strict=True)
        return np.concatenate([self._panel(panel, renderer, t) for panel, renderer in pairs], axis=1)

    def _panel(self, panel: Panel | Footage, renderer: Renderer | None, t: int) -> np.ndarray:
        t = min(t, frames(panel) - 1)
        if isinstance(panel, Panel):
            assert renderer is not None
            picture = Image.fromarray(renderer.image(panel.qpos[t], panel.camera))
            for dots in panel.dots:
                _draw_dots(ImageDraw.Draw(picture), dots, t, self.height / panel.camera.height)
        else:
            picture = Image.fromarray(panel.pictures[t]).resize((panel.width(self.height), self.height))
        if panel.title:
            draw = ImageDraw.Draw(picture)
            draw.text((8, 5), panel.title, fill=(30, 35, 40), font=self._font, stroke_width=1, stroke_fill="white")
        return np.asarray(picture)


def _draw_dots(draw: ImageDraw.ImageDraw, dots: Dots, t: int, scale: float) -> None:
    t = min(t, len(dots.points_px) - 1)
    count = dots.points_px.shape[1]
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_DOTS)).astype(int))
    shown = dots.visible[t, chosen] & np.isfinite(dots.points_px[t, chosen]).all(axis=-1)
    for x, y in dots.points_px[t, chosen][shown] * scale:
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=dots.colour)
