"""Round things of the kitchen."""

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
    glaze,
    striped,
)
from envs.scenes.objects.textured_model import GraspSite, Model


def bowl(radius: float = 0.075, height: float = 0.065) -> Model:
    """A bowl for soup, its origin on the axis at half its height."""
    h, angle = height / 2, np.linspace(0.0, np.pi / 2, 9)
    foot = 0.45 * radius
    side = [(foot + (radius - foot) * np.sin(a), -h + 0.006 + (height - 0.006) * (1 - np.cos(a))) for a in angle]
    inner = [(r - 0.005 if r > 0.02 else r, z) for r, z in side[::-1]]
    inner = [(max(r, 0.0), max(z, -h + 0.012)) for r, z in inner]
    form = lathe(
        Strip([(0, -h), (foot, -h)], LOWER, disc=True),
        Strip([(foot, -h), *side], WALL),
        Strip([side[-1], *inner, (0, -h + 0.012)], INSIDE, disc=True),
    )
    wall = paint.canvas(WALL, (236, 228, 210))
    for i in range(16):
        paint.disc(wall, ((i + 0.5) / 16, 0.42 + 0.12 * (i % 2)), 0.022, (190, 60, 40) if i % 3 else (40, 80, 150))
    paint.box(wall, (0, 0.08, 1, 0.17), (40, 80, 150))
    paint.box(wall, (0, 0.8, 1, 0.86), (190, 60, 40))
    paint.specks(wall, 150, (2, 5), [INK, (190, 60, 40), (120, 90, 60)], seed=11)
    inside = glaze((238, 232, 218), 12)
    paint.disc(inside, (0.5, 0.5), 0.16, (190, 60, 40), width=5)
    paint.polygon(inside, [(0.5, 0.36), (0.62, 0.62), (0.38, 0.62)], (40, 80, 150))
    texture = paint.sheet({WALL: wall, INSIDE: inside, LOWER: base((200, 190, 170))})
    return finished("bowl", form, texture, "ceramic", GraspSite((0.93 * radius, 0, 0.015), (0, 1, 0), 0.012))


def plate(radius: float = 0.13, height: float = 0.022) -> Model:
    """A dinner plate; its origin is on the axis at half its height."""
    h, foot = height / 2, 0.6 * radius
    face, back = Rect(0.0, 0.0, 0.7, 0.7), Rect(0.7, 0.0, 1.0, 0.3)
    form = lathe(
        Strip([(0, -h), (foot, -h), (0.72 * radius, -h + 0.004), (radius, h - 0.002), (radius, h)], back, disc=True),
        Strip([(radius, h), (0.72 * radius, -h + 0.009), (foot, -h + 0.005), (0, -h + 0.005)], face, disc=True),
    )
    top = paint.canvas(face, WHITE)
    paint.disc(top, (0.5, 0.5), 0.495, (30, 70, 150), width=10)
    paint.disc(top, (0.5, 0.5), 0.37, (30, 70, 150), width=4)
    for i in range(15):
        a = 2 * np.pi * i / 15
        for k, (reach, size) in enumerate([(0.425, 0.026), (0.405, 0.012)]):
            where = (0.5 + reach * np.cos(a + 0.12 * k), 0.5 + reach * np.sin(a + 0.12 * k))
            paint.disc(top, where, size, [(30, 70, 150), (200, 60, 50), (230, 170, 50)][(i + k) % 3])
    paint.specks(top, 70, (2, 5), [(30, 70, 150), (90, 120, 170), (200, 60, 50)], seed=13)
    return finished(
        "plate",
        form,
        paint.sheet({face: top, back: base(WHITE)}),
        "ceramic",
        GraspSite((0.93 * radius, 0, 0.006), (0, 1, 0), 0.012),
    )


