"""What one drinks from, turned on a lathe; filled where its mass is given."""

import numpy as np

from envs.scenes.catalogue import paint
from envs.scenes.catalogue.make_model import finished
from envs.scenes.catalogue.shapes import Strip, lathe, sweep
from envs.scenes.catalogue.solid import Rect, carved, union
from envs.scenes.catalogue.vessel_parts import (
    HANDLE,
    INK,
    INSIDE,
    LOWER,
    STEEL,
    UPPER,
    WALL,
    WHITE,
    base,
    cavity,
    glaze,
    striped,
)
from envs.scenes.objects.textured_model import GraspSite, Model


def can(radius: float = 0.033, height: float = 0.12) -> Model:
    """A filled drink can of 330 ml."""
    h, neck = height / 2, 0.82 * radius
    form = lathe(
        Strip([(0, -h), (neck, -h)], LOWER, disc=True),
        Strip([(neck, -h), (radius, -h + 0.008), (radius, h - 0.010), (neck, h)], WALL),
        Strip([(neck, h), (neck - 0.002, h), (neck - 0.003, h - 0.003), (0, h - 0.003)], UPPER, disc=True),
    )
    wall = paint.canvas(WALL, (196, 22, 32))
    for x in (0.5, 0.0, 1.0):
        paint.polygon(wall, [(x - 0.2, 0.95), (x - 0.05, 0.95), (x + 0.2, 0.05), (x + 0.05, 0.05)], (250, 196, 40))
        paint.disc(wall, (x, 0.45), 0.11, WHITE)
        paint.words(wall, "FIZZ", (x, 0.45), 0.17, (20, 40, 130))
    paint.words(wall, "330 ml", (0.25, 0.78), 0.07, WHITE)
    paint.lines_of_print(wall, (0.68, 0.35, 0.80, 0.8), 11, WHITE, seed=1)
    paint.bars(wall, (0.82, 0.5, 0.9, 0.8), seed=2)
    paint.specks(wall, 90, (2, 5), [(255, 255, 255), (120, 8, 16), (255, 220, 90)], seed=3)
    lid = paint.canvas(UPPER, STEEL)
    paint.disc(lid, (0.5, 0.5), 0.45, (120, 124, 130), width=3)
    paint.disc(lid, (0.5, 0.34), 0.13, (52, 54, 58))
    paint.box(lid, (0.42, 0.38, 0.58, 0.74), (226, 228, 232), radius=6)
    texture = paint.sheet({WALL: wall, UPPER: lid, LOWER: base(STEEL)})
    size = (radius, height)
    return finished(
        "can", form, texture, "aluminium", GraspSite((0, 0, 0), width_m=2 * radius), 0.35, shape="can", size=size
    )


def bottle(radius: float = 0.033, neck: float = 0.014) -> Model:
    """A bottle of 500 ml, 210 mm tall, a third full; its origin is 60 mm above its foot."""
    cap = Rect(0.6, 0.8, 1.0, 0.9)
    form = lathe(
        Strip([(0, -0.060), (radius - 0.002, -0.060)], LOWER, disc=True),
        Strip(
            [
                *[(radius - 0.002, -0.060), (radius, -0.057), (radius, 0.065), (0.8 * radius, 0.083)],
                *[(neck + 0.003, 0.103), (neck, 0.110), (neck, 0.130)],
            ],
            WALL,
        ),
        Strip([(neck, 0.130), (neck + 0.002, 0.130), (neck + 0.002, 0.150)], cap),
        Strip([(neck + 0.002, 0.150), (0, 0.150)], UPPER, disc=True),
    )
    wall = paint.canvas(WALL, (24, 104, 66))
    paint.specks(wall, 160, (2, 6), [(60, 160, 100), (10, 70, 40), (150, 220, 170)], seed=4)
    paint.box(wall, (0.0, 0.38, 1.0, 0.86), WHITE)
    paint.box(wall, (0.0, 0.40, 1.0, 0.43), (200, 40, 40))
    paint.box(wall, (0.0, 0.81, 1.0, 0.84), (200, 40, 40))
    for x in (0.5, 0.0, 1.0):
        paint.disc(wall, (x, 0.57), 0.055, (240, 180, 40))
        paint.polygon(wall, [(x - 0.05, 0.6), (x, 0.5), (x + 0.05, 0.6)], (24, 104, 66))
        paint.words(wall, "SPRING", (x, 0.73), 0.10, (20, 40, 120))
    paint.lines_of_print(wall, (0.2, 0.47, 0.33, 0.78), 9, INK, seed=5)
    paint.bars(wall, (0.7, 0.5, 0.8, 0.76), seed=6)
    texture = paint.sheet({WALL: wall, cap: striped(cap, (30, 60, 170), WHITE, 26), UPPER: base((30, 60, 170))})
    return finished("bottle", form, texture, "plastic", GraspSite((0, 0, 0), width_m=2 * radius), 0.3)


