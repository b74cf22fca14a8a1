"""The skin of a human as plain data: a textured T-pose mesh with weights on the 52 joints; bundled, CC0."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from devi_jax.core.npz_container import NpzFormat
from devi_jax.core.skeleton import INDEX, JOINTS, PARENTS, TIPS
from envs.embodiments.human.body import Body, BodyError

FORMAT = NpzFormat("skin", 1, BodyError)
INFLUENCES = 4
"""Joints that a vertex may follow."""
STEPS = 65535
"""Coordinates are stored in this many steps."""

FIGURES = ("man", "woman", "tall_man")
PARTS = ("body", "eyes", "lashes", "shoes", "brim", "long_hair")
"""Of a dressed skin; the first `BUNDLED_PARTS` are in the file."""
BUNDLED_PARTS = 3
MASKS = ("lips", "nails", "ears", "eyelids")

_DATA = Path(__file__).parent / "skin.npz"
_MAIN_CHILD = {"pelvis": "spine1", "spine3": "neck", "left_wrist": "left_middle1", "right_wrist": "right_middle1"}


@dataclass(frozen=True)
class Skin:
    """A T-pose surface relative to the pelvis, in the project's axes, metres.

    Attributes:
        vertices: (V, 3). joints: (52, 3) joint centres.
        weights: (V, 52), rows sum to 1: how much each vertex follows each joint.
        corner_vertex: (C,) vertex of each corner; a vertex on a seam of the texture has several corners.
        corner_uv: (C, 2) texture coordinates in [0, 1]; (0, 0) is the lower left of the picture.
        faces: (F, 3) triangles of corners, counter-clockwise from outside.
        part: (F,) index into `PARTS`.
        masks: name -> (S, S) in [0, 1], pictures in texture space with the top row first; may be empty.
    """

    vertices: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    faces: np.ndarray
    part: np.ndarray
    masks: dict[str, np.ndarray]

    @property
    def triangles(self) -> np.ndarray:
        """(F, 3) triangles of vertices: the surface without seams."""
        return self.corner_vertex[self.faces]


def bundled_skin(figure: str = "man", path: Path = _DATA) -> Skin:
    """One of `FIGURES`; "man" is the surface that `human()` was measured on.

    Raises:
        BodyError: no such figure, or the file is not a skin file.
    """
    if figure not in FIGURES:
        raise BodyError(f"there is no figure '{figure}'", where="figure", valid=", ".join(FIGURES))
    header, file = FORMAT.read(path)
    try:
        low, high = file[f"{figure}_box"].astype(float)
        vertices = low + file[f"{figure}_vertices"] / STEPS * (high - low)
        joints = file[f"{figure}_joints"].astype(float)
        vertex, uv, quads = file["vertex"].astype(int), file["uv"] / STEPS, file["quads"].astype(int)
        influence, weight = file["influence"], file["weight"].astype(float)
        masks = {name: mask / 255.0 for name, mask in zip(MASKS, file["masks"], strict=True)}
        order = [header["joints"].index(name) for name in JOINTS]
        ends = header["part_ends"]
    except (KeyError, ValueError, TypeError) as error:
        raise BodyError(f"cannot read a skin ({error})", where=str(path), valid=f"schema {FORMAT.schema}") from error
    weights = np.zeros((len(vertices), len(JOINTS)))
    np.put_along_axis(weights, influence.astype(int), weight, axis=1)
    part = np.repeat(np.arange(BUNDLED_PARTS), np.diff([0, *ends]))
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    weights = weights[:, order] / weights.sum(axis=1, keepdims=True)
    return Skin(vertices, joints[order], weights, vertex, uv, triangles, np.tile(part, 2), masks)


def keep(skin: Skin, kept: np.ndarray) -> Skin:
    """The skin with only the triangles where `kept` (F,), without corners and vertices that no triangle has."""
    corners, faces = np.unique(skin.faces[kept], return_inverse=True)
    vertices, corner_vertex = np.unique(skin.corner_vertex[corners], return_inverse=True)
    return replace(
        skin,
        vertices=skin.vertices[vertices],
        weights=skin.weights[vertices],
        corner_vertex=corner_vertex,
        corner_uv=skin.corner_uv[corners],
        faces=faces.reshape(-1, 3),
        part=skin.part[kept],
    )


def normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit outward normals (V, 3) of a closed surface, triangles weighted by area."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, triangles[:, k], across)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def posed(skin: Skin, rotations: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Linear blend skinning: vertices (V, 3) for joint rotation matrices (52, 3, 3) and positions (52, 3), world."""
    shift = positions - np.einsum("jab,jb->ja", rotations, skin.joints)
    blended = np.einsum("vj,jab->vab", skin.weights, rotations)
    return np.einsum("vab,vb->va", blended, skin.vertices) + skin.weights @ shift


def fitted(skin: Skin, body: Body) -> Skin:
    """The skin on the bones of `body`: each bone's neighbourhood is turned and stretched along the bone.

    Girths stay. A joint's bone runs to its main child, a distal phalanx's to the fingertip or as its parent's.
    """
    joints = body.positions()
    turns = np.stack([_bone_map(_bone(skin.joints, i), _bone(joints, i)) for i in range(len(JOINTS))])
    return replace(skin, vertices=posed(skin, turns, joints), joints=joints)


def _bone(joints: np.ndarray, i: int) -> np.ndarray:
    """The vector from joint `i` along its bone, (3,)."""
    name = JOINTS[i]
    if name in _MAIN_CHILD:
        return joints[INDEX[_MAIN_CHILD[name]]] - joints[i]
    if i in TIPS or i not in PARENTS:
        return joints[i] - joints[PARENTS[i]]
    return joints[PARENTS.index(i)] - joints[i]


def _bone_map(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The linear map that stretches along `old` to the length of `new`, then turns into its direction."""
    length = np.linalg.norm(old)
    a, b = old / length, new / np.linalg.norm(new)
    axis = np.cross(a, b)
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + skew + skew @ skew / (1 + a @ b)
    return turn @ (np.eye(3) + (np.linalg.norm(new) / length - 1) * np.outer(a, a))