def pan(radius: float = 0.11, height: float = 0.045, handle_m: float = 0.17) -> Model:
    """A frying pan, the handle towards +x; its origin is on the axis at half its height."""
    h, foot = height / 2, 0.82 * radius
    outer = lathe(
        Strip([(0, -h), (foot, -h)], LOWER, disc=True),
        Strip([(foot, -h), (radius, h)], WALL),
        Strip([(radius, h), (0, h)], UPPER, disc=True),
    )
    reach = np.array([-0.008, 0.02, 0.045, 0.08, 0.12, handle_m - 0.008, handle_m])
    path = np.stack([radius + reach, 0 * reach, h - 0.014 + 0.16 * reach], axis=1)
    widths = [
        (0.006, 0.009),
        (0.006, 0.009),
        (0.008, 0.012),
        (0.010, 0.014),
        (0.009, 0.013),
        (0.008, 0.012),
        (0.003, 0.006),
    ]
    handle = sweep(path, widths, HANDLE, sides=16, power=2.5)
    cavity = lathe(
        Strip(
            [(0, -h + 0.003), (foot - 0.002, -h + 0.003), (radius - 0.002, h + 0.001), (0, h + 0.001)],
            INSIDE,
            disc=True,
        )
    )
    inside = paint.canvas(INSIDE, (46, 46, 50))
    for r in np.arange(0.08, 0.5, 0.045):
        paint.disc(inside, (0.5, 0.5), float(r), (70, 70, 74), width=1)
    paint.specks(inside, 420, (1, 3), [(150, 150, 156), (96, 96, 100), (20, 20, 22), (214, 214, 218)], seed=14)
    wall = paint.canvas(WALL, (170, 30, 34))
    paint.box(wall, (0, 0, 1, 0.12), (210, 210, 214))
    paint.specks(wall, 200, (2, 6), [(220, 90, 70), (110, 14, 20), (240, 210, 190)], seed=15)
    wood = paint.grain(paint.canvas(HANDLE, (150, 98, 56)), 26, (18, 1.2), seed=16)
    paint.disc(wood, (0.25, 0.08), 0.03, INK)
    paint.disc(wood, (0.75, 0.08), 0.03, INK)
    texture = paint.sheet({WALL: wall, INSIDE: inside, HANDLE: wood, LOWER: base((150, 150, 154)), UPPER: base(STEEL)})
    centre = (radius + 0.6 * handle_m, 0.0, h - 0.014 + 0.1 * handle_m)
    axis = np.array([1.0, 0.0, 0.16]) / np.hypot(1.0, 0.16)
    return finished(
        "pan", carved(union(outer, handle), cavity), texture, "aluminium", GraspSite(centre, tuple(axis), 0.026)
    )


def kettle(radius: float = 0.085, height: float = 0.15) -> Model:
    """A water kettle of two litres, a third full, its spout towards +x and its handle above; its origin is 65 mm up."""
    foot, low = 0.9 * radius, -0.065
    angle = np.linspace(0.1, np.pi / 2, 8)
    side = [(radius * np.sin(a) ** 0.6, low + 0.030 + (height - 0.045) * np.cos(a)) for a in angle[::-1]]
    top = side[-1][1]
    body = lathe(
        Strip([(0, low), (foot, low)], LOWER, disc=True),
        Strip([(foot, low), (radius, low + 0.010), *side], WALL),
        Strip([side[-1], (0.022, top + 0.004), (0, top + 0.006)], UPPER, disc=True),
    )
    knob = lathe(
        Strip(
            [
                (0, top),
                (0.006, top),
                (0.006, top + 0.010),
                (0.012, top + 0.014),
                (0.010, top + 0.022),
                (0, top + 0.024),
            ],
            UPPER,
            disc=True,
        ),
        sides=20,
    )
    spout_path = [(0.055, 0, -0.02), (0.085, 0, -0.005), (0.108, 0, 0.022), (0.122, 0, 0.052)]
    spout = sweep(spout_path, [(0.020, 0.020), (0.017, 0.017), (0.012, 0.012), (0.009, 0.009)], INSIDE, sides=18)
    bow = np.linspace(0, np.pi, 17)
    arch = np.stack([-0.056 * np.cos(bow), 0 * bow, top - 0.030 + 0.088 * np.sin(bow) ** 0.7], axis=1)
    handle = sweep(arch, np.tile([0.007, 0.011], (len(bow), 1)), HANDLE, sides=14, power=2.6)
    wall = paint.grain(paint.canvas(WALL, (66, 140, 160)), 6, (1, 30), seed=17)
    for i in range(10):
        paint.disc(wall, ((i + 0.5) / 10, 0.5 + 0.1 * (i % 2)), 0.035, WHITE)
        paint.disc(wall, ((i + 0.5) / 10, 0.5 + 0.1 * (i % 2)), 0.017, (230, 90, 60))
    paint.box(wall, (0, 0.93, 1, 1), STEEL)
    paint.specks(wall, 150, (2, 5), [WHITE, (20, 60, 80), (240, 190, 80)], seed=18)
    lid = base((66, 140, 160))
    paint.disc(lid, (0.5, 0.5), 0.16, INK)
    spotted = paint.canvas(INSIDE, (66, 140, 160))
    paint.specks(spotted, 120, (2, 6), [WHITE, (20, 60, 80), (240, 190, 80)], seed=19)
    pictures = {WALL: wall, UPPER: lid, LOWER: base(STEEL), INSIDE: spotted, HANDLE: striped(HANDLE, INK, STEEL, 9)}
    return finished(
        "kettle",
        union(body, knob, spout, handle),
        paint.sheet(pictures),
        "steel",
        GraspSite((0.0, 0.0, top + 0.058), (1, 0, 0), 0.022),
        1.3,
    )
