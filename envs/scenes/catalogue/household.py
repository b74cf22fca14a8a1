"""What has flat sides: boxes, books, and electronics in their case."""

import numpy as np

from envs.scenes.catalogue import paint
from envs.scenes.catalogue.make_model import finished
from envs.scenes.catalogue.shapes import Strip, lathe, rounded, slab
from envs.scenes.catalogue.solid import Rect, carved, placed, union
from envs.scenes.objects.textured_model import GraspSite, Model

TOP = Rect(0.0, 0.0, 0.5, 0.5)
BOTTOM = Rect(0.5, 0.0, 1.0, 0.5)
SIDE = Rect(0.0, 0.5, 1.0, 1.0)
BOARD, TAPE, INK, WHITE = (186, 142, 92), (222, 200, 150), (34, 32, 36), (244, 242, 238)
BRIGHT = ((214, 60, 46), (36, 96, 172), (240, 178, 44), (56, 142, 86))


def box(size: tuple[float, float, float] = (0.24, 0.20, 0.20)) -> Model:
    """A cardboard box for two hands."""
    return _carton("box", size, "FRAGILE", 60)


def parcel(size: tuple[float, float, float] = (0.12, 0.16, 0.18)) -> Model:
    """A parcel that stands, to be pushed."""
    return _carton("parcel", size, "EXPRESS", 70)


def large_box(size: tuple[float, float, float] = (0.40, 0.35, 0.40)) -> Model:
    """A removal box that stands on the floor."""
    return _carton("large_box", size, "KITCHEN", 80)


def carton(size: tuple[float, float, float] = (0.055, 0.055, 0.11)) -> Model:
    """A small carton of juice, full, for one hand."""
    form = slab(_rectangle(size), size[2], TOP, BOTTOM, SIDE)
    side = paint.canvas(SIDE, (250, 170, 40))
    for i in range(4):
        x = (i + 0.5) / 4
        paint.box(side, (i / 4, 0.0, i / 4 + 0.02, 1.0), (60, 130, 60))
        if i % 2:
            paint.lines_of_print(side, (x - 0.09, 0.12, x + 0.09, 0.62), 9, INK, seed=90 + i)
            paint.bars(side, (x - 0.08, 0.7, x + 0.08, 0.92), seed=92 + i)
        else:
            paint.disc(side, (x, 0.62), 0.085, (240, 96, 30))
            for a in np.linspace(0, 2 * np.pi, 9)[:-1]:
                paint.polygon(
                    side,
                    [
                        (x, 0.62),
                        (x + 0.07 * np.cos(a), 0.62 + 0.14 * np.sin(a)),
                        (x + 0.07 * np.cos(a + 0.5), 0.62 + 0.14 * np.sin(a + 0.5)),
                    ],
                    (255, 214, 120),
                )
            paint.words(side, "JUICE", (x, 0.24), 0.15, (150, 40, 20))
    paint.specks(side, 120, (2, 5), [WHITE, (60, 130, 60), (200, 60, 30)], seed=95)
    top = paint.canvas(TOP, WHITE)
    paint.disc(top, (0.7, 0.5), 0.14, (60, 130, 60))
    paint.box(top, (0.1, 0.1, 0.4, 0.9), (250, 170, 40))
    texture = paint.sheet({TOP: top, BOTTOM: paint.canvas(BOTTOM, WHITE), SIDE: side})
    return finished(
        "carton", form, texture, "paper", GraspSite((0, 0, 0), width_m=size[0]), 0.25, shape="box", size=size
    )


