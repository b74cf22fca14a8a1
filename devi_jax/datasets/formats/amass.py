"""AMASS's `.npz` (Mahmood et al. 2019; SMPL-H with 156 numbers a frame, or SMPL-X with 165) as clips of a body alone.

Keys: `poses`, `trans`, `betas`, `gender`, and the frame rate as `mocap_framerate` or `mocap_frame_rate`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.clip import Clip, validate
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS, SMPLX_JOINTS
from devi_jax.datasets.formats import isaacgym_humanoid, smplx_model
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import at_origin

KEYS = frozenset({"poses", "trans", "betas"})
"""By which such a file is known."""
_RATES = ("mocap_framerate", "mocap_frame_rate")
_FPS = (10.0, 250.0)
_JOINTS_OF = {156: list(range(52)), 165: [SMPLX_JOINTS.index(name) for name in JOINTS]}


def from_amass(data: Mapping[str, Any], path: Path, model: Path | None) -> Clip:
    """A clip without object of the archive `path`; `model` is the user's SMPL-H or SMPL-X of the subject's gender.

    The file's own frame rate is kept. Raises `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    poses = np.asarray(data["poses"], float)
    if poses.ndim != 2 or poses.shape[1] not in _JOINTS_OF:
        raise ClipError(
            f"poses have shape {poses.shape}",
            where=f"{where}: poses",
            valid="(T, 156) for SMPL-H or (T, 165) for SMPL-X: rotation vectors",
            fix="take AMASS's SMPL+H G or SMPL-X N archives",
        )
    trans, fps = np.asarray(data["trans"], float), frame_rate(data, where)
    isaacgym_humanoid.check_columns(np.hstack([poses, trans]), where)
    rest = smplx_model.load_model(model, "AMASS").joints(betas=np.asarray(data["betas"]))
    rotvecs = poses.reshape(len(poses), -1, 3)[:, _JOINTS_OF[poses.shape[1]]]
    motion = isaacgym_humanoid.to_motion(smplx_model.recording(rotvecs, trans + rest[0], rest, where), where, 1.0)
    notes = [f"bone lengths: {Path(str(model)).name} with the file's betas, whose gender is {data.get('gender')}"]
    clip = Clip(
        name=path.stem,
        fps=fps,
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=np.zeros((len(poses), 2)),
        provenance=provenance(path, f"AMASS, {poses.shape[1]} pose numbers", motion, notes, dropped=[]),
    )
    validate(clip, where)
    return at_origin(clip)


def frame_rate(data: Mapping[str, Any], where: str) -> float:
    """Frames a second; raises `ClipError` where none, or none that motion capture has, is given."""
    given = [float(np.asarray(data[key])) for key in _RATES if key in data]
    if not given or not _FPS[0] <= given[0] <= _FPS[1]:
        raise ClipError(
            f"the frame rate is {given[0]:g}" if given else "the file does not say its frame rate",
            where=f"{where}: {_RATES[0]}",
            valid=f"{_FPS[0]:g} to {_FPS[1]:g} frames a second",
            fix="fetch the file again; shape files and stage files hold no motion",
        )
    return given[0]
