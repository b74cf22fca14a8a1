"""A SMPL-X mesh that was fitted to a scan: what DeVI A.2 takes weights and offsets from."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from devi_jax.core.errors import SceneError
from devi_jax.core.skeleton import INDEX, JOINTS, PARENTS, SMPLX_JOINTS

_BETAS = 10
_POSES = {"global_orient": 1, "body_pose": 21, "left_hand_pose": 15, "right_hand_pose": 15}
_VALID = "a .npz with betas (<= 10), global_orient (3), body_pose (63), left_hand_pose and right_hand_pose (<= 45), "
_VALID += "and, where the data set has them, transl (3), scale, translation (3)"
_MEND = "np.savez('0000.npz', **{k: np.asarray(v) for k, v in smplx_param.items()}) of the data set's parameters"


@dataclass(frozen=True)
class Registration:
    """M vertices in a scan's pose, and the SMPL-X behind them; SMPL-X axes (x left, y up, z forward), metres.

    Attributes:
        vertices: (M, 3) in the scan's space. weights: (M, 52).
        offsets: (M, 3) what the pose adds to vertices before skinning, O of DeVI A.2 without its constant part.
        joints: (52, 3) in the T-pose. rotations: (52, 3, 3) and positions: (52, 3): joint poses in the scan's space;
            rotations carry the scan's scale.
    """

    vertices: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray
    positions: np.ndarray


def read_registration(parameters: Path, model: Path, registered: Path | None = None) -> Registration:
    """SMPL-X of a scan from its parameters and the user's own model file; nothing is unpickled.

    Jaw and eyes stay neutral: they move with the head.

    Args:
        parameters: .npz with SMPL-X's parameters; hand poses of fewer than 45 numbers are principal components.
        model: `SMPLX_{NEUTRAL,MALE,FEMALE}.npz`.
        registered: the fitted mesh as .obj, where there is one; else it is computed.

    Raises:
        SceneError: a file is missing, or has other arrays.
    """
    names = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
    body = _read(model, names, "an SMPL-X model .npz with arrays " + ", ".join(names), "")
    given = _read(parameters, ("betas", *_POSES), _VALID, _MEND, optional=("transl", "scale", "translation"))
    try:
        pose = _pose(given, model)
        betas = given["betas"].reshape(-1)[:_BETAS]
        shaped = body["v_template"] + body["shapedirs"][..., : len(betas)] @ betas
        rows = [SMPLX_JOINTS.index(name) for name in JOINTS]
        joints = (body["J_regressor"] @ shaped)[rows]
        weights = _folded(body["weights"], rows)
        offsets = _pose_offsets(body["posedirs"], pose)
        rotations, positions = _placed(given, *_forward(pose, joints))
        vertices = _skinned(shaped + offsets, weights, joints, rotations, positions)
    except ValueError as error:
        raise SceneError(f"parameters do not fit the model ({error})", where=str(parameters), valid=_VALID) from error
    if registered is not None:
        vertices = _read_vertices(registered, len(vertices))
    return Registration(vertices, weights, offsets, joints, rotations, positions)


def _read(
    path: Path, names: tuple[str, ...], valid: str, fix: str, optional: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = (*names, *(name for name in optional if name in file))
            return {name: np.asarray(file[name], dtype=float) for name in wanted}
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise SceneError(f"cannot read SMPL-X data ({error})", where=str(path), valid=valid, fix=fix) from error


def _pose(given: dict[str, np.ndarray], model: Path) -> np.ndarray:
    """Rotation matrices of the 52 joints relative to their parents, (52, 3, 3)."""
    from scipy.spatial.transform import Rotation

    hands = {}
    for side in ("left", "right"):
        hand = given[f"{side}_hand_pose"].reshape(-1)
        if len(hand) < 45:
            keys = (f"hands_components{side[0]}", f"hands_mean{side[0]}")
            basis = _read(model, keys, "principal components of the hands: " + ", ".join(keys), "")
            hand = basis[keys[1]] + hand @ basis[keys[0]][: len(hand)]
        hands[f"{side}_hand_pose"] = hand
    vectors = [(given | hands)[name].reshape(count, 3) for name, count in _POSES.items()]
    return Rotation.from_rotvec(np.concatenate(vectors)).as_matrix()


def _pose_offsets(posedirs: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Pose blend shapes (M, 3): linear in the rotations' deviation from the identity (Pavlakos et al. 2019)."""
    full = np.tile(np.eye(3), (len(SMPLX_JOINTS), 1, 1))
    full[[SMPLX_JOINTS.index(name) for name in JOINTS]] = pose
    return posedirs @ (full[1:] - np.eye(3)).reshape(-1)


def _folded(weights: np.ndarray, rows: list[int]) -> np.ndarray:
    """Weights on the 52 joints; the head takes those of jaw and eyes."""
    ours = weights[:, rows].copy()
    ours[:, INDEX["head"]] += weights.sum(axis=1) - ours.sum(axis=1)
    return ours


def _forward(pose: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (52, 3, 3) and positions (52, 3) of joints with rest positions `joints`."""
    rotations, positions = pose.copy(), joints.copy()
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            rotations[i] = rotations[parent] @ pose[i]
            positions[i] = positions[parent] + rotations[parent] @ (joints[i] - joints[parent])
    return rotations, positions


def _placed(
    given: dict[str, np.ndarray], rotations: np.ndarray, positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joint poses in the scan's space: `scale` (x + `transl`) + `translation`."""
    nowhere = np.zeros(3)
    scale = float(given.get("scale", np.ones(1)).reshape(-1)[0])
    moved = positions + given.get("transl", nowhere).reshape(3)
    return scale * rotations, scale * moved + given.get("translation", nowhere).reshape(3)


def _skinned(rest, weights, joints, rotations, positions) -> np.ndarray:
    shift = positions - np.einsum("jab,jb->ja", rotations, joints)
    return np.einsum("vj,jab,vb->va", weights, rotations, rest, optimize=True) + weights @ shift


def _read_vertices(path: Path, count: int) -> np.ndarray:
    try:
        read = trimesh.load(path, process=False, force="mesh", maintain_order=True)
        vertices = np.asarray(read.vertices, float)  # type: ignore[union-attr]
    except (OSError, ValueError) as error:
        raise SceneError(f"cannot read a mesh ({error})", where=str(path), valid=f"{count} vertices") from error
    if len(vertices) != count:
        raise SceneError(f"the fitted mesh has {len(vertices)} vertices", where=str(path), valid=f"{count} vertices")
    return vertices
