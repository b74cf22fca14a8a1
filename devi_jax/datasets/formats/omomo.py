"""OMOMO's own pickles (Li et al. 2023), many sequences of a body without fingers and an object at 30 Hz, as clips.

Keys of a sequence: `seq_name`, `trans`, `trans2joint`, `root_orient`, `pose_body`, `rest_offsets` (24, 3) of 22 body
joints and both index1, `obj_trans`, `obj_rot` (T, 3, 3), `obj_scale`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, validate
from devi_jax.core.errors import ClipError, did_you_mean
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, PARENTS
from devi_jax.datasets.formats import isaacgym_humanoid, object_mesh, smplx_model
from devi_jax.datasets.formats.parahome import hands_touching
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import at_origin
from devi_jax.datasets.infer_table import with_inferred_table

FPS = 30.0
KEYS = frozenset("seq_name trans trans2joint root_orient pose_body rest_offsets obj_trans obj_rot".split())
"""By which such a sequence is known."""
TOUCH_M = 0.04
"""Twice ParaHome's: fingers are not recorded and stay straight. On InterMimic's copies of three sequences 77 to 100 %
of the labels of boxes and tables agree with theirs; a chair that is held by its thin frame is labelled worse."""
SOLE_M = (-0.15, 0.2)
"""The lowest foot joint of a standing human is this high."""
_SCALE = 0.02  # an object does not grow

_LEFT_HAND_MM = {
    "index": ((114, -5, 29), (29, 0, 0), (26, 0, 0)),
    "middle": ((113, 0, 0), (38, 0, 0), (30, 0, 0)),
    "pinky": ((96, -7, -42), (23, 0, 0), (17, 0, 0)),
    "ring": ((107, 0, -21), (33, 0, 0), (27, 0, 0)),
    "thumb": ((42, -2, 27), (12, -23, 22), (27, -19, 23)),
}
"""Finger bones of the bundled human, in SMPL's rest axes: x to the left, y up, z forward."""


def is_omomo(content: Any) -> bool:
    """Whether a pickle holds such sequences."""
    first = next(iter(content.values()), None) if isinstance(content, dict) else None
    return isinstance(first, dict) and first.keys() >= KEYS


def from_omomo(
    content: dict[Any, dict[str, Any]],
    path: Path,
    sequence: str | None = None,
    mesh: Path | None = None,
    mass_kg: float | None = None,
) -> Clip:
    """A clip of one sequence of `path`, chosen by its name; bone lengths are the file's, fingers are straight.

    Hand labels psi (A.9) are inferred from the distance of the hand's bones to the object's surface. Raises `ClipError`
    naming the sequences there are, or what is wrong in the file.
    """
    data = _chosen(content, path, sequence)
    name = str(data["seq_name"])
    where = f"{path}: {name}"
    rotvecs, pelvis = _angles(data, where)
    recording = smplx_model.recording(rotvecs, pelvis, _rest(data, where), where)
    _check_floor(recording.positions, where)
    motion = isaacgym_humanoid.to_motion(recording, where, 1.0)
    spec, poses, notes = _object(data, name, path, mesh, mass_kg, where)
    labels = hands_touching(motion.positions, poses, spec, TOUCH_M)
    notes += ["fingers: straight, their bones the bundled human's, scaled to the recorded wrist and index"]
    notes += [f"hand labels: bones of a hand within {TOUCH_M} m of the object's surface"]
    clip = Clip(
        name=name,
        fps=FPS,
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=labels.astype(np.float64),
        scene=SceneSpec(object=spec),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
        provenance=provenance(path, "OMOMO, one sequence", motion, notes, dropped=[]) | {"sequence": name},
    )
    validate(clip, where)
    return with_inferred_table(at_origin(clip))


