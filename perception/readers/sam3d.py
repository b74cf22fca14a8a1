"""SAM 3D Body (Meta 2025) with MHR: body and hands of one person, from what `process_one_image` returns for each frame.

Layout, measured on MHR's own samples: `pred_keypoints_3d` (70, 3) about `pred_cam_t` (3,), OpenCV axes, metres,
`pred_keypoints_2d` (70, 2) pixels, `focal_length`; stacked over frames, with a `frame` number from 0 for each row.
Rotations come from MHR's converter to SMPL-X (flat hands as zero), which fits the mesh where it stands in the camera's
frame; they are under `smplx.`, and `tools/scripts/sam3d_body.py` writes both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import SIDES, SMPLX_JOINTS, SMPLX_PARENTS
from perception.contracts import HAND21, BodyMotion, EstimateError, HandMotion, Origin
from perception.readers import foreign
from perception.readers.gvhmr import REST_PELVIS, shortest
from perception.readers.shot import Shot, centred

LICENCE = "SAM 3D Body: SAM License; MHR: Apache-2.0; SMPL-X body model: non-commercial"

_BODY = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
)


def _hand(side: str) -> tuple[str, ...]:
    """A hand's 21 of the 70 points: each finger from the tip inwards, thumb first; the wrist last."""
    fingers = [f"{side}_{f}{k}" for f in ("thumb", "index", "middle", "ring", "pinky") for k in ("_tip", 3, 2, 1)]
    return (*fingers, f"{side}_wrist")


MHR70: tuple[str, ...] = (*_BODY, *_hand("right"), *_hand("left"))
"""Names of the first 63 of MHR's 70 points; the other seven lie on elbows, shoulders and neck."""

_HAND_POSES = tuple((f"{side}_hand_pose", SMPLX_JOINTS.index(f"{side}_index1"), 15) for side in SIDES)


def read_sam3d(path: Path, shot: Shot) -> BodyMotion:
    """The body in the camera's frame; frames without a person are not valid.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what is no motion.
        ClipError: it is damaged or wants to run code.
    """
    found = _read(path, shot)
    body = BodyMotion(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=Origin("SAM 3D Body", LICENCE, {"file": path.name, "rest_pelvis": "SMPL-X neutral, mean shape"}),
        frame="camera",
        global_orient=found.spread(found.pose[:, 0]),
        body_pose=found.spread(found.pose[:, 1:22]),
        transl=found.spread(found.transl),
        betas=np.median(found.betas, axis=0),
        rest_pelvis=REST_PELVIS,
        valid=found.seen,
        K_used=found.K,
        joints2d=found.spread(_sure(found.pixels[:, : len(MHR70)])),
        joint_names=MHR70,
    )
    body.validate(str(path))
    return body


def read_sam3d_hands(path: Path, shot: Shot) -> dict[str, HandMotion]:
    """Both hands in the camera's frame, by side. Raises as `read_sam3d` does."""
    found = _read(path, shot)
    local = rot.quat_exp(found.pose)
    hands = {}
    for side in SIDES:
        wrist, chain = SMPLX_JOINTS.index(f"{side}_wrist"), []
        while wrist >= 0:
            chain, wrist = [wrist, *chain], SMPLX_PARENTS[wrist]
        turn = local[:, chain[0]]
        for joint in chain[1:]:
            turn = rot.quat_mul(turn, local[:, joint])
        first = SMPLX_JOINTS.index(f"{side}_index1")
        order = [MHR70.index(f"{side}_{name}") for name in HAND21]
        hands[side] = HandMotion(
            fps=shot.fps,
            size_px=shot.size_px,
            origin=Origin("SAM 3D Body", LICENCE, {"file": path.name}),
            side=side,
            valid=found.seen,
            global_orient=found.spread(rot.quat_log(turn)),
            hand_pose=found.spread(found.pose[:, first : first + 15]),
            joints2d=found.spread(_sure(found.pixels[:, order])),
            joints3d=found.spread(found.points[:, order]),
            betas=np.zeros(10),
            K_used=found.K,
        )
        hands[side].validate(str(path))
    return hands


@dataclass(frozen=True)
class _Found:
    """D rows of one person: `frame` (D,), SMPL-X `pose` (D, 55, 3), `transl` (D, 3), `betas` (D, 10), MHR's points."""

    frames: int
    frame: np.ndarray
    pose: np.ndarray
    transl: np.ndarray
    betas: np.ndarray
    pixels: np.ndarray
    points: np.ndarray
    K: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(T,): frames with a row."""
        return np.isin(np.arange(self.frames), self.frame)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Rows (D, ...) as frames (T, ...), zero where there is none."""
        out = np.zeros((self.frames, *values.shape[1:]))
        out[self.frame] = values
        return out


def _read(path: Path, shot: Shot) -> _Found:
    where = str(path)
    values = foreign.arrays(path)
    foreign.check_video(values, shot, where)
    frame = foreign.require_array(values, "frame", (None,), where).astype(int)
    rows = len(frame)
    shot.check_frames(frame, where)
    if not rows or len(np.unique(frame)) < rows:
        raise EstimateError(
            "no person was found" if not rows else "there are several persons in a frame",
            where=f"{where}: frame",
            valid="one person, a row a frame",
            fix="show one person only, or choose the rows of one",
        )
    pose = np.zeros((rows, 55, 3))
    for name, first, joints in (("global_orient", 0, 1), ("body_pose", 1, 21), *_HAND_POSES):
        part = foreign.require_array(values, f"smplx.{name}", (rows, 3 * joints), where)
        pose[:, first : first + joints] = shortest(part.reshape(rows, joints, 3))
    focal = foreign.require_array(values, "focal_length", (rows,), where)
    return _Found(
        frames=shot.frames,
        frame=frame,
        pose=pose,
        transl=foreign.require_array(values, "smplx.transl", (rows, 3), where),
        betas=foreign.require_array(values, "smplx.betas", (rows, 10), where),
        pixels=foreign.require_array(values, "pred_keypoints_2d", (rows, 70, 2), where),
        points=foreign.require_array(values, "pred_keypoints_3d", (rows, 70, 3), where)
        + foreign.require_array(values, "pred_cam_t", (rows, 3), where)[:, None],
        K=centred(float(np.median(focal)), shot),
    )


def _sure(points: np.ndarray) -> np.ndarray:
    """Points (..., 2) with full confidence: the tool gives none."""
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
