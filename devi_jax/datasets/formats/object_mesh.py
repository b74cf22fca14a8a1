"""The object of a recording: its mesh found beside the file, its mass from volume and density."""

from pathlib import Path

import numpy as np
import trimesh

from devi_jax.core.errors import ClipError
from devi_jax.core.plausible import check_handled
from devi_jax.core.scene import Mesh, ObjectSpec

SUFFIXES = (".obj", ".stl", ".ply", ".glb")
DENSITY_KG_M3 = 200.0
"""InterMimic's object density."""
MASS_RANGE_KG = (0.1, 10.0)
MIN_SOLIDITY = 0.01
"""Share of its hull that a mesh must enclose to count as a solid; an open shell encloses next to nothing."""

_BESIDE = ("", "meshes", "objects", "../meshes", "../objects", "../../meshes", "../../objects")
_POINTS = "_sample_points.npy"


def find_mesh(name: str, beside: Path) -> Path:
    """NAME.obj (.stl, .ply, .glb), else NAME_sample_points.npy, in the usual folders around the file `beside`."""
    folders = [(beside.parent / folder).resolve() for folder in _BESIDE]
    for ending in (*SUFFIXES, _POINTS):
        for folder in folders:
            if (folder / f"{name}{ending}").is_file():
                return folder / f"{name}{ending}"
    raise ClipError(
        f"no mesh for the object '{name}'",
        where=f"{beside}: searched {', '.join(map(str, dict.fromkeys(folders)))}",
        valid=f"{name}{{{','.join(SUFFIXES)}}}, or {name}{_POINTS} whose convex hull is taken",
        fix=f"add --mesh=PATH/{name}.obj",
    )


def load_object(path: Path, mass_kg: float | None, scale: float = 1.0) -> tuple[ObjectSpec, list[str]]:
    """The mesh file, `scale` times as large, as an object in its own frame; and what was assumed of shape and mass."""
    mesh, notes = _load_mesh(path)
    mesh.apply_scale(scale)
    if mass_kg is None:
        mass_kg, note = _mass(mesh)
        notes.append(note)
    vertices, faces = np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int32)
    spec = ObjectSpec(shape="mesh", size=(), mass_kg=mass_kg, mesh=Mesh(vertices, faces))
    spec.validate(str(path))
    check_handled(spec, str(path))
    return spec, notes


def read_vertices(path: Path) -> np.ndarray:
    """All vertices (V, 3) of a mesh file in its order, as other arrays count them. Raises `ClipError` for no mesh."""
    try:
        mesh = trimesh.load(path, force="mesh", process=False)
    except Exception as error:  # mesh readers raise whatever a damaged file brings them to
        raise ClipError(f"not a readable mesh ({type(error).__name__}: {error})", where=str(path)) from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.vertices) < 4:
        raise ClipError("the mesh has no surface", where=str(path), valid="vertices and faces")
    return np.asarray(mesh.vertices, float)


def centre_of_mass(path: Path) -> np.ndarray:
    """Of a mesh file filled evenly, or of its hull where it encloses nothing, (3,) metres."""
    mesh, _ = _load_mesh(path)
    return np.asarray(mesh.center_mass if mesh.is_watertight else mesh.convex_hull.center_mass, float)


def _load_mesh(path: Path) -> tuple[trimesh.Trimesh, list[str]]:
    valid = f"a mesh ({', '.join(SUFFIXES)}) or an .npy of surface points (N, 3)"
    fix = "--mesh=OBJECT.obj"
    if not path.is_file():
        raise ClipError("no such mesh", where=f"--mesh={path}", valid=valid, fix=fix)
    if path.suffix not in (*SUFFIXES, ".npy"):
        raise ClipError(f"cannot read meshes of type '{path.suffix}'", where=f"--mesh={path}", valid=valid, fix=fix)
    try:
        if path.suffix == ".npy":
            points = np.load(path, allow_pickle=False)
            hull = trimesh.PointCloud(points).convex_hull
            return hull, [f"object shape: convex hull of {len(points)} points in {path.name}"]
        mesh = trimesh.load(path, force="mesh", process=True)
    except Exception as error:  # mesh readers raise whatever a damaged file brings them to
        raise ClipError(
            f"not a readable mesh ({type(error).__name__}: {error})", where=f"--mesh={path}", valid=valid, fix=fix
        ) from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) < 4:
        raise ClipError("the mesh has no surface", where=f"--mesh={path}", valid=valid, fix=fix)
    return mesh, [f"object shape: {path.name}"]


def _mass(mesh: trimesh.Trimesh) -> tuple[float, str]:
    """Volume times density within a range a person can handle, and a sentence that says so."""
    solid, hull = abs(float(np.linalg.det(mesh.triangles).sum())) / 6, float(mesh.convex_hull.volume)
    closed = MIN_SOLIDITY * hull <= solid <= hull * (1 + 1e-6)
    volume = solid if closed else hull
    mass = float(np.clip(volume * DENSITY_KG_M3, *MASS_RANGE_KG))
    source = "its volume" if closed else "the volume of its hull, as it encloses none"
    return mass, f"object mass: {mass:.2f} kg, {source} at {DENSITY_KG_M3:g} kg/m3 within {MASS_RANGE_KG} kg"
