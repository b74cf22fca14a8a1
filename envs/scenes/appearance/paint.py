"""Paints a skin's texture: every pixel's colour is a function of its place on the T-posed body."""

import numpy as np

from envs.embodiments.human.skin import PARTS, Skin, normals
from envs.scenes.appearance import garments
from envs.scenes.appearance.appearance import Appearance, Cloth
from envs.scenes.appearance.atlas import Atlas, build_atlas
from envs.scenes.appearance.face import paint_eyes, paint_face
from envs.scenes.appearance.outfit import neighbours
from envs.scenes.appearance.surface import Surface, mix

_STITCH_M = (0.009, 0.012)


def paint(skin: Skin, worn: Skin, person: Appearance, size: int = 1024) -> np.ndarray:
    """The texture, uint8 (size, size, 3), of a person's `outfit`, and of it as `relief`."""
    atlas = build_atlas(skin, size)
    surface = _surface(skin, worn, atlas)
    marks = garments.landmarks(skin)
    colours = _skin_colours(surface, person)
    colours = paint_face(colours, surface, marks, person)
    colours *= 1 - np.clip(0.22 * surface.crease, -0.08, 0.2)[:, None]
    colours = _trousers(colours, surface, marks, person)
    colours = _top(colours, surface, marks, person)
    colours = _shoes(colours, surface, marks, person)
    colours = _head(colours, surface, marks, person)
    colours = paint_eyes(colours, surface, marks, person)
    return atlas.picture(colours)


def _surface(skin: Skin, worn: Skin, atlas: Atlas) -> Surface:
    average = neighbours(len(skin.vertices), skin.triangles)
    outward = normals(skin.vertices, skin.triangles)
    smooth, crease = skin.vertices, np.zeros(len(skin.vertices))
    for rounds, scale in ((1, 0.0012), (2, 0.006)):
        for _ in range(rounds):
            smooth = average @ smooth
        crease += ((smooth - skin.vertices) * outward).sum(axis=1) / scale / 2
    return Surface(
        point=atlas.of_vertices(skin, skin.vertices),
        worn=atlas.of_vertices(skin, worn.vertices),
        crease=np.clip(atlas.of_vertices(skin, crease), -1, 1),
        part=skin.part[atlas.face],
        masks={name: atlas.of_picture(mask) for name, mask in skin.masks.items()},
    )


def _skin_colours(surface: Surface, person: Appearance) -> np.ndarray:
    p = surface.point
    base = np.asarray(person.skin)
    flush = base * [1.04, 0.86, 0.82]
    colours = (
        np.broadcast_to(base, p.shape) * (1 + 0.02 * surface.noise(0.05, 1) + 0.015 * surface.noise(0.004, 2))[:, None]
    )
    colours = mix(colours, flush, 0.2 + 0.08 * surface.noise(0.03, 3))
    knuckles = np.clip(surface.crease, 0, 1) + np.clip(-surface.crease - 0.2, 0, 1) * 0.5
    colours = mix(colours, flush * 0.92, 0.3 * np.clip(knuckles, 0, 1))
    nail = base * 0.55 + np.array([0.97, 0.78, 0.74]) * 0.45
    edge = np.clip(1 - np.abs(surface.masks["nails"] - 0.35) / 0.3, 0, 1)
    colours = mix(colours, nail, surface.masks["nails"])
    return mix(colours, flush * 0.75, 0.6 * edge)


def _top(colours, surface: Surface, marks, person: Appearance) -> np.ndarray:
    p, top = surface.point, person.top
    depth = garments.top_depth(p, marks, person)
    sleeve = garments.sleeve_depth(p, marks)
    on_arm = sleeve > 0
    x, _, z = surface.worn.T
    along, across = np.where(on_arm, np.abs(x), z), np.where(on_arm, z, x)
    cloth = _fabric(surface, top.cloth, along, across)
    if top.trim is not None:
        collar = np.minimum(garments.neckline_depth(p, marks), garments.cuff_depth(p, marks, person))
        cloth = mix(cloth, np.asarray(top.trim), surface.edge(0.018 - collar))
    cloth = cloth * (1 - 0.28 * surface.line(sleeve, 0.0025))[:, None]
    if top.buttons:
        front = p[:, 1] > 0.0
        cloth = cloth * (1 - 0.25 * (front * surface.line(np.abs(p[:, 0]) - 0.016, 0.0018)))[:, None]
        drop = np.mod(p[:, 2] - marks.neck[2] + 0.06, 0.085) - 0.0425
        button = front * surface.edge(0.0055 - np.hypot(p[:, 0], drop))
        cloth = mix(cloth, np.array([0.92, 0.90, 0.85]), button)
    return mix(colours, _hemmed(cloth, surface, depth), surface.edge(depth))


