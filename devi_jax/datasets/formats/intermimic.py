"""InterMimic's 591-column clips (OMOMO_new, OMOMO_retarget; Xu et al., CVPR 2025) as clips.

Columns: root position 0:3 and quaternion xyzw 3:7, 51 exponential maps 9:162, body positions 162:318, object position
318:321 and quaternion xyzw 321:325, object contact 330, body contact labels 331:383, body quaternions xyzw 383:591.
"""

import re
from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, global_rotations, validate
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import HAND_BODIES, INDEX
from devi_jax.datasets.formats import isaacgym_humanoid, object_mesh
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import at_origin

COLUMNS = 591
FPS = 30.0
FK_LIMIT_MM = 10.0
"""Released files stay below 0.01 mm; exponential maps taken for hinge angles give 30 to 70 mm."""
ROTATION_LIMIT_RAD = 0.05
"""Largest median angle between stored body rotations and those of the joint columns."""

_FINGER_SLOTS = tuple(INDEX[f"left_index{k}"] for k in (1, 2, 3))  # file slots 18-20


def from_intermimic(data: np.ndarray, path: Path, mesh: Path | None = None, mass_kg: float | None = None) -> Clip:
    """A clip of the columns (T, 591) in `path`; the object's mesh is `mesh` or found by the name within the file name.

    A hand's label psi (A.9) is 1 where the object is touched and any of that hand's 16 bodies must touch (+1); 0 (do
    not care) and -1 (must not touch) both give 0. Raises `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    first = _first_whole_frame(data, where)
    data = data[first:]
    recording = _recording(data)
    _refuse_face_in_fingers(recording, where)
    _check_body_rotations(data, recording, where)
    motion = isaacgym_humanoid.to_motion(recording, where, FK_LIMIT_MM)
    spec, notes = object_mesh.load_object(mesh or object_mesh.find_mesh(object_name(path), path), mass_kg)
    poses = ObjectPoses(data[:, 318:321], _xyzw(data[:, 321:325]))
    clip = Clip(
        name=path.stem,
        fps=FPS,
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=_contact(data),
        scene=SceneSpec(object=spec),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
        provenance=provenance(path, "InterMimic, 591 columns", motion, notes, dropped=list(range(first))),
    )
    validate(clip, where)
    return at_origin(clip)


def object_name(path: Path) -> str:
    """`largetable` of `sub2_largetable_007.pt`."""
    match = re.fullmatch(r"sub\d+_(.+)_\d+", path.stem)
    return match[1] if match else path.stem


def _first_whole_frame(data: np.ndarray, where: str) -> int:
    """How many leading frames have no root or object rotation (one in OMOMO_retarget); later ones are errors."""
    isaacgym_humanoid.check_columns(data, where)
    empty = (np.linalg.norm(data[:, 3:7], axis=1) < 0.5) | (np.linalg.norm(data[:, 321:325], axis=1) < 0.5)
    first = int(np.argmin(empty)) if not empty.all() else len(data)
    if empty[first:].any() or len(data) - first < 2:
        frame = first + int(np.argmax(empty[first:])) if empty[first:].any() else first
        raise ClipError(
            f"zero quaternion at frame {frame}",
            where=f"{where}: columns 3:7 or 321:325",
            valid="quaternions xyzw; only leading frames may be empty, at least two must not be",
            fix="cut the frame at the source",
        )
    return first


def _xyzw(q: np.ndarray) -> np.ndarray:
    return rot.quat_normalise(np.roll(q, 1, axis=-1))


def _recording(data: np.ndarray) -> isaacgym_humanoid.Recording:
    return isaacgym_humanoid.Recording(
        root=data[:, 0:3],
        rotations=isaacgym_humanoid.local_rotations(_xyzw(data[:, 3:7]), data[:, 9:162]),
        positions=isaacgym_humanoid.in_our_order(data[:, 162:318], 3),
    )


def _refuse_face_in_fingers(recording: isaacgym_humanoid.Recording, where: str) -> None:
    """The first OMOMO release put jaw and eyes into slots 18-20 and moved all fingers by three."""
    slots = recording.positions[:, _FINGER_SLOTS]
    to_head = np.linalg.norm(slots - recording.positions[:, [INDEX["head"]]], axis=-1)
    to_wrist = np.linalg.norm(slots - recording.positions[:, [INDEX["left_wrist"]]], axis=-1)
    if np.median(to_head) < np.median(to_wrist):
        raise ClipError(
            "the finger columns hold the face: slots 18-20 lie at the head, all fingers are shifted by three",
            where=f"{where}: columns 216:225",
            valid="left index finger at the left hand",
            fix="use the releases OMOMO_new or OMOMO_retarget; the first OMOMO release has this fault in every file",
        )


def _check_body_rotations(data: np.ndarray, recording: isaacgym_humanoid.Recording, where: str) -> None:
    stored = _xyzw(isaacgym_humanoid.in_our_order(data[:, 383:591], 4))
    angle = float(np.median(rot.angle_between(stored, global_rotations(recording.rotations))))
    if not angle < ROTATION_LIMIT_RAD:
        raise ClipError(
            f"joint columns and body quaternions differ by {angle:.2f} rad (median)",
            where=f"{where}: columns 9:162 and 383:591",
            valid="exponential maps relative to the parent, and body quaternions xyzw that they explain",
            fix="use the file as its authors released it",
        )


def _contact(data: np.ndarray) -> np.ndarray:
    must = np.rint(isaacgym_humanoid.in_our_order(data[:, 331:383], 1)[..., 0]) == 1
    touched = np.rint(data[:, 330]) == 1
    return np.stack([touched & must[:, hand].any(axis=1) for hand in HAND_BODIES], axis=1).astype(np.float64)
