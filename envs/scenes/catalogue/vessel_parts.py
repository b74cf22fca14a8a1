"""What vessels share: their places on the texture, glaze, feet, stripes, and the hollow."""

from PIL import Image

from envs.scenes.catalogue import paint
from envs.scenes.catalogue.shapes import Strip, lathe
from envs.scenes.catalogue.solid import Form, Rect

WALL = Rect(0.0, 0.0, 1.0, 0.6)
INSIDE = Rect(0.0, 0.6, 0.6, 1.0)
UPPER = Rect(0.6, 0.6, 0.8, 0.8)
LOWER = Rect(0.8, 0.6, 1.0, 0.8)
HANDLE = Rect(0.6, 0.8, 1.0, 1.0)
WHITE, INK, STEEL = (244, 241, 234), (28, 30, 38), (176, 180, 186)


def cavity(brim: float, low: float, high: float, foot: float) -> Form:
    """What is carved out of a vessel: a cone with a rounded edge at its floor."""
    edge = 0.006
    profile = [(0, low), (foot - edge, low), (foot, low + edge), (brim, high), (brim, high + 0.001), (0, high + 0.001)]
    return lathe(Strip(profile, INSIDE))


def base(colour: paint.Colour) -> Image.Image:
    """A round piece seen along its axis: two rings and some print."""
    out = paint.canvas(LOWER, colour)
    dark = (int(0.6 * colour[0]), int(0.6 * colour[1]), int(0.6 * colour[2]))
    paint.disc(out, (0.5, 0.5), 0.44, dark, width=3)
    paint.disc(out, (0.5, 0.5), 0.3, dark, width=2)
    paint.lines_of_print(out, (0.38, 0.42, 0.62, 0.6), 4, dark, seed=22)
    return out


def glaze(colour: paint.Colour, seed: int) -> Image.Image:
    """The inside of a vessel: glaze with few specks."""
    out = paint.grain(paint.canvas(INSIDE, colour), 3, (6, 6), seed)
    paint.specks(out, 60, (1.5, 3), [(120, 104, 84), (160, 146, 124), (90, 90, 100)], seed)
    return out


def striped(rect: Rect, colour: paint.Colour, other: paint.Colour, count: int) -> Image.Image:
    """Stripes across, of different widths."""
    out = paint.canvas(rect, colour)
    for i in range(count):
        y = i / count
        paint.box(out, (0, y, 1, y + (0.25 + 0.2 * (i % 3)) / count), other)
    return out
