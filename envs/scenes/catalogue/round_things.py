"""What grows, rolls or is worn."""

import numpy as np

from envs.scenes.catalogue import paint
from envs.scenes.catalogue.make_model import finished
from envs.scenes.catalogue.shapes import Strip, lathe, slab, sweep
from envs.scenes.catalogue.solid import WHOLE, Form, Rect, carved, placed, union
from envs.scenes.objects.textured_model import GraspSite, Model

SKIN = Rect(0.0, 0.0, 1.0, 0.85)
STEM = Rect(0.0, 0.85, 0.5, 1.0)
CROWN = Rect(0.0, 0.0, 1.0, 0.5)
BRIM = Rect(0.0, 0.5, 0.4, 0.9)
UNDER = Rect(0.4, 0.5, 0.8, 0.9)
RIM = Rect(0.0, 0.9, 1.0, 0.95)
LINING = Rect(0.8, 0.5, 1.0, 0.9)
WHITE, INK = (246, 244, 238), (26, 26, 32)

HAT_INSIDE_M = -0.02
"""Height above the hat's origin at which the top of a head is when it is worn."""


def apple(radius: float = 0.038) -> Model:
    """An apple standing on its five lobes, with a stem."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 17)
    r, z = radius * np.cos(a) ** 0.75, 0.93 * radius * np.sin(a)
    z = z - np.where(a > 0, 0.5, -0.22) * radius * np.exp(-((r / (0.42 * radius)) ** 2))
    r[[0, -1]] = 0.0
    body = lathe(Strip(list(zip(r, z, strict=True)), SKIN))
    x, y, height = body.vertices.T
    lobes = 1 + 0.035 * np.cos(5 * np.arctan2(y, x)) * np.clip(0.3 - height / radius, 0, 1)
    body = Form(np.stack([x * lobes, y * lobes, height], axis=1), body.faces, body.uv)
    bend = [(0.0, 0, 0.25 * radius), (0.001, 0, 0.6 * radius), (0.004, 0, 1.1 * radius)]
    stem = sweep(bend, [(0.0015, 0.0015), (0.0014, 0.0014), (0.002, 0.002)], STEM, sides=10)
    skin = paint.grain(paint.canvas(SKIN, (196, 30, 36)), 16, (40, 3), seed=120)
    for i, reach in enumerate(np.random.default_rng(121).uniform(0.18, 0.46, 26)):
        x0 = i / 26
        paint.polygon(skin, [(x0, 0), (x0 + 0.035, 0), (x0 + 0.02, reach)], (226, 190, 70))
    paint.specks(skin, 330, (1.5, 4), [(250, 226, 150), (240, 200, 110), (120, 10, 20)], seed=122)
    paint.box(skin, (0.44, 0.40, 0.56, 0.52), WHITE, radius=14)
    paint.words(skin, "GALA", (0.5, 0.46), 0.055, (30, 90, 40))
    texture = paint.sheet({SKIN: skin, STEM: paint.canvas(STEM, (92, 62, 30))})
    return finished("apple", union(body, stem), texture, "fruit", GraspSite((0, 0, 0), width_m=2 * radius))


def banana(length: float = 0.19, radius: float = 0.018) -> Model:
    """A banana lying on its flank, bent in the horizontal plane, its stem towards -x."""
    bend = np.linspace(-0.85, 0.85, 21)
    r = length / (2 * 0.85)
    path = np.stack([r * np.sin(bend), r * (1 - np.cos(bend)) - 0.03, 0 * bend], axis=1)
    along = np.linspace(0, 1, 21)
    full = radius * np.minimum(1, np.minimum(0.34 + 3.0 * np.clip(along - 0.08, 0, 1), 0.30 + 4.2 * (1 - along)))
    full[0] = 0.30 * radius
    form = sweep(path, np.c_[full, full], WHOLE, up=(0, 0, 1), sides=20, power=1.75)
    skin = paint.grain(paint.canvas(WHOLE, (240, 204, 56)), 9, (30, 3), seed=123)
    for x in (0.0, 0.25, 0.5, 0.75):
        paint.box(skin, (x, 0.06, x + 0.018, 0.94), (206, 160, 40))
    paint.specks(skin, 150, (2, 9), [(110, 74, 24), (70, 44, 18), (180, 130, 40)], seed=124)
    for x in (0.38, 0.88):
        paint.disc(skin, (x, 0.5), 0.06, (36, 96, 172))
        paint.words(skin, "BIO", (x, 0.5), 0.05, WHITE)
    paint.box(skin, (0, 0.93, 1, 1), (120, 110, 40))
    paint.box(skin, (0, 0, 1, 0.035), INK)
    middle = path[10]
    grip = GraspSite((0.0, float(middle[1]), 0.0), (1.0, 0.0, 0.0), 2 * radius)
    return finished("banana", form, paint.sheet({WHOLE: skin}), "fruit", grip)


def ball(radius: float = 0.07) -> Model:
    """A play ball; it collides as a sphere."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 23)
    r = radius * np.cos(a)
    r[[0, -1]] = 0.0
    form = lathe(Strip(list(zip(r, radius * np.sin(a), strict=True)), WHOLE))
    gores = [(222, 54, 48), WHITE, (36, 96, 190), (248, 200, 48), WHITE, (46, 150, 90)]
    skin = paint.canvas(WHOLE, WHITE)
    for i in range(6):
        paint.box(skin, (i / 6, 0, (i + 1) / 6, 1), gores[i])
        paint.box(skin, (i / 6 - 0.006, 0, i / 6 + 0.006, 1), INK)
    rng = np.random.default_rng(125)
    for i in range(12):
        x, y, tilt = (i + 0.5) / 12, 0.3 + 0.4 * (i % 2), rng.uniform(0, 2)
        turn = tilt + np.pi * np.arange(10) / 5
        reach = np.where(np.arange(10) % 2, 0.016, 0.038)
        points = np.stack([x + reach * np.cos(turn), y + 2 * reach * np.sin(turn)], axis=1)
        paint.polygon(skin, [(float(u), float(v)) for u, v in points], INK if i % 2 else (250, 120, 30))
    paint.specks(skin, 150, (3, 8), [INK, (222, 54, 48), (36, 96, 190)], seed=126)
    texture = paint.sheet({WHOLE: skin})
    grip = GraspSite((0, 0, 0), width_m=2 * radius)
    return finished("ball", form, texture, "rubber", grip, 0.2, shape="sphere", size=(radius,))


