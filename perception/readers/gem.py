"""GEM-X (NVIDIA 2026): body and hands in the camera's frame, from `preprocess/hpe_results.pt`.

Layout from its `scripts/demo/demo_soma.py` and docs, not from a file: `body_params_incam` with `global_orient` (L, 3),
`body_pose` (L, 228: 76 SOMA joints), `transl` (L, 3: the hips), `K_fullimg` (L, 3, 3), and `vitpose.pt` (L, 77, 3)
beside it. GEM-SMPL writes `smpl_params.pt` with `body_pose` (L, 63) instead: SMPL-X, as GVHMR's.
"""

from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import FINGERS, SIDES, SMPLX_JOINTS
from perception.contracts import HAND21, BodyMotion, EstimateError, HandMotion, Origin
from perception.readers import foreign, soma
from perception.readers.gvhmr import one_camera, smplx_body
from perception.readers.shot import Shot

LICENCE = "GEM-X: code Apache-2.0, weights NVIDIA Open Model License; SOMA: Apache-2.0"
GROUP = "body_params_incam"
SEEN = 0.3
"""A hand is valid in frames where ViTPose is so sure of its points, on average."""

_ARM = ("pelvis", "spine1", "spine2", "spine3", "{}_collar", "{}_shoulder", "{}_elbow", "{}_wrist")


def read_gem(path: Path, shot: Shot) -> BodyMotion:
    """The body in the camera's frame. `path`: the `.pt`, or the folder the demo left it in.

    `betas` is zero: SOMA's identity is not SMPL-X's.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what is no motion.
        ClipError: it is damaged or wants to run code.
    """
    path = _results(path)
    values = foreign.arrays(path)
    if values.get(f"{GROUP}.body_pose", np.zeros((1, 0))).shape[-1] == 63:
        return smplx_body(values, GROUP, shot, _origin(path), path, None)
    pose, transl, K = _soma(values, shot, str(path))
    local = soma.smplx_rotations(pose)
    points = _points(path, shot)
    names = tuple(n for n in soma.POINTS if n in SMPLX_JOINTS)
    body = BodyMotion(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=_origin(path),
        frame="camera",
        global_orient=rot.quat_log(local["pelvis"]),
        body_pose=rot.quat_log(np.stack([local[n] for n in SMPLX_JOINTS[1:22]], axis=1)),
        transl=transl,
        betas=np.zeros(10),
        rest_pelvis=np.zeros(3),
        valid=np.ones(len(pose), bool),
        K_used=K,
        joints2d=None if points is None else points[:, [soma.SOMA77.index(soma.POINTS[n]) for n in names]],
        joint_names=() if points is None else names,
    )
    body.validate(str(path))
    return body


def read_gem_hands(path: Path, shot: Shot) -> dict[str, HandMotion]:
    """Both hands in the camera's frame, by side; a side that is never seen is left out. Raises as `read_gem` does."""
    path = _results(path)
    pose, _, K = _soma(foreign.arrays(path), shot, str(path))
    points = _points(path, shot)
    if points is None:
        raise EstimateError(
            "there are no 2D points beside the results",
            where=str(path),
            valid="vitpose.pt in the same folder",
            fix="name the file inside the folder that the demo filled",
        )
    local = soma.smplx_rotations(pose)
    hands = {}
    for side in SIDES:
        names = [soma.POINTS[f"{side}_{name}"] for name in HAND21]
        joints2d = points[:, [soma.SOMA77.index(name) for name in names]]
        wrist = local["pelvis"]
        for joint in _ARM[1:]:
            wrist = rot.quat_mul(wrist, local[joint.format(side)])
        fingers = [local[f"{side}_{finger}{k}"] for finger in FINGERS for k in (1, 2, 3)]
        hand = HandMotion(
            fps=shot.fps,
            size_px=shot.size_px,
            origin=_origin(path),
            side=side,
            valid=joints2d[..., 2].mean(axis=1) > SEEN,
            global_orient=rot.quat_log(wrist),
            hand_pose=rot.quat_log(np.stack(fingers, axis=1)),
            joints2d=joints2d,
            betas=np.zeros(10),
            K_used=K,
        )
        hand.validate(str(path))
        if hand.valid.any():
            hands[side] = hand
    return hands


def _soma(values: dict[str, np.ndarray], shot: Shot, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotation vectors (T, 77, 3), the hips (T, 3) and the camera (3, 3)."""
    body = foreign.require_array(values, f"{GROUP}.body_pose", (None, 228), where)
    shot.check_length(len(body), where)
    root = foreign.require_array(values, f"{GROUP}.global_orient", (len(body), 3), where)
    pose = np.concatenate([root[:, None], body.reshape(-1, 76, 3)], axis=1)
    transl = foreign.require_array(values, f"{GROUP}.transl", (len(body), 3), where)
    K = one_camera(foreign.require_array(values, "K_fullimg", (len(body), 3, 3), where), shot, where)
    return pose, transl, K


def _points(path: Path, shot: Shot) -> np.ndarray | None:
    """ViTPose's 77 points (T, 77, 3), pixels and confidence, or None where there is no such file."""
    beside = path.parent / "vitpose.pt"
    if not beside.is_file():
        return None
    content: Any = foreign.load_content(beside)
    content = content[0] if isinstance(content, tuple) else content  # some versions keep the boxes beside the points
    points = foreign.require_array({"vitpose": np.asarray(content)}, "vitpose", (None, 77, 3), str(beside))
    shot.check_length(len(points), str(beside))
    return points


def _results(path: Path) -> Path:
    return path / "preprocess" / "hpe_results.pt" if path.is_dir() else path


def _origin(path: Path) -> Origin:
    return Origin("GEM-X", LICENCE, {"file": path.name, "layout": "from documentation"})