def book(size: tuple[float, float, float] = (0.145, 0.21, 0.03)) -> Model:
    """A bound book lying on its back cover, the spine towards -x."""
    w, d, h = size
    cover = slab(_rectangle(size), h, TOP, BOTTOM, SIDE)
    front = paint.canvas(TOP, (120, 30, 60))
    paint.box(front, (0.06, 0.05, 0.94, 0.95), (236, 220, 180))
    paint.box(front, (0.09, 0.07, 0.91, 0.93), (120, 30, 60))
    paint.words(front, "HANDS", (0.5, 0.22), 0.17, (250, 230, 170))
    paint.words(front, "AND THINGS", (0.5, 0.38), 0.10, (250, 230, 170))
    paint.disc(front, (0.5, 0.66), 0.17, (240, 178, 44))
    paint.polygon(front, [(0.36, 0.76), (0.5, 0.5), (0.64, 0.76)], (36, 96, 172))
    paint.specks(front, 60, (2, 5), [(250, 230, 170), (60, 10, 30), (240, 178, 44)], seed=100)
    back = paint.canvas(BOTTOM, (120, 30, 60))
    paint.lines_of_print(back, (0.15, 0.15, 0.85, 0.6), 10, (236, 220, 180), seed=101)
    paint.bars(back, (0.55, 0.72, 0.85, 0.9), seed=102)
    edge = paint.canvas(SIDE, (238, 232, 214))
    for i in range(14):
        paint.box(edge, (0, i / 14, 1, (i + 0.35) / 14), (202, 192, 166))
    paint.specks(edge, 130, (2, 4), [(150, 140, 110), (120, 30, 60)], seed=103)
    around = 2 * (w + d)
    spine = (2 * w + d) / around  # the outline starts at (w/2, -d/2): +x, top, then the spine at -x
    paint.box(edge, ((w + d) / around, 0, spine, 1), (120, 30, 60))
    paint.words(edge, "HANDS AND THINGS", (((w + d) / around + spine) / 2, 0.5), 0.25, (250, 230, 170))
    texture = paint.sheet({TOP: front, BOTTOM: back, SIDE: edge})
    grip = GraspSite((w / 2 - 0.03, 0.0, 0.0), (0.0, 1.0, 0.0), h)
    return finished("book", cover, texture, "paper", grip, shape="box", size=size)


def phone(size: tuple[float, float, float] = (0.072, 0.15, 0.009)) -> Model:
    """A phone lying on its back, its screen lit."""
    form = slab(rounded(size[0], size[1], 0.010), size[2], TOP, BOTTOM, SIDE, bevel=0.0015)
    screen = paint.canvas(TOP, (16, 18, 26))
    paint.box(screen, (0.04, 0.03, 0.96, 0.97), (40, 70, 140), radius=10)
    paint.words(screen, "12:45", (0.5, 0.14), 0.10, WHITE)
    for row in range(5):
        for column in range(4):
            x, y = 0.16 + 0.225 * column, 0.30 + 0.13 * row
            colour = (*BRIGHT, (240, 240, 240), (150, 80, 180))[(2 * row + column) % 6]
            paint.box(screen, (x - 0.075, y - 0.042, x + 0.075, y + 0.042), colour, radius=8)
            paint.disc(screen, (x, y), 0.025, (20, 24, 40))
    back = paint.canvas(BOTTOM, (60, 64, 74))
    paint.box(back, (0.55, 0.05, 0.92, 0.25), (30, 32, 38), radius=12)
    for x, y in ((0.65, 0.1), (0.82, 0.1), (0.65, 0.2)):
        paint.disc(back, (x, y), 0.05, (140, 160, 190))
    paint.specks(back, 90, (2, 5), [(120, 124, 134), (30, 32, 38), WHITE], seed=104)
    rim = paint.grain(paint.canvas(SIDE, (150, 154, 162)), 10, (1, 20), seed=105)
    grip = GraspSite((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), size[0])
    return finished("phone", form, paint.sheet({TOP: screen, BOTTOM: back, SIDE: rim}), "electronics", grip, 0.19)


