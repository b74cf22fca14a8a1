"""Textures from numbers: colours, print, grain and specks, the same every time, with corners for a tracker."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from envs.scenes.catalogue.solid import Rect

SIZE = 512
"""Pixels of a texture's side."""

Colour = tuple[int, int, int]


def canvas(rect: Rect, colour: Colour) -> Image.Image:
    """A picture of the size of a place on the texture, in one colour."""
    size = (round((rect.right - rect.left) * SIZE), round((rect.bottom - rect.top) * SIZE))
    return Image.new("RGB", size, colour)


def sheet(pictures: Mapping[Rect, Image.Image]) -> np.ndarray:
    """The texture (SIZE, SIZE, 3) uint8 with each picture at its place."""
    out = Image.new("RGB", (SIZE, SIZE), (128, 128, 128))
    for rect, picture in pictures.items():
        out.paste(picture, (round(rect.left * SIZE), round(rect.top * SIZE)))
    return np.asarray(out)


def box(picture: Image.Image, where: Sequence[float], colour: Colour, radius: float = 0.0) -> None:
    """Fill a rectangle (left, top, right, bottom), in fractions of the picture; `radius` in pixels."""
    w, h = picture.size
    corners = [where[0] * w, where[1] * h, where[2] * w, where[3] * h]
    ImageDraw.Draw(picture).rounded_rectangle(corners, radius, fill=colour)


def disc(picture: Image.Image, centre: Sequence[float], radius: float, colour: Colour, width: int = 0) -> None:
    """A disc, or a ring of `width` pixels; centre in fractions of the picture, radius of its width."""
    (w, h), r = picture.size, radius * picture.size[0]
    corners = [centre[0] * w - r, centre[1] * h - r, centre[0] * w + r, centre[1] * h + r]
    if width:
        ImageDraw.Draw(picture).ellipse(corners, outline=colour, width=width)
    else:
        ImageDraw.Draw(picture).ellipse(corners, fill=colour)


def polygon(picture: Image.Image, points: Sequence[Sequence[float]], colour: Colour) -> None:
    """Fill a polygon of points (N, 2) in fractions of the picture."""
    w, h = picture.size
    ImageDraw.Draw(picture).polygon([(x * w, y * h) for x, y in points], fill=colour)


def words(picture: Image.Image, text: str, centre: Sequence[float], height: float, colour: Colour) -> None:
    """A line of print about `centre` in fractions of the picture, `height` in fractions of its height."""
    w, h = picture.size
    font = ImageFont.load_default(max(6.0, height * h))
    ImageDraw.Draw(picture).text((centre[0] * w, centre[1] * h), text, fill=colour, font=font, anchor="mm")


def lines_of_print(picture: Image.Image, where: Sequence[float], rows: int, colour: Colour, seed: int) -> None:
    """Rows of short bars that look like small print, in a rectangle in fractions of the picture."""
    rng = np.random.default_rng(seed)
    left, top, right, bottom = where
    for row in range(rows):
        y, x = top + (bottom - top) * row / rows, left
        while x < right - 0.01:
            width = rng.uniform(0.015, 0.05)
            box(picture, (x, y, min(x + width, right), y + 0.5 * (bottom - top) / rows), colour)
            x += width + rng.uniform(0.008, 0.02)


def bars(picture: Image.Image, where: Sequence[float], seed: int) -> None:
    """A bar code in a rectangle in fractions of the picture."""
    rng = np.random.default_rng(seed)
    box(picture, where, (250, 250, 250))
    left, top, right, bottom = where
    edges = np.sort(rng.uniform(left, right, 24)).reshape(-1, 2)
    for a, b in edges:
        box(picture, (a, top + 0.1 * (bottom - top), b, bottom - 0.1 * (bottom - top)), (20, 20, 20))


def specks(picture: Image.Image, count: int, sizes: tuple[float, float], colours: Sequence[Colour], seed: int) -> None:
    """Irregular specks, `sizes` in pixels from least to greatest."""
    rng = np.random.default_rng(seed)
    w, h = picture.size
    draw = ImageDraw.Draw(picture)
    for _ in range(count):
        x, y, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(*sizes)
        angle = np.sort(rng.uniform(0, 2 * np.pi, 6))
        reach = r * rng.uniform(0.6, 1.2, 6)
        corners = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
        draw.polygon([tuple(p) for p in corners], fill=tuple(colours[int(rng.integers(len(colours)))]))


def grain(picture: Image.Image, strength: float, blur: tuple[float, float], seed: int) -> Image.Image:
    """The picture lighter and darker by smooth noise: `strength` grey levels, `blur` in pixels down and across."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=picture.size[::-1]), blur, mode="wrap")
    noise *= strength / noise.std()
    return Image.fromarray(np.clip(np.asarray(picture, float) + noise[..., None], 0, 255).astype(np.uint8))
