"""A user's mesh file as a model: closed, of a size that hands know, with its texture where it brings one."""

from pathlib import Path

import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Mesh
from envs.scenes.objects.material import find_material
from envs.scenes.objects.textured_model import Model

SUFFIXES = (".obj", ".glb", ".gltf", ".stl", ".ply")
SMALLEST_M, LARGEST_M = 0.005, 3.0
"""Longest side that is taken to be in metres."""
MOST_PIXELS = 1024
"""Larger textures are made smaller."""


def load_model(path: Path, material: str, scale: float, mass_kg: float | None, where: str) -> Model:
    """The mesh in `path` times `scale`, as a model without grip.

    z is up, but y in .glb and .gltf, as their format says. Mass is volume times the material's density unless given.
    Raises `SceneError` for a file that cannot be read, a surface with holes, no volume, or a size in other units.
    """
    import trimesh

    if not path.is_file():
        raise SceneError(f"no such mesh: {path}", where=where, valid=f"a file of type {', '.join(SUFFIXES)}")
    try:
        mesh = trimesh.load(path, force="mesh", process=False)
    except Exception as error:  # mesh readers raise whatever a damaged file brings them to
        raise SceneError(
            f"{path.name} is not a readable mesh ({type(error).__name__}: {error})",
            where=where,
            valid=f"a mesh of type {', '.join(SUFFIXES)}",
        ) from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) < 4:
        raise SceneError(f"{path.name} has no surface", where=where, valid="a triangle mesh that encloses a volume")
    vertices, faces = np.asarray(mesh.vertices, float) * scale, np.asarray(mesh.faces, np.int64)
    if path.suffix.lower() in (".glb", ".gltf"):
        vertices = vertices @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # y up to z up
    _check_size(vertices, scale, path, where)
    volume = _closed_volume(vertices, faces, path, where)
    if volume < 0:
        faces, volume = faces[:, ::-1], -volume
    uv, texture = _looks(mesh)
    mass = volume * find_material(material, f"{where}: material").density_kg_m3 if mass_kg is None else mass_kg
    return Model(path.stem, Mesh(vertices, faces), material, mass, uv, texture)


def _check_size(vertices: np.ndarray, scale: float, path: Path, where: str) -> None:
    longest = float(np.ptp(vertices, axis=0).max())
    if not np.isfinite(vertices).all():
        raise SceneError(f"{path.name} has a vertex that is not finite", where=where, valid="finite coordinates")
    if not SMALLEST_M <= longest <= LARGEST_M:
        raise SceneError(
            f"{path.name} is {longest:.4g} m long" + (f" at scale {scale:g}" if scale != 1 else ""),
            where=f"{where}: scale",
            valid=f"{SMALLEST_M} to {LARGEST_M} m",
            fix=f"multiply scale by 0.001 if the file is in millimetres, by 0.01 if in centimetres; "
            f"{0.1 / max(longest, 1e-12) * scale:.3g} would make it 0.1 m long",
        )


def _closed_volume(vertices: np.ndarray, faces: np.ndarray, path: Path, where: str) -> float:
    """Enclosed volume with the sign of the winding, m^3; raises where the surface encloses none."""
    _, index = np.unique(np.round(vertices / np.ptp(vertices), 7), axis=0, return_inverse=True)
    welded = index.ravel()[faces]
    ways = np.concatenate([welded[:, [0, 1]], welded[:, [1, 2]], welded[:, [2, 0]]])
    ways = ways[ways[:, 0] != ways[:, 1]]
    edges, shared = np.unique(np.sort(ways, axis=1), axis=0, return_counts=True)
    odd = edges[shared % 2 == 1]
    fix = "close it: Blender, edit mode, Mesh > Clean Up > Fill Holes; or trimesh.repair.fill_holes"
    if len(odd):
        middle = vertices[np.flatnonzero(index.ravel() == odd[0, 0])[0]]
        raise SceneError(
            f"{path.name} is not closed: {len(odd)} of its {len(edges)} edges have a face on one side only, "
            f"one of them at ({', '.join(f'{x:.3f}' for x in middle)}) m",
            where=where,
            valid="a surface without holes",
            fix=fix,
        )
    # each edge of a well wound surface is walked as often one way as the other
    forward = np.where(ways[:, 0] < ways[:, 1], 1, -1)
    order = np.unique(np.sort(ways, axis=1), axis=0, return_inverse=True)[1].ravel()
    crossed = int(np.count_nonzero(np.bincount(order, weights=forward)))
    if crossed:
        raise SceneError(
            f"{path.name} is wound both ways: at {crossed} edges the sides do not agree on what is outside",
            where=where,
            valid="faces that are all counter-clockwise seen from outside",
            fix="Blender, edit mode, Mesh > Normals > Recalculate Outside; or trimesh.repair.fix_normals",
        )
    volume = float(np.linalg.det(vertices[faces]).sum()) / 6
    if abs(volume) < 1e-6 * float(np.ptp(vertices, axis=0).max()) ** 3:
        raise SceneError(
            f"{path.name} has no volume: {abs(volume) * 1e6:.3g} cm3",
            where=where,
            valid="a surface around a solid",
            fix="give it thickness (Blender: Solidify)",
        )
    return volume


def _looks(mesh) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Texture coordinates with v downwards, and the picture; both absent where the file brings only one."""
    uv, material = getattr(mesh.visual, "uv", None), getattr(mesh.visual, "material", None)
    picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if uv is None or picture is None or len(uv) != len(mesh.vertices):
        return None, None
    picture = picture.convert("RGB")
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS))
    return np.asarray(uv, float) * [1, -1] + [0, 1], np.asarray(picture)
