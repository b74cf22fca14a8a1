"""A hand that holds an object and the object are one rigid body: both are where together they fit best to what is seen.

Hand and object are each seen with errors, and a grip that follows the object alone takes its errors into the wrist.
Here one grip is fitted to a whole hold, and to each of its frames the pose of both, with bounded accelerations. Where
both are seen, each corrects the other; where one is hidden, the other leads it.
"""

from dataclasses import dataclass, replace

import numpy as np
import trimesh
from scipy.optimize import least_squares
from scipy.sparse import lil_matrix, spmatrix

from devi_jax.core import rotations as rot
from devi_jax.core.clip import global_rotations
from devi_jax.core.intervals import true_runs
from devi_jax.core.poses import compose, inverse, pose_of, relative
from devi_jax.core.skeleton import HAND_BODIES
from perception.contracts import ObjectMotion
from perception.human.motion import SkeletonMotion, joint_positions
from perception.human.scene_prior import ScenePrior


@dataclass(frozen=True)
class HoldConfig:
    """Standard deviations of what is seen, and of how a held thing moves. Metres: along the picture and into it;
    radians: in the picture and out of it."""

    tracked_m: tuple[float, float] = (0.001, 0.004)
    """Of an object by its tracks."""
    tracked_rad: tuple[float, float] = (0.01, 0.06)
    seen_m: tuple[float, float] = (0.0015, 0.008)
    """Of an object by its looks or its outline."""
    seen_rad: tuple[float, float] = (0.015, 0.2)
    hand_m: tuple[float, float] = (0.008, 0.03)
    """Of a hand that is seen from near by."""
    hand_rad: tuple[float, float] = (0.4, 0.4)
    acceleration: float = 3.0
    """Metres a second squared."""
    turning: float = 8.0
    """Radians a second squared."""
    still_m: float = 0.004
    """An object at rest is nowhere so far from its place, ..."""
    still_rad: float = 0.04
    """... nor turned by so much."""
    sunk_m: float = 0.001
    """By how much an object may be in its support."""
    outlier: float = 3.0
    """A pose that is off by so many standard deviations counts for little more than one that is off by less."""
    least_s: float = 0.3
    """Shorter holds tell no grip."""


LEAST_TRACKS = 16
"""Points that are seen tell the object's pose if they are so many."""
ROUNDS = 5
"""How often what is off is weighed anew, ..."""
FIRST = 0.5
"""... and what an object's poses weigh before that, so that the hand tells which of them are off."""
ALIKE = 0.02
"""Moments of inertia that differ by less, over the largest, are those of a body of revolution."""


def hold_rigidly(
    path: ObjectMotion,
    motion: SkeletonMotion,
    held: np.ndarray,
    seen: np.ndarray,
    tracks: np.ndarray,
    known: ScenePrior,
    config: HoldConfig | None = None,
) -> ObjectMotion:
    """The path with poses in the frames of each one-handed hold in which the object keeps its place in the hand.

    Frames in which the object rests, before and after, are no part of it: there a hand may still close, or open. Of a
    body of revolution neither looks nor outlines tell how it turns about its axis: the hand does.

    Args:
        motion: of the human, in the world; it is not changed.
        held: frames (T, 2) bool in which the left and the right hand hold the object.
        seen: frames (T, 2) bool in which the hands are seen.
        tracks: how many of the object's points are seen (T,).
        known: its camera says along what positions are uncertain; no object sinks into its support.
    """
    config = config or HoldConfig()
    hull = trimesh.Trimesh(known.vertices, known.faces).convex_hull
    spins = spin_axis(hull)
    joints, turns = joint_positions(motion), global_rotations(motion.rotations)
    rests = at_rest(path, config)
    positions, rotations, found = path.positions.astype(float), path.rotations.astype(float), path.found.copy()
    for side, hand in enumerate(HAND_BODIES):
        for hold in true_runs(held[:, side] & ~held[:, 1 - side]):
            told = path.found[hold] & seen[hold, side] & ~rests[hold]
            if len(hold) < config.least_s * path.fps or not told.any():
                continue
            wrist = pose_of(joints[hold, hand[0]], turns[hold, hand[0]])
            thing = pose_of(positions[hold], rotations[hold])
            tracked = path.found[hold] & (tracks[hold] >= LEAST_TRACKS)
            shown = np.where(rests[hold], _RESTS, np.where(tracked, _TRACKED, path.found[hold].astype(int)))
            carried = seen[hold, side] & ~rests[hold]
            both = _Hold(thing, wrist, shown, carried, hull.vertices, spins, known, path.fps, config)
            positions[hold], rotations[hold] = _fitted(both)
            found[hold] |= seen[hold, side]
    return replace(path, positions=positions, rotations=rotations, found=found)


