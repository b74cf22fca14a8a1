"""GRAB's sequences (Taheri et al. 2020): an SMPL-X human with hands, an object and a table, at 120 Hz, as clips.

Keys: `body`, `object`, `table` (each `params` and a mesh, its path relative to the data set's root) and `contact`.
GRAB turns objects by the transpose of their rotation: world = R(global_orient)^T v + transl.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, validate
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import HAND_BODIES
from devi_jax.datasets.formats import isaacgym_humanoid, object_mesh, smplx_model
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import at_origin
from devi_jax.datasets.infer_table import with_inferred_table

KEYS = frozenset({"body", "object", "contact"})
"""By which such a file is known."""
REST_M = 0.01
"""An object that stands on its table is this near to its top in the first frame; GRAB's are within millimetres."""
TOUCH_M = 0.06
"""Vertices that a hand touches are this near to one of its joints: a finger's half, a palm's half."""
MEAN_LIMIT_RAD = 0.02
_LEFT, _RIGHT = (21, *range(26, 41)), (22, *range(41, 56))  # contact ids: 1 + joint of SMPL-X, 0 for none


def from_grab(
    data: Mapping[str, Any], path: Path, model: Path | None, mesh: Path | None = None, mass_kg: float | None = None
) -> Clip:
    """A clip of the archive `path`; `model` is the user's SMPL-X of the subject's gender, for joints and hands.

    Fingers are 24 principal components and the model's mean. A hand's label psi (A.9) is 1 where the object's contact
    map names one of its bodies. The table is inferred from where the object rests, which is checked to be its table's
    top. Raises `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    person, thing = (_params(data, key, where) for key in ("body", "object"))
    subject = smplx_model.load_model(model, "GRAB")
    rest = subject.joints(vertices=_subject(data, subject, path))
    rotvecs, note = _rotvecs(person, subject, where)
    pelvis = np.asarray(person["transl"], float) + rest[0]
    motion = isaacgym_humanoid.to_motion(smplx_model.recording(rotvecs, pelvis, rest, where), where, 1.0)
    file = mesh or _beside(path, str(data["object"]["object_mesh"]))
    spec, notes = object_mesh.load_object(file, mass_kg)
    vertices = object_mesh.read_vertices(file)
    turns = rot.quat_conj(rot.quat_exp(np.asarray(thing["global_orient"], float)))
    poses = ObjectPoses(np.asarray(thing["transl"], float), turns)
    gap = _rest_gap(data, path, vertices, poses, where)
    contact, ids = _contact(data, where)
    _check_touch(ids, motion.positions, poses, vertices, where)
    notes += [note, f"object's rotation transposed: it rests {1e3 * gap:.1f} mm above its table in the first frame"]
    clip = Clip(
        name=path.stem,
        fps=float(data["framerate"]),
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=contact,
        scene=SceneSpec(object=spec),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
        provenance=provenance(path, "GRAB", motion, notes, dropped=[]) | {"rest_gap_mm": round(1e3 * gap, 2)},
    )
    validate(clip, where)
    return with_inferred_table(at_origin(clip))


def _params(data: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    part = data[key]
    if not isinstance(part, dict) or not isinstance(part.get("params"), dict):
        raise ClipError(f"'{key}' holds no params", where=f"{where}: {key}", valid="a dict with params, as GRAB has it")
    return part["params"]


def _beside(path: Path, relative: str) -> Path:
    """A file that a sequence names relative to the root of its data set, which is one of the folders above it."""
    for folder in path.resolve().parents:
        if (folder / relative).is_file():
            return folder / relative
    raise ClipError(
        f"there is no {relative}",
        where=f"{path}: searched its folder and all above",
        valid="the data set as it is unpacked: grab/ and tools/ side by side",
        fix="unpack tools__object_meshes and tools__subject_meshes; or --mesh=OBJECT.ply for the object",
    )


def _subject(data: Mapping[str, Any], subject: smplx_model.Model, path: Path) -> np.ndarray:
    """The subject's own resting vertices (V, 3)."""
    file = _beside(path, str(data["body"]["vtemp"]))
    vertices = object_mesh.read_vertices(file)
    if vertices.shape != subject.template.shape:
        raise ClipError(
            f"the subject has {len(vertices)} vertices, the model {len(subject.template)}",
            where=f"{file}, --model",
            valid="SMPL-X for both: 10475 vertices",
            fix="--model=SMPLX_MALE.npz or SMPLX_FEMALE.npz",
        )
    return vertices


