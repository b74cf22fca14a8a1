"""ParaHome's 409-column clips (Kim et al. 2024, as SkillMimic-V2 releases them) as clips.

Columns: root position 0:3 and rotation vector 3:6, 60 exponential maps 9:189, 61 body positions 189:372 (ten more
slots are empty), object position 402:405 and rotation vector 405:408, object contact 408 (mostly left empty).
"""

import re
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, validate
from devi_jax.core.scene import ObjectSpec, SceneSpec
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, PARENTS, SIDES
from devi_jax.datasets.clip_quality import surface_points
from devi_jax.datasets.formats import isaacgym_humanoid, object_mesh
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import move_to_origin
from devi_jax.datasets.infer_table import with_inferred_table

COLUMNS = 409
FPS = 30.0
FK_LIMIT_MM = 10.0
"""Released files reach 4 mm: nine joints of 61 are merged away; hinge angles taken for exponential maps give more."""
TOUCH_M = 0.02
"""A phalanx touches when its bone is this near to the surface: half a finger, and the recording's own error."""
TOUCHING_BONES = 4
"""So many bones of a hand must be near: fewer pass by, or still close, and a squeeze would push the object away."""
_SHORTEST_TOUCH, _LONGEST_GAP = 4, 6  # frames

_SPINE = ("pHipOrigin", "jL5S1", "jL4L3", "jL1T12", "jT9T8", "jT1C7", "jC1Head")
_FINGERS = {"Second": "index", "Third": "middle", "Fourth": "ring", "Fifth": "pinky"}


def _side(side: str) -> dict[str, str | None]:
    """Names of one arm's 23 bodies in the file's order, each with its parent."""
    chain = [f"j{side}{n}" for n in ("T4Shoulder", "Shoulder", "Elbow", "Wrist")]
    out: dict[str, str | None] = dict(zip(chain, ["jT9T8", *chain[:-1]], strict=True))
    for digit in ("First", *_FINGERS):
        bones = ("CMC", "MCP") if digit == "First" else ("CMC", "MCP", "PIP", "DIP")
        names = [f"j{side}{digit}{b}" for b in bones] + ([f"j{side}IP"] if digit == "First" else [])
        out |= dict(zip(names, [chain[-1], *names[:-1]], strict=True))
    return out


def _leg(side: str) -> dict[str, str | None]:
    names = [f"j{side}{n}" for n in ("Hip", "Knee", "Ankle", "BallFoot")]
    return dict(zip(names, [_SPINE[0], *names[:-1]], strict=True))


_TREE: dict[str, str | None] = {
    **dict(zip(_SPINE, [None, *_SPINE[:-1]], strict=True)),
    **_side("Right"),
    **_side("Left"),
    **_leg("Right"),
    **_leg("Left"),
}
BODIES: tuple[str, ...] = tuple(_TREE)
"""ParaHome's 61 bodies in the files' order, by its own (Xsens) names."""
_PARENTS = [-1 if parent is None else BODIES.index(parent) for parent in _TREE.values()]


def _ours() -> dict[str, str]:
    """Our joint of each of theirs; the second to fifth CMC and jL1T12 have none and are merged into their parents."""
    out = dict(zip(_SPINE, ("pelvis", "spine1", "spine2", "", "spine3", "neck", "head"), strict=True))
    for side in SIDES:
        s = side.capitalize()
        body_parts = {"T4Shoulder": "collar", "Shoulder": "shoulder", "Elbow": "elbow", "Wrist": "wrist"}
        body_parts |= {"Hip": "hip", "Knee": "knee", "Ankle": "ankle", "BallFoot": "foot"}
        body_parts |= {"FirstCMC": "thumb1", "FirstMCP": "thumb2", "IP": "thumb3"}
        for digit, finger in _FINGERS.items():
            body_parts |= {f"{digit}{b}": f"{finger}{k + 1}" for k, b in enumerate(("MCP", "PIP", "DIP"))}
        out |= {f"j{s}{theirs}": f"{side}_{name}" for theirs, name in body_parts.items()}
    return {theirs: name for theirs, name in out.items() if name}


_NAMES = {ours: theirs for theirs, ours in _ours().items()}
ORDER: tuple[int, ...] = tuple(BODIES.index(_NAMES[name]) for name in JOINTS)
"""File index of each joint of `skeleton.JOINTS`."""


