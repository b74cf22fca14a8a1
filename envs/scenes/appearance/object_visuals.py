"""Puts the textured mesh of a thing over what is simulated of it, for drawing only."""

import mujoco
import numpy as np

from devi_jax.core.scene import Mesh
from envs.scenes.appearance.textures import HIDDEN_GROUP, add_material

_GLOSS = {
    "aluminium": (0.6, 0.6),
    "steel": (0.6, 0.6),
    "glass": (0.7, 0.8),
    "ceramic": (0.5, 0.6),
    "plastic": (0.4, 0.5),
}
_DULL = (0.1, 0.2)
"""Specular strength and shininess of materials; all others are dull."""


def dress_object(
    spec: mujoco.MjSpec,
    body: str,
    mesh: Mesh,
    uv: np.ndarray | None = None,
    texture: np.ndarray | None = None,
    material: str = "",
) -> mujoco.MjSpec:
    """A copy of `spec` in which `body` is drawn as `mesh` (in the body's frame) instead of its collision shapes.

    Args:
        uv: (V, 2) texture coordinates; (0, 0) is the corner of the texture's first pixel, v points down.
        texture: (H, W, 3) uint8. Without a texture the mesh has the colour of the collision shapes.
        material: what it is made of, which says how it shines.
    """
    out = spec.copy()
    name = f"{body}/look"
    shapes = list(out.body(body).geoms)
    for geom in shapes:
        geom.group = HIDDEN_GROUP
    drawn = out.add_mesh(
        name=name,
        uservert=np.asarray(mesh.vertices, float).ravel(),
        userface=np.asarray(mesh.faces).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    skin = out.body(body).add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, mass=0.0, contype=0, conaffinity=0, group=0
    )
    if texture is None or uv is None:
        skin.rgba = shapes[0].rgba if shapes else [0.7, 0.7, 0.7, 1.0]
        return out
    drawn.usertexcoord = np.asarray(uv, float).ravel()
    add_material(out, name, texture, *_GLOSS.get(material, _DULL))
    skin.material = name
    return out