def _chosen(content: dict[Any, dict[str, Any]], path: Path, sequence: str | None) -> dict[str, Any]:
    known = {str(data["seq_name"]): data for data in content.values()}
    if sequence is None and len(known) == 1:
        return next(iter(known.values()))
    if sequence not in known:
        some = ", ".join(list(known)[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
        raise ClipError(
            f"the file holds {len(known)} sequences"
            if sequence is None
            else f"no sequence '{sequence}' in the file{did_you_mean(sequence, known)}",
            where=f"{path}: --sequence",
            valid=some,
            fix=f"python -m devi_jax.clips convert {path} --sequence={next(iter(known))} --out=CLIP.npz",
        )
    return known[sequence]


def _angles(data: dict[str, Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vectors (T, 52, 3) with straight fingers, and the pelvis (T, 3): `trans` is the model's, not a joint."""
    frames = len(data["trans"])
    angles = np.hstack([np.asarray(data[k], float).reshape(frames, -1) for k in ("root_orient", "pose_body")])
    if angles.shape[1] != 66:
        raise ClipError(f"{angles.shape[1]} pose numbers", where=f"{where}: pose_body", valid="3 of the root and 63")
    rotvecs = np.zeros((frames, 52, 3))
    rotvecs[:, :22] = angles.reshape(frames, 22, 3)
    return rotvecs, np.asarray(data["trans"], float) - np.asarray(data["trans2joint"], float).ravel()[:3]


def _rest(data: dict[str, Any], where: str) -> np.ndarray:
    """Resting joints (52, 3) of the file's offsets and of scaled fingers, pelvis at zero, y up."""
    given = np.asarray(data["rest_offsets"], float)
    if given.shape != (24, 3):
        raise ClipError(f"offsets of shape {given.shape}", where=f"{where}: rest_offsets", valid="(24, 3)")
    offsets = np.zeros((52, 3))
    offsets[1:22] = given[1:22]
    for side, index, sign in (("left", given[22], 1.0), ("right", given[23], -1.0)):
        scale = np.linalg.norm(index) / np.linalg.norm(_LEFT_HAND_MM["index"][0])
        for finger in FINGERS:
            for k in (1, 2, 3):
                bone = np.array(_LEFT_HAND_MM[finger][k - 1], float) * [sign, 1.0, 1.0]
                offsets[INDEX[f"{side}_{finger}{k}"]] = scale * bone
    rest = np.zeros((52, 3))
    for i, parent in enumerate(PARENTS):
        rest[i] = offsets[i] + (rest[parent] if parent >= 0 else 0.0)
    return rest


def _check_floor(positions: np.ndarray, where: str) -> None:
    feet = positions[:, [JOINTS.index("left_foot"), JOINTS.index("right_foot")], 2].min(axis=1)
    low = float(np.percentile(feet, 5))
    if not SOLE_M[0] < low < SOLE_M[1]:
        raise ClipError(
            f"the lower foot joint is {low:.2f} m above the floor",
            where=f"{where}: trans, trans2joint",
            valid=f"{SOLE_M[0]} to {SOLE_M[1]} m: the pelvis is at trans - trans2joint, the floor at z = 0",
            fix="use the file as its authors released it, train_diffusion_manip_seq_joints24.p",
        )


def _object(
    data: dict[str, Any], name: str, path: Path, mesh: Path | None, mass_kg: float | None, where: str
) -> tuple[Any, ObjectPoses, list[str]]:
    """The thing in its scale, its poses, and assumptions: world = scale R v + trans."""
    turns, scales = np.asarray(data["obj_rot"], float), np.asarray(data.get("obj_scale", 1.0), float).ravel()
    if turns.shape[1:] != (3, 3) or np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max() > 1e-2:
        raise ClipError("the object's rotations are no rotations", where=f"{where}: obj_rot", valid="(T, 3, 3)")
    scale = float(np.median(scales))
    if np.abs(scales / scale - 1).max() > _SCALE:
        raise ClipError("the object grows", where=f"{where}: obj_scale", valid=f"constant within {_SCALE:.0%}")
    thing = name.split("_")[1] if name.count("_") > 1 else name
    file = mesh or _find(thing, path)
    spec, notes = object_mesh.load_object(file, mass_kg, scale)
    poses = ObjectPoses(np.asarray(data["obj_trans"], float).reshape(len(turns), 3), rot.matrix_to_quat(turns))
    return spec, poses, [*notes, f"object: scaled by {scale:.3f}"]


def _find(thing: str, path: Path) -> Path:
    """The mesh as OMOMO calls it (captured_objects/NAME_cleaned_simplified.obj), or as any other."""
    name = f"{thing}_cleaned_simplified.obj"
    released = [file for file in (path.parent / name, path.parent / "captured_objects" / name) if file.is_file()]
    return released[0] if released else object_mesh.find_mesh(thing, path)
