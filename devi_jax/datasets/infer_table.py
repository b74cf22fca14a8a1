"""The table that a recording leaves out, inferred from where its object rests."""

from dataclasses import replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip
from devi_jax.core.scene import Table
from devi_jax.core.skeleton import HAND_BODIES, INDEX, SIDES
from devi_jax.datasets.clip_quality import as_trimesh

REST_SPEED_M_S = 0.03
"""An object slower than this rests."""
LEVEL_M = 0.02
"""Two rests within this height are on the same support."""
FLOOR_M = 0.05
"""An object that rests lower than this rests on the floor."""
MARGIN_M = 0.25
"""How far the table reaches beyond the places where the object rests, where no arm needs the room."""
_LEAST_MARGIN_M = 0.02
_ARM_M = 0.05  # room for a forearm below and beside the table's edge


def with_inferred_table(clip: Clip) -> Clip:
    """The clip with a box under its object: the top at the object's lowest point at rest in its first frame.

    It covers every place where the object rests at that height, and gives way to hands and elbows that go below its
    top. A clip with a table, without object poses, or whose object starts on the floor or in motion stays as it is.
    """
    if clip.scene.table is not None or clip.scene.object is None or clip.object_poses is None:
        return clip
    surface = np.asarray(as_trimesh(clip.scene.object).vertices)
    poses = clip.object_poses
    world = rot.rotate(poses.rotations[:, None], surface[None]) + poses.positions[:, None]
    lowest = world[..., 2].min(axis=1)
    speed = np.linalg.norm(np.gradient(poses.positions, axis=0), axis=-1) * clip.fps
    if speed[0] > REST_SPEED_M_S or lowest[0] < FLOOR_M:
        return clip
    resting = (speed < REST_SPEED_M_S) & (np.abs(lowest - lowest[0]) < LEVEL_M)
    low = world[resting][..., :2].min(axis=(0, 1))
    high = world[resting][..., :2].max(axis=(0, 1))
    low, high = _grown(low, high, _arm_points(clip), float(lowest[0]))
    centre, size = (low + high) / 2, high - low
    table = Table((float(centre[0]), float(centre[1])), (float(size[0]), float(size[1]), float(lowest[0])))
    note = f"table: top at the object's lowest point at rest, {lowest[0]:.3f} m; its extent is free of arms below it"
    provenance = clip.provenance | {"assumptions": [*clip.provenance.get("assumptions", []), note]}
    return replace(clip, scene=replace(clip.scene, table=table), provenance=provenance)


def _arm_points(clip: Clip) -> np.ndarray:
    """Joints of hands and elbows in all frames, (N, 3)."""
    joints = [*HAND_BODIES[0], *HAND_BODIES[1], *(INDEX[f"{side}_elbow"] for side in SIDES)]
    return clip.joint_positions[:, joints].reshape(-1, 3)


def _grown(low: np.ndarray, high: np.ndarray, arms: np.ndarray, top: float) -> tuple[np.ndarray, np.ndarray]:
    """The rectangle grown to each side by up to `MARGIN_M`, less where an arm goes below `top` there."""
    below = arms[arms[:, 2] < top][:, :2]
    low, high = low.copy(), high.copy()
    for axis in (0, 1):
        for sign, edge in ((-1.0, low), (1.0, high)):
            beyond = sign * (below[:, axis] - edge[axis])
            other = 1 - axis
            beside = (below[:, other] > low[other] - _ARM_M) & (below[:, other] < high[other] + _ARM_M)
            room = beyond[beside & (beyond > 0)] - _ARM_M
            edge[axis] += sign * float(np.clip(room.min(initial=MARGIN_M), _LEAST_MARGIN_M, MARGIN_M))
    return low, high
