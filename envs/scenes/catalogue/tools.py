"""What is held by a handle and used: tools for the house."""

import numpy as np

from envs.scenes.catalogue import paint
from envs.scenes.catalogue.make_model import finished
from envs.scenes.catalogue.shapes import Strip, lathe, rounded, slab, sweep
from envs.scenes.catalogue.solid import Rect, placed, union
from envs.scenes.objects.textured_model import GraspSite, Model

HANDLE = Rect(0.0, 0.0, 1.0, 0.5)
HEAD = Rect(0.0, 0.5, 0.5, 1.0)
SIDE = Rect(0.5, 0.5, 1.0, 0.75)
ENDS = Rect(0.5, 0.75, 0.75, 1.0)
EXTRA = Rect(0.75, 0.75, 1.0, 1.0)
STEEL, INK, WHITE, ORANGE = (168, 172, 178), (28, 30, 34), (242, 240, 236), (238, 112, 32)


def hammer(length: float = 0.30) -> Model:
    """A claw hammer lying on its side: the handle along x, the head at its +x end, face to -y and claw to +y."""
    end, grip = -0.68 * length, -0.45 * length
    reach = np.array([end, end + 0.006, grip, -0.1 * length, 0.20 * length, 0.32 * length])
    widths = [(0.010, 0.008), (0.016, 0.0135), (0.0155, 0.0135), (0.0120, 0.0115), (0.0115, 0.0110), (0.0115, 0.0110)]
    handle = sweep(np.c_[reach, 0 * reach, 0 * reach], widths, HANDLE, up=(0, 0, 1), power=2.6)
    x = 0.28 * length
    face = lathe(
        Strip([(0, -0.052), (0.0125, -0.052), (0.0145, -0.049)], ENDS, disc=True),
        Strip([(0.0145, -0.049), (0.0145, -0.030), (0.0105, -0.024), (0.0105, 0.0)], SIDE),
        Strip([(0.0105, 0.0), (0, 0.0)], ENDS, disc=True),
        sides=24,
    )
    face = placed(face, (x, 0, 0), (-90, 0, 0))
    path = [(x, -0.018, 0), (x, 0.016, 0), (x - 0.003, 0.034, 0), (x - 0.012, 0.052, 0), (x - 0.026, 0.066, 0)]
    claw = sweep(
        path,
        [(0.0145, 0.0145), (0.0145, 0.0145), (0.0100, 0.0140), (0.0055, 0.0125), (0.0015, 0.0105)],
        HEAD,
        up=(0, 0, 1),
        power=3.0,
    )
    pictures = {HANDLE: _gripped(ORANGE, "STRIKER 16oz", seed=30), SIDE: _steel(SIDE, 31), HEAD: _steel(HEAD, 32)}
    texture = paint.sheet({**pictures, ENDS: _steel(ENDS, 33)})
    place = GraspSite((grip + 0.02, 0.0, 0.0), (1.0, 0.0, 0.0), 0.030)
    return finished("hammer", union(handle, face, claw), texture, "steel", place, 0.55)


