"""Where a converted clip comes from, and what was assumed on the way, as JSON types."""

import hashlib
from pathlib import Path
from typing import Any

from devi_jax.datasets.formats.isaacgym_humanoid import Motion


def provenance(path: Path, layout: str, motion: Motion, notes: list[str], dropped: list[int]) -> dict[str, Any]:
    """Source file, its hash and layout, licence note, assumptions, and the fit of positions to rotations in mm."""
    moved = ["joints: forward kinematics of the file's rotations with its median bone offsets"]
    moved += ["world: turned and moved so that the first frame stands at the origin facing +y"]
    if motion.lag:
        moved.append(f"body positions trail the rotations by {motion.lag} frame(s); used for bone offsets only")
    return {
        "source": path.name,
        "format": layout,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "terms of the source apply",
        "assumptions": [*moved, *notes],
        "fk_error_mm": round(motion.fk_error_mm, 4),
        "axes": motion.axes.astype(int).tolist(),
        "dropped_frames": dropped,
    }