def at_rest(path: ObjectMotion, config: HoldConfig) -> np.ndarray:
    """Frames (T,) bool before the object leaves its first place, and from which on it stays at its last."""
    out = np.zeros(path.frames, bool)
    for way in (slice(None), slice(None, None, -1)):
        found = path.found[way]
        if not found.any():
            continue
        position, turn = path.positions[way], path.rotations[way]
        at = int(found.argmax())
        off = np.linalg.norm(position - position[at], axis=1) > config.still_m
        off |= rot.angle_between(turn, turn[at]) > config.still_rad
        gone = off | ~found
        gone[:at] = False
        out[way][: int(gone.argmax()) if gone.any() else path.frames] = True
    return out


def spin_axis(hull: trimesh.Trimesh) -> np.ndarray:
    """The axis (3,) about which a thing may turn without looking otherwise, by its inertia; zeros where it has none."""
    moments, axes = np.linalg.eigh(hull.moment_inertia)
    gaps = np.diff(moments) / moments[-1]
    if gaps.min() > ALIKE:
        return np.zeros(3)
    return axes[:, 2 if gaps[0] < gaps[1] else 0]


_SEEN, _TRACKED, _RESTS = 1, 2, 3


@dataclass(frozen=True, eq=False)
class _Hold:
    """One hold: poses (T, 7) of `thing` and `wrist` as seen; `shown` (T,): whether the object is at rest, seen by
    tracks, seen, or none of these; `seen` (T,): the hand that carries it is; `corners` (C, 3): the object's hull, and
    `spins` (3,) about what it may turn unseen, in its own frame."""

    thing: np.ndarray
    wrist: np.ndarray
    shown: np.ndarray
    seen: np.ndarray
    corners: np.ndarray
    spins: np.ndarray
    known: ScenePrior
    fps: float
    config: HoldConfig

    @property
    def frames(self) -> int:
        return len(self.thing)

    def grip(self) -> np.ndarray:
        """The wrist's usual pose (7,) on the object."""
        both = (self.shown > 0) & self.seen
        on_it = relative(self.thing[both], self.wrist[both])
        return pose_of(np.median(on_it[:, :3], axis=0), rot.mean_rotation(on_it[:, 3:]))


def _fitted(hold: _Hold) -> tuple[np.ndarray, np.ndarray]:
    """The object's positions (T, 3) and rotations (T, 4) in a hold."""
    grip = hold.grip()
    start = np.where(
        hold.shown[:, None] > 0, hold.thing, compose(hold.wrist, inverse(grip))
    )  # else where the hand says
    x = np.zeros(6 + 6 * hold.frames)
    weights = [np.where(hold.shown == _RESTS, 1.0, FIRST)[:, None], np.ones((hold.frames, 1))]
    sparsity = _sparsity(hold.frames)
    for _ in range(ROUNDS):

        def residuals(x: np.ndarray, weights: list[np.ndarray] = weights) -> np.ndarray:
            thing, wrist, *smooth = _off(x, hold, grip, start)
            return np.concatenate([e.ravel() for e in (thing * weights[0], wrist * weights[1], *smooth)])

        x = least_squares(residuals, x, jac_sparsity=sparsity, max_nfev=8, ftol=1e-4).x
        off = _off(x, hold, grip, start)[:2]
        weights = [1 / (1 + (e**2).mean(axis=1, keepdims=True) / hold.config.outlier**2) for e in off]
        weights[0][hold.shown == _RESTS] = 1.0
    _, poses = _posed(x, grip, start)
    return poses[:, :3], poses[:, 3:]