def hat() -> Model:
    """A felt hat of 270 x 300 mm on its brim, hollow, with a ridge along y 30 mm above its origin."""
    shell = [
        (0.083, 0.100, -0.1),
        (0.081, 0.098, -0.06),
        (0.070, 0.088, -0.018),
        (0.036, 0.064, 0.0),
        (0.034, 0.060, 0.03),
    ]
    hollow = [(0.078, 0.095, -0.110), (0.077, 0.094, -0.06), (0.064, 0.082, -0.022), (0.028, 0.050, -0.012)]
    crown = _loft(shell, CROWN)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    edge = np.stack([0.135 * np.cos(angle), 0.150 * np.sin(angle)], axis=1)
    brim = placed(slab(edge, 0.008, BRIM, UNDER, RIM, bevel=0.002), (0, 0, -0.096))
    felt = paint.grain(paint.canvas(CROWN, (128, 92, 60)), 8, (3, 3), seed=127)
    paint.box(felt, (0, 0.58, 1, 0.84), (150, 30, 40))
    paint.box(felt, (0, 0.64, 1, 0.67), (236, 206, 120))
    for i in range(14):
        x = (i + 0.5) / 14
        paint.polygon(felt, [(x - 0.02, 0.80), (x, 0.70), (x + 0.02, 0.80)], (236, 206, 120))
    paint.specks(felt, 150, (2, 6), [(84, 58, 34), (184, 146, 104), (230, 210, 180)], seed=128)
    pictures = {CROWN: felt, LINING: paint.canvas(LINING, (60, 44, 40)), RIM: paint.canvas(RIM, (60, 40, 26))}
    for k, rect in enumerate((BRIM, UNDER)):
        flat = paint.grain(paint.canvas(rect, (120, 86, 56)), 8, (3, 3), seed=129 + k)
        paint.disc(flat, (0.5, 0.5), 0.47, (236, 206, 120), width=3)
        paint.specks(flat, 150, (2, 6), [(84, 58, 34), (184, 146, 104), (230, 210, 180)], seed=131 + k)
        pictures[rect] = flat
    form = carved(union(brim, crown), _loft(hollow, LINING))
    grip = GraspSite((0.0, 0.0, 0.015), (0.0, 1.0, 0.0), 0.068)
    return finished("hat", form, paint.sheet(pictures), "felt", grip, 0.15)


def _loft(sections: list[tuple[float, float, float]], rect: Rect) -> Form:
    """The solid through horizontal ellipses of half-widths and height (x, y, z), from the bottom up."""
    x, y, z = np.array(sections).T
    return sweep(np.c_[0 * z, 0 * z, z], np.c_[x, y], rect, up=(0, 1, 0), sides=40)
