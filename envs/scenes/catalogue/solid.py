"""Closed solids with a place on the texture for all of their surface, and what unites and carves them.

Surfaces wear their texture through booleans, which interpolate it at every cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_exp, rotate

MARGIN = 0.004
"""What a place on the texture keeps clear at its borders, in widths of the texture: neighbours do not bleed in."""


@dataclass(frozen=True)
class Rect:
    """A place on the texture, in fractions of its width and height from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def at(self, s: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Texture coordinates (..., 2) of fractions `s` to the right and `t` downwards."""
        width, height = self.right - self.left - 2 * MARGIN, self.bottom - self.top - 2 * MARGIN
        return np.stack([self.left + MARGIN + s * width, self.top + MARGIN + t * height], axis=-1)


WHOLE = Rect(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Form:
    """A closed triangle mesh, `vertices` (V, 3) metres and `faces` (F, 3), that is doubled where `uv` (V, 2) jumps."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray

    @property
    def volume(self) -> float:
        """Enclosed volume, m^3; positive where faces point outwards."""
        return float(np.linalg.det(self.vertices[self.faces]).sum()) / 6


def placed(form: Form, shift: Sequence[float] = (0.0, 0.0, 0.0), turn_deg: Sequence[float] = (0.0, 0.0, 0.0)) -> Form:
    """The form turned by a rotation vector (3,) in degrees about the origin, then shifted by (3,) metres."""
    turned = rotate(quat_exp(np.radians(np.asarray(turn_deg, float))), form.vertices)
    return Form(turned + np.asarray(shift, float), form.faces, form.uv)


def joined(*forms: Form) -> Form:
    """Pieces of surface side by side, as they are."""
    starts = np.cumsum([0, *(len(form.vertices) for form in forms[:-1])])
    return Form(
        np.concatenate([form.vertices for form in forms]),
        np.concatenate([form.faces + start for form, start in zip(forms, starts, strict=True)]),
        np.concatenate([form.uv for form in forms]),
    )


def union(*forms: Form) -> Form:
    """The solid that is in any of the forms."""
    whole = _manifold(forms[0])
    for form in forms[1:]:
        whole = whole + _manifold(form)
    return _form(whole)


def carved(form: Form, by: Form) -> Form:
    """The form without what is in `by`, whose texture the cut shows."""
    return _form(_manifold(form) - _manifold(by))


def _manifold(form: Form):
    from manifold3d import Manifold, Mesh64

    _, first, same = np.unique(np.round(form.vertices, 9), axis=0, return_index=True, return_inverse=True)
    target = first[same.ravel()]
    moved = np.flatnonzero(target != np.arange(len(target)))
    return Manifold(
        Mesh64(
            np.ascontiguousarray(np.hstack([form.vertices, form.uv])),
            np.ascontiguousarray(form.faces, np.uint64),
            merge_from_vert=moved.astype(np.uint64),
            merge_to_vert=target[moved].astype(np.uint64),
        )
    )


def _form(solid) -> Form:
    mesh = solid.to_mesh64()
    values = np.array(mesh.vert_properties)
    return Form(values[:, :3], np.array(mesh.tri_verts, np.int64), values[:, 3:5])