def mug(radius: float = 0.038, height: float = 0.1, handle_m: float = 0.027) -> Model:
    """A mug without its coffee, the handle towards +x; its origin is at half its height."""
    h, wall_m = height / 2, 0.004
    outer = lathe(
        Strip([(0, -h), (radius - 0.002, -h)], LOWER, disc=True),
        Strip([(radius - 0.002, -h), (radius, -h + 0.003), (radius, h)], WALL),
        Strip([(radius, h), (0, h)], UPPER, disc=True),
    )
    angle = np.linspace(-np.pi / 2, np.pi / 2, 13)
    bow = np.stack([radius - 0.003 + handle_m * np.cos(angle), 0 * angle, 0.028 * np.sin(angle)], axis=1)
    handle = sweep(bow, np.tile([0.0048, 0.0065], (len(bow), 1)), HANDLE, sides=14, power=2.5)
    form = carved(union(outer, handle), cavity(radius - wall_m, -h + 0.006, h, radius - 0.008))
    wall = paint.canvas(WALL, WHITE)
    for k, colour in enumerate([(220, 60, 50), (240, 170, 40), (40, 120, 190), (50, 150, 90)]):
        for i in range(9):
            x, y = (i + 0.5 * (k % 2) + 0.2) / 9, 0.16 + 0.22 * k
            paint.polygon(wall, [(x - 0.045, y), (x, y - 0.09), (x + 0.045, y), (x, y + 0.09)], colour)
    paint.words(wall, "GOOD MORNING", (0.5, 0.49), 0.13, INK)
    paint.specks(wall, 120, (2, 4), [INK, (220, 60, 50), (40, 120, 190)], seed=7)
    pictures = {WALL: wall, HANDLE: striped(HANDLE, (220, 60, 50), WHITE, 12), INSIDE: glaze((214, 205, 190), 8)}
    grip = GraspSite((0, 0, 0), width_m=2 * radius)
    return finished("mug", form, paint.sheet({**pictures, LOWER: base(WHITE)}), "ceramic", grip)


def cup(radius: float = 0.040, foot: float = 0.027, height: float = 0.09) -> Model:
    """A tumbler, wider at its brim; its origin is at half its height."""
    h = height / 2
    outer = lathe(
        Strip([(0, -h), (foot, -h)], LOWER, disc=True),
        Strip([(foot, -h), (foot + 0.001, -h + 0.002), (radius, h)], WALL),
        Strip([(radius, h), (0, h)], UPPER, disc=True),
    )
    form = carved(outer, cavity(radius - 0.003, -h + 0.005, h, foot - 0.003))
    wall = paint.canvas(WALL, (38, 110, 170))
    for i in range(12):
        x = i / 12
        paint.polygon(wall, [(x, 1), (x + 0.035, 1), (x + 0.075, 0.3), (x + 0.04, 0.3)], (245, 205, 70))
    paint.box(wall, (0, 0.06, 1, 0.14), WHITE)
    paint.specks(wall, 170, (3, 7), [WHITE, (16, 50, 90), (240, 120, 60)], seed=9)
    texture = paint.sheet({WALL: wall, INSIDE: glaze((225, 228, 232), 10), LOWER: base(STEEL)})
    return finished("cup", form, texture, "ceramic", GraspSite((0, 0, 0), width_m=1.7 * radius))


def wine_glass(radius: float = 0.038, height: float = 0.19) -> Model:
    """A wine glass with a gilded, engraved bowl; its origin is at half its height."""
    h = height / 2
    bowl_outside = [(0.004, -0.012), (0.020, 0.0), (0.034, 0.022), (radius, 0.045), (0.036, 0.07), (0.031, h)]
    bowl_inside = [(r - 0.0015, z + 0.003 * (z < 0.05)) for r, z in bowl_outside[::-1][:-1]]
    form = lathe(
        Strip([(0, -h), (0.034, -h)], LOWER, disc=True),
        Strip(
            [
                (0.034, -h),
                (0.034, -h + 0.002),
                (0.012, -h + 0.006),
                (0.004, -h + 0.016),
                (0.0035, -0.030),
                *bowl_outside,
            ],
            WALL,
        ),
        Strip([bowl_outside[-1], *bowl_inside, (0, 0.001)], INSIDE),
    )
    wall = paint.canvas(WALL, (186, 214, 222))
    paint.box(wall, (0, 0.02, 1, 0.06), (206, 160, 60))
    for i in range(11):
        x = (i + 0.5) / 11
        paint.polygon(wall, [(x - 0.035, 0.34), (x, 0.12), (x + 0.035, 0.34), (x, 0.44)], (70, 96, 140))
        paint.disc(wall, (x, 0.3), 0.012, (240, 240, 240))
    paint.specks(wall, 130, (2, 4), [(250, 250, 250), (90, 120, 160), (206, 160, 60)], seed=20)
    return finished(
        "wine_glass",
        form,
        paint.sheet({WALL: wall, INSIDE: glaze((200, 224, 230), 21), LOWER: base((186, 214, 222))}),
        "glass",
        GraspSite((0.0, 0.0, -0.045), width_m=0.009),
    )