def _posed(x: np.ndarray, grip: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The grip (7,) and the object's poses (T, 7), by `x` (6 + 6 T,), shifts and rotation vectors, off those given."""

    def moved(pose: np.ndarray, step: np.ndarray) -> np.ndarray:
        return pose_of(pose[..., :3] + step[..., :3], rot.quat_mul(rot.quat_exp(step[..., 3:]), pose[..., 3:]))

    return moved(grip, x[:6]), moved(start, x[6:].reshape(-1, 6))


def _off(x: np.ndarray, hold: _Hold, grip: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, ...]:
    """By how many standard deviations the object (T, 6) and the wrist (T, 6) are off what is seen, how much the object
    speeds up (T - 2, 3) and turns faster (T - 2, 3), and how deep it is in its support (T, 1)."""
    config, axes, (grip, thing) = hold.config, hold.known.camera.T_camera_world[:3, :3], _posed(x, grip, start)
    wrist = compose(thing, grip)

    def beside(a: np.ndarray, b: np.ndarray, spins: np.ndarray) -> np.ndarray:
        turned = rot.quat_log(rot.quat_mul(a[:, 3:], rot.quat_conj(b[:, 3:])))
        turned = turned - (turned * spins).sum(axis=1, keepdims=True) * spins
        return np.concatenate([(a[:, :3] - b[:, :3]) @ axes.T, turned @ axes.T], axis=1)

    tracked = hold.shown[:, None] >= _TRACKED
    sd = np.where(tracked, _sd(config.tracked_m, config.tracked_rad), _sd(config.seen_m, config.seen_rad))
    axis = rot.rotate(hold.thing[:, 3:], hold.spins) * (hold.shown[:, None] == _SEEN)
    object_off = beside(thing, hold.thing, axis) / sd * (hold.shown[:, None] > 0)
    wrist_off = beside(wrist, hold.wrist, np.zeros((1, 3))) / _sd(config.hand_m, config.hand_rad) * hold.seen[:, None]
    spin = rot.quat_log(rot.quat_mul(thing[1:, 3:], rot.quat_conj(thing[:-1, 3:])))
    per_frame = hold.fps**-2.0
    faster = np.diff(thing[:, :3], n=2, axis=0) / (config.acceleration * per_frame)
    turning = np.diff(spin, axis=0) / (config.turning * per_frame)
    return object_off, wrist_off, faster, turning, _sunk(thing, hold)[:, None] / config.sunk_m


def _sunk(thing: np.ndarray, hold: _Hold) -> np.ndarray:
    """How far the object at poses (T, 7) is in its support, metres (T,); what is lower than that is beside it."""
    support = hold.known.scene.table.size[2] if hold.known.scene.table else 0.0
    heights = rot.rotate(thing[:, None, 3:], hold.corners)[..., 2] + thing[:, 2:3] - support
    return np.where(heights.mean(axis=1) > 0, np.minimum(heights.min(axis=1), 0.0), 0.0)


def _sd(metres: tuple[float, float], radians: tuple[float, float]) -> np.ndarray:
    return np.array([metres[0], metres[0], metres[1], radians[1], radians[1], radians[0]])


def _sparsity(frames: int) -> spmatrix:
    """Which of `_off`, flattened, depends on which number of `x`."""
    out = lil_matrix((12 * frames + 6 * (frames - 2) + frames, 6 + 6 * frames), dtype=int)
    for t in range(frames):
        own = slice(6 + 6 * t, 12 + 6 * t)
        out[6 * t : 6 * t + 6, own] = 1
        wrist = slice(6 * (frames + t), 6 * (frames + t) + 6)
        out[wrist, own], out[wrist, :6] = 1, 1
        out[t - frames, own] = 1
    for kind in range(2):
        for t in range(frames - 2):
            row = 12 * frames + 3 * (kind * (frames - 2) + t)
            out[row : row + 3, 6 + 6 * t : 6 + 6 * (t + 3)] = 1
    return out