def _rotvecs(person: dict[str, Any], subject: smplx_model.Model, where: str) -> tuple[np.ndarray, str]:
    """All joints (T, 52, 3), fingers from principal components and mean; and whether `fullpose` has the mean, too."""
    if subject.means is None or subject.components is None:
        raise ClipError("the model has no hand components", where="--model", valid="SMPL-X with hands_componentsl")
    hands, bare = [], []
    for side, mean, components in zip(("left", "right"), subject.means, subject.components, strict=True):
        coefficients = np.asarray(person[f"{side}_hand_pose"], float)
        bare.append(coefficients @ components[: coefficients.shape[1]])
        hands.append(bare[-1] + mean)
    columns = [np.asarray(person[key], float) for key in ("global_orient", "body_pose")]
    rotvecs = np.hstack([*columns, *hands])
    stored = np.asarray(person["fullpose"], float)[:, 75:165]
    without, with_mean = (float(np.abs(stored - np.hstack(h)).mean()) for h in (bare, hands))
    if min(without, with_mean) > MEAN_LIMIT_RAD:
        raise ClipError(
            f"the model's hands are {min(without, with_mean):.2f} rad from those that the file has as rotations",
            where=f"{where}: body.params.fullpose, --model",
            valid="the SMPL-X release that GRAB was made with (v1.0 or 1.1), components in its order",
            fix="--model=SMPLX_MALE.npz or SMPLX_FEMALE.npz of smpl-x.is.tue.mpg.de",
        )
    has = "in" if with_mean < without else "left out"
    note = f"fingers: components and mean; the file's fullpose has the mean {has}"
    return rotvecs.reshape(len(rotvecs), 52, 3), note


def _rest_gap(data: Mapping[str, Any], path: Path, vertices: np.ndarray, poses: ObjectPoses, where: str) -> float:
    """Metres from the table's top to the object's lowest vertex in the first frame; 0 for a file without table."""
    if "table" not in data:
        return 0.0
    board = _params(data, "table", where)
    file = _beside(path, str(data["table"]["table_mesh"]))
    corners = object_mesh.read_vertices(file)
    turn = rot.quat_conj(rot.quat_exp(np.asarray(board["global_orient"], float)[0]))
    top = float((rot.rotate(turn, corners) + np.asarray(board["transl"], float)[0])[:, 2].max())
    gap, other = (
        float((rot.rotate(q, vertices) + poses.positions[0])[:, 2].min()) - top
        for q in (poses.rotations[0], rot.quat_conj(poses.rotations[0]))
    )
    if abs(gap) > REST_M:
        raise ClipError(
            f"the object is {1e3 * gap:.0f} mm above its table's top in the first frame"
            + (f", and {1e3 * other:.0f} mm with its rotation not transposed" if abs(other) < REST_M else ""),
            where=f"{where}: object.params, table.params",
            valid=f"within {1e3 * REST_M:.0f} mm, turned as GRAB turns: R(global_orient)^T v + transl",
            fix="use the files as GRAB released them; --mesh has to be GRAB's own, in its own frame",
        )
    return gap


def _contact(data: Mapping[str, Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels (T, 2), and the contact ids (T, V) of the object's vertices."""
    ids = np.asarray(data["contact"]["object"])
    if ids.ndim != 2 or not 0 <= ids.min() <= ids.max() <= 55:
        raise ClipError(
            f"the contact map has shape {ids.shape} and values {ids.min()} to {ids.max()}",
            where=f"{where}: contact.object",
            valid="(T, vertices), 0 for none, else 1 + a joint of SMPL-X",
        )
    return np.stack([np.isin(ids, side).any(axis=1) for side in (_LEFT, _RIGHT)], axis=1).astype(float), ids


def _check_touch(ids: np.ndarray, joints: np.ndarray, poses: ObjectPoses, vertices: np.ndarray, where: str) -> None:
    """Vertices that a hand touches lie at that hand: hands, object and their turns are in the same world."""
    if ids.shape[1] != len(vertices):
        return  # another mesh than the one that was touched
    gaps = []
    for side, hand in zip((_LEFT, _RIGHT), HAND_BODIES, strict=True):
        for t in np.flatnonzero(np.isin(ids, side).any(axis=1))[::10]:
            touched = vertices[np.isin(ids[t], side)]
            world = rot.rotate(poses.rotations[t], touched) + poses.positions[t]
            gaps.append(np.linalg.norm(world[:, None] - joints[t, list(hand)], axis=-1).min(axis=1).mean())
    if gaps and np.median(gaps) > TOUCH_M:
        raise ClipError(
            f"what the hands touch is {1e3 * float(np.median(gaps)):.0f} mm away from them",
            where=f"{where}: contact.object, body.params",
            valid=f"within {1e3 * TOUCH_M:.0f} mm",
            fix="take the SMPL-X model of the subject's gender, and the files as GRAB released them",
        )
