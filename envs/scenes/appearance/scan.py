"""Any textured human mesh that SMPL-X was registered to, made into a skin (DeVI A.2; layout of THuman2.0).

Each vertex takes skinning weights and offsets from the K nearest registered vertices, is turned back into the T-pose
with them, and from then on is skinned like any other.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from devi_jax.core.errors import SceneError
from devi_jax.core.skeleton import INDEX
from envs.embodiments.human.measure import from_smplx_axes
from envs.embodiments.human.skin import PARTS, Skin
from envs.scenes.appearance.registration import Registration
from envs.scenes.appearance.transfer import gaussian_blend

_FAR_M = 0.10
_MEND = "pass the mesh, the parameters and the scale of the same subject"


@dataclass(frozen=True)
class Scan:
    """A skin with its own texture, uint8 (H, W, 3), top row first."""

    skin: Skin
    texture: np.ndarray


def load_scan(mesh: Path, registration: Registration, texture: Path | None = None) -> Scan:
    """Read NNNN.obj with material0.jpeg beside it, in the space of its registration.

    Args:
        texture: the picture, where it is not the one that the mesh names.

    Raises:
        SceneError: no mesh, no texture coordinates or picture, or a mesh that is not where its registration is.
    """
    try:
        read = trimesh.load(mesh, process=False, force="mesh")
        if not isinstance(read, trimesh.Trimesh) or getattr(read.visual, "uv", None) is None:
            raise ValueError("no texture coordinates")
        uv = np.asarray(read.visual.uv, float)  # type: ignore[union-attr]
        picture = Image.open(texture or _picture_beside(mesh)).convert("RGB")
    except (OSError, ValueError, StopIteration) as error:
        raise SceneError(
            f"cannot read a textured human ({error})",
            where=str(mesh),
            valid="an .obj with texture coordinates and a .jpeg, .jpg or .png beside it",
        ) from error
    skin = scanned_skin(np.asarray(read.vertices, float), np.asarray(read.faces), uv, registration, str(mesh))
    return Scan(skin, np.asarray(picture))


def scanned_skin(
    vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, registration: Registration, where: str = "scan"
) -> Skin:
    """The skin of a posed mesh: vertices (N, 3) in the registration's space and axes, faces (F, 3), uv (N, 2).

    w_i = sum_k alpha_ik W_k and o_i = sum_k alpha_ik O_k over the 16 nearest registered vertices (DeVI A.2); the T-pose
    is where linear blend skinning with w_i, and o_i added before it, would have led to x_i.

    Raises:
        SceneError: the mesh is not where its registration is.
    """
    blend = gaussian_blend(vertices, registration.vertices)
    gap = float(np.median(np.linalg.norm(vertices - blend @ registration.vertices, axis=1)))
    if not gap < _FAR_M:
        raise SceneError(
            f"the mesh is {gap:.2f} m (median) from the SMPL-X mesh that should fit it",
            where=where,
            valid=f"less than {_FAR_M} m",
            fix=_MEND,
        )
    weights = blend @ registration.weights
    shift = registration.positions - np.einsum("jab,jb->ja", registration.rotations, registration.joints)
    blended = np.einsum("vj,jab->vab", weights, registration.rotations)
    rest = np.linalg.solve(blended, (vertices - weights @ shift)[..., None])[..., 0] - blend @ registration.offsets
    pelvis = registration.joints[INDEX["pelvis"]]
    return Skin(
        vertices=from_smplx_axes(rest - pelvis),
        joints=from_smplx_axes(registration.joints - pelvis),
        weights=weights,
        corner_vertex=np.arange(len(vertices)),
        corner_uv=uv,
        faces=faces,
        part=np.full(len(faces), PARTS.index("body")),
        masks={},
    )


def _picture_beside(mesh: Path) -> Path:
    """material0.jpeg, else the first picture in the folder. Raises `StopIteration` where there is none."""
    pictures = sorted(p for p in mesh.parent.iterdir() if p.suffix.lower() in (".jpeg", ".jpg", ".png"))
    return next((p for p in pictures if p.stem == "material0"), None) or next(iter(pictures))