def camera(size: tuple[float, float, float] = (0.13, 0.036, 0.08)) -> Model:
    """A camera standing on its base, the lens towards +y, 40 mm long."""
    w, d, h = size
    barrel, glass = Rect(0.0, 0.5, 0.5, 0.75), Rect(0.0, 0.75, 0.25, 1.0)
    rim, knob = Rect(0.5, 0.5, 1.0, 1.0), Rect(0.25, 0.75, 0.5, 1.0)
    # the slab's front is up: turned about x by -90 degrees it faces +y, and what was +y in it points down
    body = placed(slab(rounded(w, h, 0.010), d, TOP, BOTTOM, rim, bevel=0.003), turn_deg=(-90, 0, 0))
    lens = lathe(
        Strip([(0, 0), (0.030, 0)], glass, disc=True),
        Strip([(0.030, 0), (0.030, 0.024), (0.027, 0.026), (0.027, 0.040)], barrel),
        Strip([(0.027, 0.040), (0.023, 0.040), (0.018, 0.034), (0, 0.037)], glass, disc=True),
    )
    lens = placed(lens, (0.008, d / 2 - 0.001, -0.006), (-90, 0, 0))
    finder = placed(
        slab(rounded(0.046, d - 0.008, 0.006), 0.02, knob, knob, knob, bevel=0.003), (0.008, 0, h / 2 + 0.006)
    )
    button = lathe(Strip([(0, 0), (0.009, 0), (0.009, 0.007), (0, 0.007)], knob), sides=20)
    form = union(body, lens, finder, placed(button, (-0.045, 0, h / 2 - 0.001)))
    leather = [paint.grain(paint.canvas(rect, (44, 40, 42)), 10, (2, 2), seed=106) for rect in (TOP, BOTTOM, rim)]
    for picture in leather:
        paint.specks(picture, 150, (2, 5), [(96, 90, 92), (14, 12, 14), (150, 140, 130)], seed=107)
    front, back, around = leather
    paint.box(front, (0, 0.76, 1, 1), (196, 198, 202))
    paint.box(front, (0.0, 0.70, 1.0, 0.73), (210, 60, 44))
    paint.box(back, (0.15, 0.25, 0.85, 0.85), (60, 110, 160))
    paint.polygon(back, [(0.2, 0.8), (0.45, 0.4), (0.65, 0.8)], (70, 150, 80))
    tube = paint.canvas(barrel, (30, 30, 32))
    for i in range(40):
        paint.box(tube, (i / 40, 0.35, (i + 0.5) / 40, 0.6), (110, 110, 114))
    for i in range(10):
        paint.words(tube, str(2 * i + 2), ((i + 0.5) / 10, 0.76), 0.14, WHITE)
    paint.box(tube, (0, 0.05, 1, 0.12), (210, 60, 44))
    pane = paint.canvas(glass, (26, 26, 30))
    paint.disc(pane, (0.5, 0.5), 0.36, (60, 50, 110))
    paint.disc(pane, (0.5, 0.5), 0.2, (24, 20, 60))
    paint.disc(pane, (0.38, 0.38), 0.08, (226, 226, 246))
    silver = paint.grain(paint.canvas(knob, (196, 198, 202)), 6, (1, 8), seed=108)
    paint.words(silver, "CAM", (0.5, 0.5), 0.3, INK)
    texture = paint.sheet({TOP: front, BOTTOM: back, rim: around, barrel: tube, glass: pane, knob: silver})
    return finished("camera", form, texture, "electronics", GraspSite((-w / 2 + 0.02, 0, 0), (0, 0, 1), d), 0.5)


