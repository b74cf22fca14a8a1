"""One picture of a film: a motion from a camera, with a title and 2D tracks drawn over it."""

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


class Stage:
    """Panels side by side, ready to be drawn frame by frame. A context manager.

    Raises:
        DeviceError: when this machine cannot render.
    """

    def __init__(self, panels: Sequence[Panel], height: int):
        self.panels, self.height = panels, height
        self.width = sum(panel.width(height) for panel in panels)
        self.frames = max(len(panel.qpos) for panel in panels)
        self._font = ImageFont.load_default(size=max(10, height // 24))
        self._renderers: list[Renderer] = []
        with ExitStack() as opened:
            for panel in panels:
                renderer = Renderer(panel.model, panel.width(height), height)
                self._renderers.append(opened.enter_context(renderer))
            self._opened = opened.pop_all()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def image(self, t: int) -> np.ndarray:
        """Frame `t`, uint8 (height, width, 3); a panel whose motion is over holds its last frame."""
        pairs = zip(self.panels, self._renderers, strict=True)
        return np.concatenate([self._panel(panel, renderer, t) for panel, renderer in pairs], axis=1)

    def _panel(self, panel: Panel, renderer: Renderer, t: int) -> np.ndarray:
        t = min(t, len(panel.qpos) - 1)
        picture = Image.fromarray(renderer.image(panel.qpos[t], panel.camera))
        draw = ImageDraw.Draw(picture)
        for dots in panel.dots:
            _draw_dots(draw, dots, t, self.height / panel.camera.height)
        if panel.title:
            draw.text((8, 5), panel.title, fill=(30, 35, 40), font=self._font, stroke_width=1, stroke_fill="white")
        return np.asarray(picture)


def _draw_dots(draw: ImageDraw.ImageDraw, dots: Dots, t: int, scale: float) -> None:
    t = min(t, len(dots.points_px) - 1)
    count = dots.points_px.shape[1]
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_DOTS)).astype(int))
    shown = dots.visible[t, chosen] & np.isfinite(dots.points_px[t, chosen]).all(axis=-1)
    for x, y in dots.points_px[t, chosen][shown] * scale:
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=dots.colour)
