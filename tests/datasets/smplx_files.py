"""A body model, and files of data sets that need one, as they are released: made of a known motion, in every key."""

from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, forward_kinematics
from devi_jax.core.skeleton import JOINTS, PARENTS, SMPLX_JOINTS
from tests.datasets.conftest import PHYSHOI_REST, in_rest, offsets

COMPONENTS = 24
_ROWS = [SMPLX_JOINTS.index(name) for name in JOINTS]
REST = np.zeros((52, 3))
"""Joints of the known human at rest, in SMPL's axes: x to the left, y up, z forward; the pelvis is not at zero."""
for _i, _parent in enumerate(PARENTS):
    REST[_i] = offsets()[_i] @ PHYSHOI_REST.T + (REST[_parent] if _parent >= 0 else [0.01, -0.3, 0.02])


def hands() -> dict[str, np.ndarray]:
    """Means and components of both hands' 45 numbers."""
    rng = np.random.default_rng(5)
    out = {f"hands_mean{side}": rng.normal(0, 0.2, 45) for side in "lr"}
    return out | {f"hands_components{side}": np.linalg.qr(rng.normal(size=(45, 45)))[0] for side in "lr"}


def write_model(path: Path, joints: int = 55) -> Path:
    """SMPL-X (55 joints) or SMPL-H (52): one vertex at each joint, and some that only shapes move."""
    count = joints + 9
    template, regressor, shapes = np.zeros((count, 3)), np.zeros((joints, count)), np.zeros((count, 3, 20))
    template[_ROWS if joints == 55 else slice(0, 52)] = REST
    regressor[np.arange(joints), np.arange(joints)] = 1.0
    shapes[:joints, :, 1] = 0.05 * template[:joints]  # the second coefficient makes one taller
    np.savez(
        path,
        v_template=template,
        shapedirs=shapes,
        J_regressor=regressor,
        part2num=np.array({"pelvis": 0}, object),  # as in the official files: an object, which is never touched
        **hands(),
    )
    return path


def with_component_hands(clip: Clip) -> tuple[Clip, dict[str, np.ndarray]]:
    """The clip with fingers that 24 components and the mean can say, and their coefficients (T, 24)."""
    rng = np.random.default_rng(6)
    local, model = in_rest(clip, PHYSHOI_REST), hands()
    coefficients = {side: rng.normal(0, 0.1, (clip.frames, COMPONENTS)) for side in ("left", "right")}
    for k, (side, numbers) in enumerate(coefficients.items()):
        turns = numbers @ model[f"hands_components{side[0]}"][:COMPONENTS] + model[f"hands_mean{side[0]}"]
        local[:, 22 + 15 * k : 37 + 15 * k] = rot.quat_exp(turns.reshape(clip.frames, 15, 3))
    back = rot.matrix_to_quat(PHYSHOI_REST.T)
    ours = rot.quat_mul(rot.quat_mul(back, local), rot.quat_conj(back))
    ours[:, 0] = clip.joint_rotations[:, 0]
    positions = forward_kinematics(ours, clip.joint_positions[:, 0], offsets())
    return Clip(**{**vars(clip), "joint_rotations": ours, "joint_positions": positions}), coefficients


def rotvecs(clip: Clip) -> np.ndarray:
    """The clip's rotations (T, 52, 3) in SMPL's axes."""
    return rot.quat_log(in_rest(clip, PHYSHOI_REST))