def tray(size: tuple[float, float, float] = (0.28, 0.20, 0.022)) -> Model:
    """A wooden tray with a low rim; its origin is at half its height."""
    h = size[2]
    block = slab(rounded(size[0], size[1], 0.02), h, TOP, BOTTOM, SIDE, bevel=0.003)
    inner = rounded(size[0] - 0.024, size[1] - 0.024, 0.012)
    form = carved(block, placed(slab(inner, h, TOP, TOP, SIDE), (0, 0, 0.008)))
    floor = paint.grain(paint.canvas(TOP, (206, 164, 108)), 14, (1.5, 26), seed=109)
    for i in range(4):
        for k in range(3):
            where = (0.16 + 0.23 * i, 0.2 + 0.3 * k)
            paint.disc(floor, where, 0.07, BRIGHT[(i + k) % 4], width=7)
            paint.disc(floor, where, 0.025, BRIGHT[(i + 2 * k + 1) % 4])
    paint.specks(floor, 90, (2, 5), [(120, 80, 40), (240, 210, 160)], seed=110)
    wood = paint.grain(paint.canvas(SIDE, (150, 100, 56)), 18, (2, 30), seed=111)
    paint.specks(wood, 120, (2, 6), [(90, 54, 26), (206, 164, 108)], seed=112)
    under = paint.grain(paint.canvas(BOTTOM, (150, 100, 56)), 18, (2, 30), seed=113)
    paint.specks(under, 120, (2, 6), [(90, 54, 26), (206, 164, 108)], seed=114)
    texture = paint.sheet({TOP: floor, BOTTOM: under, SIDE: wood})
    return finished("tray", form, texture, "wood", GraspSite((size[0] / 2 - 0.006, 0, 0.002), (0, 1, 0), 0.012))


def _carton(name: str, size: tuple[float, float, float], text: str, seed: int) -> Model:
    """A taped cardboard box with print on its sides; it collides as a box."""
    form = slab(_rectangle(size), size[2], TOP, BOTTOM, SIDE)
    side = paint.grain(paint.canvas(SIDE, BOARD), 5, (1, 12), seed)
    edges = np.cumsum([0.0, size[1], size[0], size[1], size[0]]) / (2 * (size[0] + size[1]))
    for i, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        x, w = (a + b) / 2, b - a
        paint.box(side, (a, 0, a + 0.006, 1), (120, 86, 50))
        paint.box(side, (x - 0.07 * w, 0, x + 0.07 * w, 0.22), TAPE)
        paint.words(side, text, (x, 0.40), 0.11, BRIGHT[i])
        paint.polygon(side, [(x - 0.36 * w, 0.72), (x - 0.26 * w, 0.54), (x - 0.16 * w, 0.72)], INK)
        paint.box(side, (x - 0.29 * w, 0.72, x - 0.23 * w, 0.90), INK)
        paint.box(side, (x - 0.06 * w, 0.56, x + 0.40 * w, 0.92), WHITE)
        paint.lines_of_print(side, (x - 0.02 * w, 0.6, x + 0.36 * w, 0.74), 4, INK, seed + i)
        paint.bars(side, (x - 0.02 * w, 0.76, x + 0.36 * w, 0.90), seed + 5 + i)
    paint.specks(side, 170, (2, 5), [(130, 94, 56), (214, 176, 128), (90, 62, 34)], seed)
    lids = []
    for k, rect in enumerate((TOP, BOTTOM)):
        lid = paint.grain(paint.canvas(rect, BOARD), 5, (12, 1), seed + k)
        paint.box(lid, (0.42, 0, 0.58, 1), TAPE)
        paint.box(lid, (0.08, 0.12, 0.36, 0.38), BRIGHT[k])
        paint.words(lid, "TOP" if k == 0 else "BASE", (0.22, 0.25), 0.1, WHITE)
        paint.disc(lid, (0.78, 0.7), 0.12, BRIGHT[2 + k], width=8)
        paint.specks(lid, 90, (2, 6), [(130, 94, 56), (214, 176, 128), (90, 62, 34)], seed + k)
        lids.append(lid)
    texture = paint.sheet({TOP: lids[0], BOTTOM: lids[1], SIDE: side})
    grip = GraspSite((0, 0, 0), (0, 1, 0), size[0])
    return finished(name, form, texture, "cardboard", grip, shape="box", size=size)


def _rectangle(size: tuple[float, float, float]) -> np.ndarray:
    """The outline of a box seen from above, counter-clockwise from its corner at +x, -y."""
    x, y = size[0] / 2, size[1] / 2
    return np.array([(x, -y), (x, y), (-x, y), (-x, -y)])
