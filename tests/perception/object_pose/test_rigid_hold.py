"""A hand and what it holds, seen with errors, are one rigid body."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from devi_jax.core import rotations as rot
from devi_jax.core.camera import look_at
from devi_jax.core.clip import global_rotations
from devi_jax.core.scene import SceneSpec, Table
from devi_jax.core.skeleton import HAND_BODIES
from perception.contracts import ObjectMotion, Origin
from perception.human.evidence import FirstPose
from perception.human.motion import SkeletonMotion, joint_positions
from perception.human.scene_prior import ScenePrior
from perception.object_pose.rigid_hold import HoldConfig, at_rest, hold_rigidly, spin_axis

FRAMES, FPS, TABLE = 60, 30.0, 0.7
MOVES, STOPS = 15, 45
"""The hand holds the object from frame 10 to 50, and moves it from the first of these to the second."""
CUP = trimesh.creation.revolve(np.array([[0, 0], [0.033, 0], [0.045, 0.15], [0, 0.15]]), sections=24)
UPRIGHT = np.array([1.0, 0, 0, 0])
RIGHT = HAND_BODIES[1][0]


@pytest.fixture
def motion() -> SkeletonMotion:
    """A T-posed human that turns and rises, and so its right hand; first and last it stands still."""
    part = np.clip((np.arange(FRAMES) - MOVES) / (STOPS - MOVES), 0, 1)[:, None]
    part = part**3 * (10 - 15 * part + 6 * part**2)
    rotations = np.zeros((FRAMES, 52, 4))
    rotations[..., 0] = 1
    rotations[:, 0] = rot.quat_exp(part * [0.3, 0.0, 0.6])
    root = np.array([0, 0, 1.0]) + part * [0.1, -0.05, 0.15]
    return SkeletonMotion(FPS, rotations, root, np.tile([0.1, 0.02, 0.0], (52, 1)))


def wrists(motion: SkeletonMotion) -> tuple[np.ndarray, np.ndarray]:
    return joint_positions(motion)[:, RIGHT], global_rotations(motion.rotations)[:, RIGHT]


def carried(motion: SkeletonMotion) -> ObjectMotion:
    """The cup, upright at first, 6 cm before the wrist throughout."""
    at, turn = wrists(motion)
    turned = rot.quat_mul(turn, rot.quat_conj(turn[0]))
    place = at + rot.rotate(turned, np.tile([0.02, 0.05, -0.08], (FRAMES, 1)))
    origin = Origin("test", "", {})
    return ObjectMotion(
        fps=FPS, size_px=(640, 480), origin=origin, positions=place, rotations=turned, found=np.ones(FRAMES, bool)
    )


def scene(motion: SkeletonMotion, table: float = TABLE) -> ScenePrior:
    start = carried(motion)
    view = look_at(start.positions[0] + [0.3, 0.5, 0.3], start.positions[0], 500.0)
    first = FirstPose(motion.rotations[0], motion.root[0], motion.offsets)
    pose = np.concatenate([start.positions[0], start.rotations[0]])
    spec = SceneSpec(table=Table(size=(1.0, 1.0, table)))
    inside = np.zeros((view.height, view.width), bool)
    return ScenePrior(view, spec, first, np.asarray(CUP.vertices), np.asarray(CUP.faces), pose, inside)


def held(sides: tuple[int, ...] = (1,)) -> np.ndarray:
    out = np.zeros((FRAMES, 2), bool)
    for side in sides:
        out[10:50, side] = True
    return out


def seen_wrong(path: ObjectMotion, motion: SkeletonMotion, rng: np.random.Generator) -> ObjectMotion:
    """The path with errors of depth and tilt, three poses far off, and a spin that wanders."""
    axes = scene(motion).camera.T_camera_world[:3, :3]
    off = rng.normal(0, [0.001, 0.001, 0.008], (FRAMES, 3)) @ axes
    tilt = rng.normal(0, [0.06, 0.06, 0.01], (FRAMES, 3)) @ axes
    moves = (np.arange(FRAMES) > MOVES) & (np.arange(FRAMES) < STOPS)
    off[[25, 26, 34]] += [0.0, 0.03, 0.03]
    tilt[[25, 26, 34]] += [0.4, 0.0, 0.0]
    spin = rot.quat_exp(np.linspace(0, 0.5, FRAMES)[:, None] * [0, 0, 1.0])
    turned = rot.quat_mul(rot.quat_exp(tilt), rot.quat_mul(path.rotations, spin))
    return replace(
        path,
        positions=np.where(moves[:, None], path.positions + off, path.positions),
        rotations=np.where(moves[:, None], turned, path.rotations),
    )


def errors(path: ObjectMotion, true: ObjectMotion) -> tuple[np.ndarray, np.ndarray]:
    """Metres, and how far the cups' axes are apart (T,), radians."""
    axes = [rot.rotate(p.rotations, np.tile([0, 0, 1.0], (FRAMES, 1))) for p in (path, true)]
    apart = np.arccos(np.clip((axes[0] * axes[1]).sum(axis=1), -1, 1))
    return np.linalg.norm(path.positions - true.positions, axis=1), apart