def mallet() -> Model:
    """A wooden mallet that stands on its handle, 44 mm thick and held at the origin; its head is 100 x 100 x 70 mm."""
    handle = lathe(
        Strip([(0, -0.075), (0.022, -0.075)], ENDS, disc=True),
        Strip([(0.022, -0.075), (0.022, 0.082)], HANDLE),
        Strip([(0.022, 0.082), (0, 0.082)], ENDS, disc=True),
    )
    head = placed(slab(rounded(0.1, 0.1, 0.006, 3), 0.07, HEAD, ENDS, SIDE, bevel=0.004), (0, 0, 0.115))
    wood = paint.grain(paint.canvas(HANDLE, (196, 150, 96)), 20, (22, 1.5), seed=34)
    for y in (0.2, 0.24, 0.78, 0.82):
        paint.box(wood, (0, y, 1, y + 0.02), (90, 56, 30))
    for i in range(8):
        paint.polygon(wood, [((i + 0.2) / 8, 0.62), ((i + 0.5) / 8, 0.36), ((i + 0.8) / 8, 0.62)], (150, 40, 34))
    paint.specks(wood, 70, (2, 5), [(90, 56, 30), (230, 196, 150)], seed=35)
    pictures = {HANDLE: wood}
    for k, rect in enumerate((HEAD, SIDE, ENDS)):
        face = paint.grain(paint.canvas(rect, (158, 104, 60)), 24, (1.5, 20), seed=36 + k)
        paint.specks(face, 60, (2, 6), [(90, 52, 26), (212, 164, 112), (60, 36, 20)], seed=39 + k)
        pictures[rect] = face
    paint.words(pictures[HEAD], "OAK No.7", (0.5, 0.5), 0.14, (60, 30, 16))
    for x in (0.125, 0.375, 0.625, 0.875):
        paint.disc(pictures[SIDE], (x, 0.5), 0.06, (60, 34, 18), width=4)
        paint.words(pictures[SIDE], "7", (x, 0.5), 0.3, (60, 34, 18))
    return finished(
        "mallet", union(handle, head), paint.sheet(pictures), "wood", GraspSite((0, 0, 0), width_m=0.044), 0.22
    )


def knife(length: float = 0.30) -> Model:
    """A cook's knife with a dull edge, lying on its flank: the handle along x, the blade to +x, its edge to -y."""
    blade_m = 0.62 * length
    tip = np.linspace(0, 1, 9)[1:]
    belly = np.stack([blade_m * (0.55 + 0.45 * tip), -0.030 + 0.036 * tip**2.2], axis=1)
    outline = np.array(
        [(-0.012, 0.010), (-0.012, -0.008), (0.004, -0.012), (0.008, -0.030), *belly, (0.7 * blade_m, 0.013)]
    )
    blade = slab(outline, 0.0026, HEAD, HEAD, SIDE, bevel=0.0006)
    reach = np.linspace(0.006, blade_m - length, 9)
    half = [0.013, 0.0135, 0.013, 0.0125, 0.0125, 0.013, 0.0145, 0.0145, 0.009]
    curve = np.c_[reach, 0.001 - 0.004 * np.sin(np.pi * (reach / reach[-1])), 0 * reach]
    handle = sweep(curve, np.c_[half, np.full(9, 0.0085)], HANDLE, up=(0, 0, 1), power=3.0)
    steel = paint.grain(paint.canvas(HEAD, (206, 209, 214)), 7, (1, 16), seed=42)
    paint.box(steel, (0, 0.62, 1, 0.64), (150, 154, 160))
    paint.words(steel, "CHEF", (0.35, 0.40), 0.11, INK)
    paint.lines_of_print(steel, (0.52, 0.36, 0.68, 0.46), 3, INK, seed=43)
    paint.specks(steel, 60, (2, 4), [(120, 124, 130), (236, 238, 240), (90, 94, 100)], seed=44)
    black = paint.grain(paint.canvas(HANDLE, (44, 40, 40)), 8, (12, 1), seed=45)
    for y in (0.22, 0.5, 0.78):
        for x in (0.0, 0.5, 1.0):
            paint.disc(black, (x, y), 0.03, (222, 206, 160))
    paint.specks(black, 70, (2, 5), [(100, 92, 88), (150, 60, 40)], seed=46)
    texture = paint.sheet({HEAD: steel, SIDE: _steel(SIDE, 47), HANDLE: black})
    grip = GraspSite((float(reach[5]), 0.0, 0.0), (1.0, 0.0, 0.0), 0.026)
    return finished("knife", union(blade, handle), texture, "steel", grip, 0.17)


