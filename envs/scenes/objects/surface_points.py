"""Points on an object's surface, in its own frame: what is tracked in 2D (DeVI 5.1) and what hands should reach."""

import numpy as np

from devi_jax.core.scene import Mesh, ObjectSpec


def surface_mesh(thing: ObjectSpec) -> Mesh:
    """A triangle mesh of any object, in its own frame (a can stands along z)."""
    import trimesh

    if thing.mesh is not None:
        return thing.mesh
    if thing.shape == "box":
        solid = trimesh.creation.box(extents=thing.size)
    elif thing.shape == "sphere":
        solid = trimesh.creation.icosphere(subdivisions=3, radius=thing.size[0])
    else:
        solid = trimesh.creation.cylinder(radius=thing.size[0], height=thing.size[1], sections=48)
    return Mesh(np.asarray(solid.vertices, float), np.asarray(solid.faces))


def sample_surface(thing: ObjectSpec, count: int = 1024, seed: int = 0) -> np.ndarray:
    """`count` points (count, 3) spread evenly by area over the surface, metres, the same for the same seed."""
    return sample_oriented(thing, count, seed)[0]


def sample_oriented(thing: ObjectSpec, count: int = 1024, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The points of `sample_surface` and the surface's outward unit normals there, both (count, 3)."""
    import trimesh

    mesh = surface_mesh(thing)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    points, faces = trimesh.sample.sample_surface(solid, count, seed=seed)[:2]
    return np.asarray(points, float), np.asarray(solid.face_normals[faces], float)
