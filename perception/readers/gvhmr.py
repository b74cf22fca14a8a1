"""GVHMR (Shen et al. 2024): a body in the camera's frame and in one with gravity, from `hmr4d_results.pt`.

Layout, from its `tools/demo/demo.py` and model code: `smpl_params_incam` and `smpl_params_global`, each `body_pose`
(L, 63), `betas` (L, 10), `global_orient` (L, 3), `transl` (L, 3), of SMPL-X neutral; `K_fullimg` (L, 3, 3);
`preprocess/vitpose.pt` (L, 17, 3) in COCO's order. Its video is relabelled 30 frames a second: the rate is the shot's.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from perception.contracts import BodyMotion, EstimateError, Origin
from perception.readers import foreign
from perception.readers.shot import Shot

LICENCE = "GVHMR: education, research and non-profit only; SMPL-X body model: non-commercial"

REST_PELVIS = np.array([0.0031, -0.3514, 0.0120])
"""The pelvis of SMPL-X's neutral mean body in its rest pose, metres: GVHMR leaves shapes, but not where they put it.

A shape moves it by some centimetres; as an offset that is the same in every frame, alignment takes it out again.
"""

Y_UP_TO_Z_UP = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
"""From y up, facing +z, to z up, facing +y."""

COCO17 = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)


def read_gvhmr(path: Path, shot: Shot) -> BodyMotion:
    """The body in the camera's frame. `path`: the `.pt`, or the folder the demo left it in.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what is no motion.
        ClipError: it is damaged or wants to run code.
    """
    path = _results(path)
    values = foreign.arrays(path)
    return smplx_body(values, "smpl_params_incam", shot, _origin(path), path, detections(path, shot))


def read_gvhmr_world(path: Path, shot: Shot) -> BodyMotion:
    """The body in a world with z up, its heading and place arbitrary. Raises as `read_gvhmr` does."""
    path = _results(path)
    values = foreign.arrays(path)
    return z_up(smplx_body(values, "smpl_params_global", shot, _origin(path), path, None, frame="world_zup"))


def smplx_body(
    values: dict[str, np.ndarray],
    group: str,
    shot: Shot,
    origin: Origin,
    path: Path,
    points: np.ndarray | None,
    frame: Any = "camera",
) -> BodyMotion:
    """A body from SMPL-X parameters as GVHMR and its relatives name them, every frame valid.

    `points` (T, 17, 3): COCO's points, pixels and confidence. Validated.
    """
    where = str(path)
    pose = foreign.require_array(values, f"{group}.body_pose", (None, 63), where)
    shot.check_length(len(pose), where)
    K = one_camera(foreign.require_array(values, "K_fullimg", (len(pose), 3, 3), where), shot, where)
    body = BodyMotion(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=origin,
        frame=frame,
        global_orient=shortest(foreign.require_array(values, f"{group}.global_orient", (len(pose), 3), where)),
        body_pose=shortest(pose.reshape(-1, 21, 3)),
        transl=foreign.require_array(values, f"{group}.transl", (len(pose), 3), where),
        betas=foreign.require_array(values, f"{group}.betas", (len(pose), 10), where).mean(axis=0),
        rest_pelvis=REST_PELVIS,
        valid=np.ones(len(pose), bool),
        K_used=K,
        joints2d=points,
        joint_names=() if points is None else COCO17,
    )
    body.validate(where)
    return body


def one_camera(K: np.ndarray, shot: Shot, where: str) -> np.ndarray:
    """The camera (3, 3) that is the same in all frames (T, 3, 3).

    Raises `EstimateError` for one that zooms, or that looks through the middle of a picture of another size.
    """
    if np.abs(K - K[0]).max() > 1e-3 * np.abs(K[0]).max():
        raise EstimateError(
            "the camera's focal length changes", where=f"{where}: K_fullimg", valid="one camera for the whole video"
        )
    shot.check_size(2 * K[0, 0, 2], 2 * K[0, 1, 2], where, part=0.1)
    return K[0]


def shortest(rotvec: np.ndarray) -> np.ndarray:
    """The same rotations (..., 3) as vectors of length pi at most: optimisers leave longer ones."""
    return rot.quat_log(rot.quat_exp(rotvec))


def z_up(body: BodyMotion) -> BodyMotion:
    """A body whose frame has y up and who faces +z, in one with z up and +y; a new, validated motion."""
    turn = rot.matrix_to_quat(Y_UP_TO_Z_UP)
    turned = replace(
        body,
        global_orient=rot.quat_log(rot.quat_mul(turn[None], rot.quat_exp(body.global_orient))),
        transl=body.pelvis @ Y_UP_TO_Z_UP.T - body.rest_pelvis,
    )
    turned.validate(body.origin.tool)
    return turned


def detections(path: Path, shot: Shot) -> np.ndarray | None:
    """ViTPose's points (T, 17, 3) beside the results, pixels and confidence, or None without the demo's folder."""
    beside = path.parent / "preprocess" / "vitpose.pt"
    if not beside.is_file():
        return None
    points = foreign.require_array(
        {"vitpose": np.asarray(foreign.load_content(beside))}, "vitpose", (None, 17, 3), str(beside)
    )
    shot.check_length(len(points), str(beside))
    return points


def _results(path: Path) -> Path:
    return path / "hmr4d_results.pt" if path.is_dir() else path


def _origin(path: Path) -> Origin:
    notes = {"file": path.name, "rest_pelvis": "SMPL-X neutral, mean shape"}
    return Origin("GVHMR", LICENCE, notes)