def toothbrush(length: float = 0.19) -> Model:
    """A toothbrush on its back: the handle along x, its head at +x, the bristles up; its origin is in the middle."""
    reach = np.array([-0.5, -0.49, -0.35, -0.15, 0.05, 0.22, 0.34, 0.42, 0.49, 0.5]) * length
    across = np.array([0.004, 0.0062, 0.0072, 0.0066, 0.0056, 0.0030, 0.0045, 0.0062, 0.0052, 0.003])
    thick = np.array([0.0035, 0.0048, 0.0056, 0.0054, 0.0044, 0.0028, 0.0028, 0.0028, 0.0026, 0.002])
    handle = sweep(np.c_[reach, 0 * reach, thick - 0.006], np.c_[across, thick], HANDLE, up=(0, 0, 1), power=2.6)
    tuft = slab(rounded(0.030, 0.0098, 0.004), 0.013, HEAD, HEAD, SIDE)
    bristles = placed(tuft, (0.40 * length, 0, 0.0045))
    body = paint.canvas(HANDLE, (36, 150, 196))
    paint.box(body, (0, 0.60, 1, 0.92), WHITE)
    for y in np.linspace(0.62, 0.90, 8):
        paint.box(body, (0, y, 1, y + 0.015), (240, 96, 80))
    for i in range(7):
        paint.disc(body, ((i + 0.5) / 7, 0.42), 0.035, (250, 220, 70))
    paint.specks(body, 60, (2, 5), [WHITE, (16, 80, 120)], seed=48)
    tips = paint.canvas(HEAD, WHITE)
    for i in range(8):
        for k in range(3):
            paint.disc(
                tips,
                ((i + 0.5) / 8, (k + 0.5) / 3),
                0.045,
                [(60, 120, 210), (90, 200, 170), (240, 96, 80)][(i + k) % 3],
            )
    brush = paint.canvas(SIDE, WHITE)
    for i in range(40):
        paint.box(brush, (i / 40, 0, (i + 0.5) / 40, 1), [(60, 120, 210), (90, 200, 170)][i % 2])
    grip = GraspSite((-0.2 * length, 0.0, -0.001), (1.0, 0.0, 0.0), 0.011)
    texture = paint.sheet({HANDLE: body, HEAD: tips, SIDE: brush})
    return finished("toothbrush", union(handle, bristles), texture, "plastic", grip)


def flashlight(length: float = 0.17) -> Model:
    """A torch standing on its lens; its origin is in the middle of what a hand holds."""
    low, high = -0.42 * length, 0.58 * length
    form = lathe(
        Strip([(0, low), (0.024, low), (0.0255, low + 0.002)], ENDS, disc=True),
        Strip([(0.0255, low + 0.002), (0.0255, low + 0.022), (0.018, low + 0.040)], SIDE),
        Strip([(0.018, low + 0.040), (0.017, low + 0.044), (0.017, high - 0.004), (0.014, high)], HANDLE),
        Strip([(0.014, high), (0, high)], EXTRA, disc=True),
    )
    body = _gripped((52, 54, 60), "LUMEN 900", seed=49)
    rim = paint.canvas(SIDE, (240, 196, 40))
    for i in range(12):
        paint.polygon(rim, [(i / 12, 1), ((i + 0.5) / 12, 1), ((i + 1) / 12, 0), ((i + 0.5) / 12, 0)], INK)
    glass = paint.canvas(ENDS, (236, 244, 250))
    paint.disc(glass, (0.5, 0.5), 0.3, (250, 236, 150))
    switch = paint.canvas(EXTRA, (52, 54, 60))
    paint.disc(switch, (0.5, 0.5), 0.3, (220, 50, 40))
    texture = paint.sheet({HANDLE: body, SIDE: rim, ENDS: glass, EXTRA: switch})
    return finished("flashlight", form, texture, "aluminium", GraspSite((0, 0, 0), width_m=0.034), 0.18)