NO_TRACKS, SEEN = np.zeros(FRAMES, int), np.ones((FRAMES, 2), bool)


def test_what_is_seen_wrong_is_put_right_by_the_hand_that_holds_it(motion, rng):
    true = carried(motion)
    wrong = seen_wrong(true, motion, rng)
    out = hold_rigidly(wrong, motion, held(), SEEN, NO_TRACKS, scene(motion))
    before, after = errors(wrong, true), errors(out, true)
    assert [np.percentile(e[16:45], 90) for e in before] > [0.015, 0.1]
    assert np.percentile(after[0][16:45], 90) < 0.5 * np.percentile(before[0][16:45], 90)
    assert after[0].max() < 0.012 and after[1].max() < 0.12
    at, turn = wrists(motion)
    place = rot.rotate_inverse(out.rotations, at - out.positions)[16:45]
    was = rot.rotate_inverse(wrong.rotations, at - wrong.positions)[16:45]
    assert np.linalg.norm(place.std(axis=0)) < 0.5 * np.linalg.norm(was.std(axis=0))
    np.testing.assert_array_equal(out.positions[:10], wrong.positions[:10])
    np.testing.assert_array_equal(out.positions[50:], wrong.positions[50:])
    assert errors(out, true)[0][[10, 12, 14, 46, 49]].max() < 1e-3  # at rest


def test_a_gap_is_bridged_by_the_hand_and_only_where_that_is_seen(motion):
    true = carried(motion)
    gap = np.arange(22, 40)
    lost = replace(true, found=~np.isin(np.arange(FRAMES), gap))
    lost.positions[gap] = 9.0
    hand = SEEN.copy()
    hand[30:] = False
    out = hold_rigidly(lost, motion, held(), hand, NO_TRACKS, scene(motion))
    assert out.found[:30].all() and not out.found[30:40].any()
    assert np.linalg.norm(out.positions - carried(motion).positions, axis=1)[22:30].max() < 0.01


def test_nothing_sinks_into_its_support(motion):
    true = carried(motion)
    table = float(true.positions[0, 2])
    low = true.positions.copy()
    low[18:22, 2] = table - 0.006
    out = hold_rigidly(replace(true, positions=low), motion, held(), SEEN, NO_TRACKS, scene(motion, table))
    corners = np.asarray(CUP.vertices)
    lowest = [
        rot.rotate(np.tile(q, (len(corners), 1)), corners)[:, 2].min() + p[2]
        for p, q in zip(out.positions, out.rotations, strict=True)
    ]
    assert min(lowest) > table - 0.0015


@pytest.mark.parametrize("why", ["two hands", "short", "never seen together"])
def test_what_tells_no_grip_stays_as_it_was(motion, rng, why):
    wrong = seen_wrong(carried(motion), motion, rng)
    hold, seen = held((0, 1) if why == "two hands" else (1,)), SEEN
    if why == "short":
        hold[:20] = hold[25:] = False
    if why == "never seen together":
        seen = ~SEEN
    out = hold_rigidly(wrong, motion, hold, seen, NO_TRACKS, scene(motion))
    np.testing.assert_array_equal(out.positions, wrong.positions)


def test_rest_ends_where_the_object_leaves_and_begins_where_it_stays(motion):
    rests = at_rest(carried(motion), HoldConfig())
    assert rests[:MOVES].all() and rests[STOPS:].all() and not rests[MOVES + 8 : STOPS - 8].any()


def test_bodies_of_revolution_spin_about_their_axis_and_others_about_none():
    tilted = trimesh.transformations.rotation_matrix(0.7, [1, 0, 0])
    axis = spin_axis(CUP.copy().apply_transform(tilted))
    assert abs(axis @ tilted[:3, 2]) == pytest.approx(1, abs=1e-3)
    assert (spin_axis(trimesh.creation.box((0.1, 0.15, 0.3))) == 0).all()
    flat = spin_axis(trimesh.creation.cylinder(0.1, 0.02))
    assert abs(flat[2]) == pytest.approx(1, abs=1e-3)