def _trousers(colours, surface: Surface, marks, person: Appearance) -> np.ndarray:
    p, trousers = surface.point, person.trousers
    depth = garments.trousers_depth(p, marks, person)
    cloth = _fabric(surface, trousers.cloth, p[:, 2], p[:, 0])
    outer = np.abs(p[:, 0]) - 0.13
    pocket = (
        (p[:, 1] > 0)
        * (p[:, 2] > marks.hip_z - 0.06)
        * surface.line(np.hypot(np.abs(p[:, 0]) - 0.155, p[:, 2] - marks.hip_z - 0.08) - 0.075, 0.0022)
    )
    fly = (p[:, 1] > 0) * (p[:, 2] > marks.hip_z - 0.07) * surface.line(p[:, 0] - 0.004, 0.002)
    cloth = cloth * (1 - 0.35 * np.maximum(pocket * (outer < 0.06), fly))[:, None]
    waist = marks.hip_z + garments.WAIST_M - p[:, 2]
    belt = surface.edge(np.minimum(waist - 0.004, 0.038 - waist))
    cloth = mix(_hemmed(cloth, surface, depth), np.asarray(trousers.belt) * np.ones(3), belt)
    buckle = (p[:, 1] > 0) * surface.edge(np.minimum(0.021 - np.abs(p[:, 0]), belt - 0.5))
    cloth = mix(cloth, np.array([0.72, 0.70, 0.64]), buckle)
    return mix(colours, cloth, surface.edge(depth))


def _shoes(colours, surface: Surface, marks, person: Appearance) -> np.ndarray:
    p = surface.point
    upper = np.asarray(person.shoes.colour) * (1 + 0.02 * surface.noise(0.004, 8))[:, None]
    toe_y = p[surface.part == PARTS.index("shoes"), 1].max()
    from_toe = toe_y - p[:, 1]
    middle = np.abs(np.abs(p[:, 0]) - marks.foot_x)
    lacing = np.minimum.reduce([from_toe - 0.085, 0.165 - from_toe, p[:, 2] - marks.floor_z - 0.045])
    tongue = surface.edge(np.minimum(lacing, 0.024 - middle))
    upper = upper * (1 - 0.25 * surface.line(np.minimum(lacing, 0.026 - middle), 0.003))[:, None]
    lace = np.abs(np.mod(from_toe, 0.018) - 0.009) < 0.0035
    upper = mix(upper, np.asarray(person.shoes.sole), 0.9 * tongue * lace)
    upper = upper * (1 - 0.2 * surface.line(from_toe - 0.06 - 4 * middle**2, 0.003))[:, None]
    sole_top = marks.floor_z + 0.022 - p[:, 2]
    upper = mix(
        upper * (1 - 0.3 * surface.line(sole_top, 0.003))[:, None],
        np.asarray(person.shoes.sole),
        surface.edge(sole_top),
    )
    return np.where((surface.part == PARTS.index("shoes"))[:, None], upper, colours)


def _head(colours, surface: Surface, marks, person: Appearance) -> np.ndarray:
    p, hair = surface.point, person.hair
    base = np.asarray(hair.colour)
    strands = surface.strands(marks)
    locks = base * (1 + 0.55 * strands)[:, None] + 0.02 * np.clip(strands, 0, 1)[:, None]
    on_head = surface.part == PARTS.index("body")
    depth = garments.scalp_depth(p, marks) + 0.0012 * surface.noise(0.004, 9)
    cover = surface.edge(depth, 0.008) * on_head * (1 - surface.masks["ears"])
    colours = mix(colours, locks, cover)
    if hair.cap is not None:
        cap = garments.cap_depth(p, marks)
        cloth = np.asarray(hair.cap) * (1 + 0.03 * surface.noise(0.003, 10))[:, None]
        angle = np.mod(np.arctan2(p[:, 0], p[:, 1] - marks.head[1]), np.pi / 3)
        cloth = cloth * (1 - 0.25 * surface.line(0.08 * np.minimum(angle, np.pi / 3 - angle), 0.002))[:, None]
        worn = np.maximum(
            surface.edge(cap) * on_head * (1 - surface.masks["ears"]), surface.part == PARTS.index("brim")
        )
        colours = mix(colours, _hemmed(cloth, surface, cap), worn)
    return np.where((surface.part == PARTS.index("long_hair"))[:, None], locks, colours)


def _fabric(surface: Surface, cloth: Cloth, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Colours (P, 3) of a cloth whose pattern runs over the coordinates `along` and `across`, metres."""
    base, accent = np.asarray(cloth.colour), np.asarray(cloth.accent)
    folds = 1 + 0.07 * surface.noise(0.06, 5) + 0.03 * surface.noise(0.004, 6)
    colours = np.broadcast_to(base, (len(along), 3)).copy()
    if cloth.pattern == "stripes":
        colours = mix(
            colours,
            accent,
            surface.edge(np.abs(np.mod(along, cloth.period_m) - cloth.period_m / 2) - cloth.period_m * 0.30),
        )
    elif cloth.pattern == "checks":
        for u in (along, across):
            band = surface.edge(np.abs(np.mod(u, cloth.period_m) - cloth.period_m / 2) - cloth.period_m * 0.27)
            thin = surface.line(np.mod(u, cloth.period_m) - cloth.period_m / 2, 0.003)
            colours = mix(mix(colours, accent, 0.55 * band), np.array([0.9, 0.85, 0.6]), 0.5 * thin)
    elif cloth.pattern == "denim":
        colours = mix(
            colours, accent, np.clip(0.25 + 0.3 * surface.noise(0.09, 7) + 0.25 * surface.noise(0.0025, 11), 0, 1)
        )
    return colours * folds[:, None]


def _hemmed(cloth: np.ndarray, surface: Surface, depth: np.ndarray) -> np.ndarray:
    """A line of stitches along the edge, and a shadow at the very edge."""
    stitch = surface.edge(np.minimum(depth - _STITCH_M[0], _STITCH_M[1] - depth))
    return cloth * (1 - 0.22 * stitch - 0.25 * np.clip(1 - depth / 0.004, 0, 1))[:, None]