def spray_bottle() -> Model:
    """A bottle of cleaner with a trigger towards +x, 260 mm tall, half full; its origin is 90 mm above its foot."""
    z = np.array([-0.09, -0.087, -0.05, 0.03, 0.055, 0.075, 0.10])
    widths = [
        (0.030, 0.022),
        (0.034, 0.026),
        (0.036, 0.028),
        (0.034, 0.027),
        (0.026, 0.022),
        (0.015, 0.015),
        (0.014, 0.014),
    ]
    body = sweep(np.c_[0 * z, 0 * z, z], widths, HANDLE, sides=32, power=2.6)
    collar = lathe(
        Strip([(0, 0.096), (0.017, 0.096), (0.017, 0.116), (0.010, 0.118), (0.010, 0.126), (0, 0.126)], SIDE), sides=24
    )
    outline = [
        (-0.030, 0.122),
        (0.030, 0.122),
        (0.048, 0.134),
        (0.056, 0.136),
        (0.056, 0.156),
        (0.040, 0.166),
        (-0.026, 0.170),
        (-0.038, 0.15),
    ]
    head = placed(slab(np.array(outline), 0.026, HEAD, HEAD, SIDE, bevel=0.004), turn_deg=(90, 0, 0))
    pull = [(0.030, 0, 0.130), (0.036, 0, 0.110), (0.034, 0, 0.090), (0.042, 0, 0.074)]
    trigger = sweep(
        pull, [(0.0045, 0.008), (0.0045, 0.008), (0.004, 0.007), (0.003, 0.006)], EXTRA, sides=14, power=2.6
    )
    label = paint.canvas(HANDLE, (60, 170, 220))
    paint.box(label, (0, 0.50, 1, 0.92), WHITE)
    for x in (0.5, 0.0, 1.0):
        paint.words(label, "CLEAN", (x, 0.62), 0.14, (20, 60, 150))
        paint.polygon(label, [(x - 0.08, 0.86), (x, 0.70), (x + 0.08, 0.86)], (90, 190, 70))
    paint.disc(label, (0.25, 0.7), 0.07, (250, 210, 40))
    paint.lines_of_print(label, (0.68, 0.56, 0.84, 0.88), 8, INK, seed=50)
    paint.specks(label, 110, (2, 6), [WHITE, (20, 90, 150), (140, 220, 245)], seed=51)
    red = paint.canvas(HEAD, (220, 48, 44))
    paint.polygon(red, [(0.3, 0.7), (0.7, 0.7), (0.5, 0.3)], WHITE)
    paint.specks(red, 40, (3, 8), [WHITE, (120, 16, 16), (250, 200, 60)], seed=52)
    ribs = paint.canvas(SIDE, (220, 48, 44))
    for i in range(24):
        paint.box(ribs, (i / 24, 0, (i + 0.4) / 24, 1), (150, 20, 20))
    pictures = {HANDLE: label, HEAD: red, SIDE: ribs, EXTRA: paint.canvas(EXTRA, WHITE)}
    form = union(body, collar, head, trigger)
    return finished(
        "spray_bottle", form, paint.sheet(pictures), "plastic", GraspSite((0, 0, -0.01), width_m=0.055), 0.45
    )


def _gripped(colour: paint.Colour, text: str, seed: int):
    """A handle: ribs for the fingers at its end, print along the rest."""
    out = paint.grain(paint.canvas(HANDLE, colour), 7, (2, 6), seed)
    for y in np.arange(0.50, 0.96, 0.055):
        paint.box(out, (0, y, 1, y + 0.025), INK)
    for x in (0.25, 0.75):
        paint.words(out, text, (x, 0.32), 0.10, WHITE)
    paint.box(out, (0, 0.12, 1, 0.17), WHITE)
    paint.specks(out, 90, (2, 5), [WHITE, (110, 50, 20), (250, 200, 90)], seed)
    return out


def _steel(rect: Rect, seed: int):
    """Brushed steel with scratches."""
    out = paint.grain(paint.canvas(rect, STEEL), 12, (1, 20), seed)
    paint.specks(out, 50, (1.5, 4), [(96, 100, 106), (226, 228, 232), (70, 60, 56)], seed)
    return out
