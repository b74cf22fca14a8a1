"""Clothes and hair as geometry: shoes and brim are added, covered skin is smoothed and pushed out."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from envs.embodiments.human.skin import PARTS, Skin, normals
from envs.scenes.appearance import garments
from envs.scenes.appearance.appearance import Appearance
from envs.scenes.appearance.extras import with_brim, with_long_hair, with_shoes

_HEM_M = 0.012  # over which a garment rises to its full thickness
_HAIR_M = 0.014
_CAP_M = 0.019
_SMOOTHING = {"top": 25, "trousers": 30, "scalp": 8, "cap": 12}
"""Rounds of smoothing, so that anatomy does not show through; back and forth, which does not shrink (Taubin 1995)."""


def outfit(skin: Skin, person: Appearance) -> Skin:
    """A bundled skin with what the person wears, and without the feet, which do not show."""
    marks = garments.landmarks(skin)
    worn = with_shoes(skin, marks)
    if person.hair.cap is not None:
        return with_brim(worn, marks)
    return with_long_hair(worn, marks) if person.hair.length == "long" else worn


def relief(skin: Skin, person: Appearance) -> Skin:
    """An `outfit` whose covered skin is smoothed and pushed out to the thickness of cloth, hair and cap."""
    marks = garments.landmarks(skin)
    p = skin.vertices
    body = np.zeros(len(p), bool)
    body[skin.triangles[skin.part == PARTS.index("body")]] = True
    depths = {
        "top": garments.top_depth(p, marks, person),
        "trousers": garments.trousers_depth(p, marks, person),
        "scalp": garments.scalp_depth(p, marks),
        "cap": garments.cap_depth(p, marks) if person.hair.cap is not None else np.full(len(p), -1.0),
    }
    thick = np.maximum.reduce(
        [
            _rise(depths["top"]) * person.top.cloth.loose_m,
            _rise(depths["trousers"]) * person.trousers.cloth.loose_m,
            _rise(depths["scalp"] * 0.6) * _HAIR_M * (0.4 if person.hair.cap is not None else 1.0),
            _rise(depths["cap"] * 2.5) * _CAP_M,
        ]
    )
    average = neighbours(len(p), skin.triangles)
    out = p.copy()
    for name, rounds in _SMOOTHING.items():
        share = (body * np.clip(depths[name] / _HEM_M, 0, 1))[:, None]
        for step in rounds * (0.5, -0.53):
            out += step * share * (average @ out - out)
    out += (body * thick)[:, None] * normals(out, skin.triangles)
    return replace(skin, vertices=out)


def neighbours(count: int, triangles: np.ndarray) -> sparse.csr_matrix:
    """The matrix (V, V) that replaces every vertex by the mean of its neighbours."""
    a, b = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).T
    linked = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count)).tocsr()
    linked = ((linked + linked.T) > 0).astype(float)
    degree = np.asarray(linked.sum(axis=1)).ravel()
    return sparse.diags(1 / np.maximum(degree, 1)) @ linked


def _rise(depth: np.ndarray) -> np.ndarray:
    t = np.clip(depth / _HEM_M, 0, 1)
    return t * t * (3 - 2 * t)