def from_parahome(data: np.ndarray, path: Path, mesh: Path | None = None, mass_kg: float | None = None) -> Clip:
    """A clip of the columns (T, 409) in `path`; the object's mesh is `mesh` or found by the name within the file name.

    Nine joints that SMPL-X lacks are merged into their parents, with constant bone offsets. Hand labels psi (A.9) are
    inferred from the distance of the phalanges to the object's surface, within the contact column where it is filled.
    The table is inferred from where the object rests. Raises `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    isaacgym_humanoid.check_columns(data, where)
    motion = isaacgym_humanoid.to_motion(_recording(data), where, FK_LIMIT_MM)
    spec, notes = object_mesh.load_object(mesh or object_mesh.find_mesh(object_name(path), path), mass_kg)
    poses = ObjectPoses(data[:, 402:405], rot.quat_exp(data[:, 405:408]))
    contact = hands_touching(motion.positions, poses, spec)
    if (filled := np.rint(data[:, 408]) == 1).any():
        contact &= filled[:, None]
    notes.append(f"hand labels: {TOUCHING_BONES} bones of a hand within {TOUCH_M} m of the object's surface")
    clip = Clip(
        name=path.stem,
        fps=FPS,
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=contact.astype(np.float64),
        scene=SceneSpec(object=spec),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
        provenance=provenance(path, "ParaHome, 409 columns", motion, notes, dropped=[]),
    )
    validate(clip, where)
    return with_inferred_table(move_to_origin(clip))


def object_name(path: Path) -> str:
    """`kettle` of `003_s10_place_kettle_2580_2680.pt`: the last word of the action."""
    match = re.fullmatch(r"\d+_s\d+_(?:[a-z]+_)*([a-z]+)_\d+_\d+", path.stem)
    return match[1] if match else path.stem


def hands_touching(joints: np.ndarray, poses: ObjectPoses, spec: ObjectSpec, within: float = TOUCH_M) -> np.ndarray:
    """Which hands (T, 2) of joints (T, 52, 3) touch the object: enough of their bones are `within` so many metres.

    Short gaps are closed, short touches dropped.
    """
    tree = KDTree(surface_points(spec))
    out = np.zeros((len(joints), 2), bool)
    for side, hand in enumerate(HAND_BODIES):
        bones = [i for i in hand if PARENTS[i] in hand]
        ends = joints[:, bones], joints[:, [PARENTS[i] for i in bones]]
        along = np.concatenate([(1 - f) * ends[0] + f * ends[1] for f in (0.0, 0.25, 0.5, 0.75)], axis=1)
        local = rot.rotate_inverse(poses.rotations[:, None], along - poses.positions[:, None])
        distance = tree.query(local)[0].reshape(len(joints), 4, len(bones)).min(axis=1)
        near = (distance < within).sum(axis=1) >= TOUCHING_BONES
        out[:, side] = ~_without_short_runs(~_without_short_runs(near, _SHORTEST_TOUCH), _LONGEST_GAP)
    return out


def _without_short_runs(flags: np.ndarray, shortest: int) -> np.ndarray:
    """Flags (T,) with runs of `True` shorter than `shortest` cleared, unless they meet an end of the clip."""
    out = flags.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    for start, stop in edges.reshape(-1, 2):
        if stop - start < shortest and start > 0 and stop < len(flags):
            out[start:stop] = False
    return out


def _recording(data: np.ndarray) -> isaacgym_humanoid.Recording:
    """The 52 joints of our skeleton, relative to the nearest ancestor that it has, too."""
    world = rot.quat_exp(data[:, [3, 4, 5, *range(9, 189)]].reshape(len(data), len(BODIES), 3))
    for i, parent in enumerate(_PARENTS):
        if parent >= 0:
            world[:, i] = rot.quat_mul(world[:, parent], world[:, i])
    world = world[:, ORDER]
    local = world.copy()
    local[:, 1:] = rot.quat_mul(rot.quat_conj(world[:, list(PARENTS[1:])]), world[:, 1:])
    positions = data[:, 189:372].reshape(len(data), len(BODIES), 3)[:, ORDER]
    return isaacgym_humanoid.Recording(data[:, 0:3], local, positions)
