"""WiLoR (Potamias et al. 2025) through WiLoR-mini: hands from what its pipeline's `predict` returns for each frame.

Layout: a pickled list, a frame each, of lists of `{hand_bbox, is_right, wilor_preds}`; or the same as rows of arrays,
with a `frame` number from 0, as `tools/scripts/wilor_hands.py` writes it. Left hands are not mirrored any more in
either; WiLoR's own repository writes only meshes and pictures.
"""

from pathlib import Path
from typing import Any

import numpy as np

from perception.contracts import EstimateError, HandMotion, Origin
from perception.readers import foreign
from perception.readers.gvhmr import shortest
from perception.readers.hamer import CROP_PX, FOCAL
from perception.readers.hands import Detections, hands_over_time
from perception.readers.shot import Shot, centred

LICENCE = "WiLoR: CC-BY-NC-ND-4.0; detector: AGPL-3.0; MANO hand model: non-commercial"

_SHAPES = {
    **{"global_orient": (1, 3), "hand_pose": (15, 3), "betas": (10,), "pred_cam_t_full": (3,)},
    **{"pred_keypoints_3d": (21, 3), "pred_keypoints_2d": (21, 2), "scaled_focal_length": ()},
}


def read_wilor(path: Path, shot: Shot) -> dict[str, HandMotion]:
    """Both hands in the camera's frame, by side; a side that is never seen is left out.

    Depth is metric where the shot's camera is known, as in `read_hamer`.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what is no hand.
        ClipError: it is damaged or wants to run code.
    """
    where = str(path)
    content = foreign.load_content(path)
    values = _rows(content, shot, where) if isinstance(content, list) else foreign.flatten_arrays(content, where)
    foreign.check_video(values, shot, where)
    rows = len(foreign.require_array(values, "frame", (None,), where))
    part = {key: foreign.require_array(values, key, (rows, *shape), where) for key, shape in _SHAPES.items()}
    box = foreign.require_array(values, "hand_bbox", (rows, 4), where)
    focal = part["scaled_focal_length"]
    for side in np.unique(focal) * CROP_PX / FOCAL:  # its focal length is that of HaMeR, by the picture's longer side
        shot.check_size(*(side * n / max(shot.size_px) for n in shot.size_px), where=where)
    K = centred(FOCAL / CROP_PX * max(shot.size_px), shot) if shot.K is None else shot.K
    found = Detections(
        frame=foreign.require_array(values, "frame", (rows,), where).astype(int),
        right=foreign.require_array(values, "is_right", (rows,), where) > 0.5,
        score=foreign.require_array(values, "score", (rows,), where) if "score" in values else np.ones(rows),
        centre=(box[:, :2] + box[:, 2:]) / 2,
        size=(box[:, 2:] - box[:, :2]).max(axis=1, initial=0.0),
        global_orient=shortest(part["global_orient"][:, 0]),
        hand_pose=shortest(part["hand_pose"]),
        betas=part["betas"],
        joints3d=part["pred_keypoints_3d"] + _known_camera(part["pred_cam_t_full"], focal, shot, K)[:, None],
        joints2d=part["pred_keypoints_2d"],
    )
    notes = {"file": path.name, "depth": "not metric: camera unknown" if shot.K is None else "for the known camera"}
    return hands_over_time(found, shot, K, Origin("WiLoR", LICENCE, notes), where)


def _known_camera(t: np.ndarray, focal: np.ndarray, shot: Shot, K: np.ndarray) -> np.ndarray:
    """Translations (D, 3) for the camera `K`, from those for a centred one of focal length `focal` (D,)."""
    z = t[:, 2] * K[0, 0] / focal
    # the ray to the crop's centre stays what it is in the picture; only its length follows the focal length
    shift = (np.array([shot.width / 2, shot.height / 2]) - K[:2, 2]) * (t[:, 2] / focal)[:, None]
    return np.concatenate([t[:, :2] + shift, z[:, None]], axis=1)


def _rows(frames: list[Any], shot: Shot, where: str) -> dict[str, np.ndarray]:
    """The pipeline's lists of dicts as rows of arrays."""
    shot.check_length(len(frames), where)
    columns: dict[str, list[Any]] = {key: [] for key in ("frame", "hand_bbox", "is_right", *_SHAPES)}
    try:
        for t, hands in enumerate(frames):
            for hand in hands:
                given = {"frame": t, "hand_bbox": hand["hand_bbox"], "is_right": hand["is_right"]}
                given |= {key: np.reshape(hand["wilor_preds"][key], shape) for key, shape in _SHAPES.items()}
                for key, value in given.items():
                    columns[key].append(value)
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise EstimateError(
            f"the list is not what WiLoR-mini's pipeline returns ({type(error).__name__}: {error})",
            where=where,
            valid="for each frame a list of {hand_bbox, is_right, wilor_preds}",
        ) from error
    empty = {"hand_bbox": (0, 4), **{key: (0, *shape) for key, shape in _SHAPES.items()}}
    return {k: np.array(v, float) if v else np.zeros(empty.get(k, (0,))) for k, v in columns.items()}
