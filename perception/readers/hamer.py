"""HaMeR (Pavlakos et al. 2024): hands from what its model returns, one row a hand; its demo writes only pictures.

Layout: the model's own dict (`pred_mano_params` of rotation matrices, `pred_cam`, `pred_keypoints_3d`, in OpenPose's
order, `pred_keypoints_2d` in -0.5..0.5 of the crop) beside the batch's (`box_center`, `box_size`, `right`), with a
`frame` number from 0 for each row; `tools/scripts/hamer_hands.py` writes it, with the video's `frames` and `size`.
Left hands are still mirrored in it.
"""

from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from perception.contracts import HandMotion, Origin
from perception.readers import foreign
from perception.readers.hands import Detections, hands_over_time, mirror_rotvec, uncrop_translation
from perception.readers.shot import Shot, centred

LICENCE = "HaMeR: code MIT; MANO hand model: non-commercial"
FOCAL, CROP_PX = 5000.0, 256.0
"""The focal length HaMeR assumes for crops of so many pixels: 20 000 px for a whole picture of 1024."""


def read_hamer(path: Path, shot: Shot) -> dict[str, HandMotion]:
    """Both hands in the camera's frame, by side; a side that is never seen is left out.

    Depth is metric where the shot's camera is known; else HaMeR's own focal length puts a hand some 200 m away.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what is no hand.
        ClipError: it is damaged or wants to run code.
    """
    where = str(path)
    values = foreign.arrays(path)
    foreign.check_video(values, shot, where)
    K = centred(FOCAL / CROP_PX * max(shot.size_px), shot) if shot.K is None else shot.K
    rows = len(foreign.require_array(values, "pred_cam", (None, 3), where))
    right = foreign.require_array(values, "right", (rows,), where) > 0.5
    sign = np.where(right, 1.0, -1.0)[:, None]
    cam = foreign.require_array(values, "pred_cam", (rows, 3), where) * np.concatenate([sign**0, sign, sign**0], axis=1)
    centre, size = (
        foreign.require_array(values, "box_center", (rows, 2), where),
        foreign.require_array(values, "box_size", (rows,), where),
    )
    flip = np.stack([sign, sign**0, sign**0], axis=-1)
    crop = foreign.require_array(values, "pred_keypoints_2d", (rows, 21, 2), where) * flip[..., :2]
    joints = foreign.require_array(values, "pred_keypoints_3d", (rows, 21, 3), where) * flip
    found = Detections(
        frame=foreign.require_array(values, "frame", (rows,), where).astype(int),
        right=right,
        score=foreign.require_array(values, "score", (rows,), where) if "score" in values else np.ones(rows),
        centre=centre,
        size=size,
        global_orient=_rotvec(values, "pred_mano_params.global_orient", rows, 1, right, where)[:, 0],
        hand_pose=_rotvec(values, "pred_mano_params.hand_pose", rows, 15, right, where),
        betas=foreign.require_array(values, "pred_mano_params.betas", (rows, 10), where),
        joints3d=joints + uncrop_translation(cam, centre, size, K)[:, None],
        joints2d=centre[:, None] + crop * size[:, None, None],
    )
    notes = {"file": path.name, "depth": "not metric: camera unknown" if shot.K is None else "for the known camera"}
    return hands_over_time(found, shot, K, Origin("HaMeR", LICENCE, notes), where)


def _rotvec(
    values: dict[str, np.ndarray], key: str, rows: int, joints: int, right: np.ndarray, where: str
) -> np.ndarray:
    """Rotation vectors (D, joints, 3) of matrices (D, joints, 3, 3), as they are for right hands, mirrored for left."""
    rotvec = rot.quat_log(rot.matrix_to_quat(foreign.require_array(values, key, (rows, joints, 3, 3), where)))
    return np.where(right[:, None, None], rotvec, mirror_rotvec(rotvec))
