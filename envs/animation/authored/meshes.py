"""Things to hold, of the project's own making: closed triangle meshes in metres, z along what a hand holds."""

from collections.abc import Sequence

import numpy as np

from devi_jax.core.scene import Mesh

HAT_INSIDE_M = 0.02
"""Height above the hat's origin at which the top of a head is."""

SIDES = 24
"""Sides of what is round."""


def bottle() -> Mesh:
    """A bottle 210 mm tall and 66 mm wide with a narrow neck; the origin 60 mm above its foot."""
    profile = [(0.031, -0.060), (0.033, -0.057), (0.033, 0.065), (0.014, 0.105), (0.014, 0.150)]
    return revolved(profile)


def mug(handle_deg: float) -> Mesh:
    """A full mug 100 mm tall and 76 mm wide around the origin, its handle at `handle_deg` from +x towards +y."""
    body = revolved([(0.036, -0.050), (0.038, -0.047), (0.038, 0.050)])
    outline = np.array([[0.034, 0.030], [0.060, 0.026], [0.060, -0.026], [0.034, -0.030]])
    bars = [_bar(a, b, width=0.012, depth=0.010) for a, b in zip(outline[:-1], outline[1:], strict=True)]
    angle = np.radians(handle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return joined([body, *(Mesh(bar.vertices @ turn.T, bar.faces) for bar in bars)])


def mallet() -> Mesh:
    """A mallet: a handle along z, 44 mm thick and held at the origin, its head 100 x 100 x 70 mm at the upper end."""
    return joined([revolved([(0.022, -0.075), (0.022, 0.080)]), _block((0.100, 0.100, 0.070), (0.0, 0.0, 0.115))])


def hat() -> Mesh:
    """A hat: a brim of 270 x 300 mm, and a crown with a ridge along y, wider at its top, to be taken from above.

    The origin is 30 mm below the ridge.
    """
    brim = _loft([(0.135, 0.150, -0.100), (0.135, 0.150, -0.092)], power=2.0)
    crown = _loft([(0.080, 0.095, -0.096), (0.030, 0.062, -0.030), (0.034, 0.060, 0.030)], power=4.0)
    return joined([brim, crown])


def revolved(profile: Sequence[tuple[float, float]]) -> Mesh:
    """The solid of a profile of radii and heights (r, z), from the bottom up, turned about z."""
    return _loft([(r, r, z) for r, z in profile], power=2.0)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Several closed meshes as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def _loft(sections: Sequence[tuple[float, float, float]], power: float) -> Mesh:
    """The solid through horizontal superellipses of half-widths and height (x, y, z), from the bottom up."""
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    unit = np.sign(unit) * np.abs(unit) ** (2 / power)
    rings = [np.c_[unit * [x, y], np.full(SIDES, z)] for x, y, z in sections]
    ends = [[0.0, 0.0, sections[0][2]], [0.0, 0.0, sections[-1][2]]]
    here, after = np.arange(SIDES), (np.arange(SIDES) + 1) % SIDES
    faces = []
    for k in range(len(sections) - 1):
        low, high = k * SIDES, (k + 1) * SIDES
        faces += [np.c_[low + here, low + after, high + after], np.c_[low + here, high + after, high + here]]
    bottom, top = len(sections) * SIDES, len(sections) * SIDES + 1
    last = (len(sections) - 1) * SIDES
    faces += [np.c_[after, here, np.full(SIDES, bottom)], np.c_[last + here, last + after, np.full(SIDES, top)]]
    return Mesh(np.concatenate([*rings, ends]), np.concatenate(faces))


def _block(size: tuple[float, float, float], centre: tuple[float, float, float]) -> Mesh:
    """A box with edges along the axes."""
    import trimesh

    solid = trimesh.creation.box(extents=size)
    return Mesh(np.asarray(solid.vertices) + centre, np.asarray(solid.faces))


def _bar(start: np.ndarray, stop: np.ndarray, width: float, depth: float) -> Mesh:
    """A bar in the plane y = 0 from `start` to `stop` (x, z), longer by half its depth at both ends."""
    along = stop - start
    length = float(np.linalg.norm(along))
    along = along / length
    block = _block((length + depth, width, depth), (0.0, 0.0, 0.0))
    turn = np.array([[along[0], 0.0, -along[1]], [0.0, 1.0, 0.0], [along[1], 0.0, along[0]]])
    middle = (start + stop) / 2
    return Mesh(block.vertices @ turn.T + [middle[0], 0.0, middle[1]], block.faces)
