"""One sound estimate of each kind, small, with known geometry."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from perception.contracts import BodyMotion, Depth, Estimate, HandMotion, Masks, ObjectMotion, Origin, PointTracks

T, WIDTH, HEIGHT = 4, 64, 48
K = np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]])
SHARED = {"fps": 24.0, "size_px": (WIDTH, HEIGHT), "origin": Origin("test", "CC0-1.0", {"seed": 3, "notes": ["a", 1]})}


def project(points: np.ndarray) -> np.ndarray:
    """Pixels and full confidence of camera points (..., 3)."""
    pixels = points @ K.T
    return np.concatenate([pixels[..., :2] / pixels[..., 2:], np.ones((*points.shape[:-1], 1))], axis=-1)


def hand(side: str = "left") -> HandMotion:
    """A hand of 20 cm, a metre away, turning; its third frame is not seen and holds no numbers."""
    rng = np.random.default_rng(5)
    rest = rng.uniform(-0.1, 0.1, (21, 3))
    turns = rng.normal(size=(T, 3))
    turned = rot.rotate(rot.quat_exp(turns)[:, None], np.broadcast_to(rest, (T, 21, 3)))
    joints = turned + np.array([0.1, -0.05, 1.0])
    valid = np.array([True, True, False, True])
    joints[2] = np.nan
    return HandMotion(
        side=side,  # pyright: ignore[reportArgumentType]
        valid=valid,
        global_orient=np.where(valid[:, None], turns, np.nan),
        hand_pose=rng.normal(size=(T, 15, 3)) * 0.4,
        joints2d=project(joints),
        joints3d=joints,
        betas=np.zeros(10),
        K_used=K,
        **SHARED,
    )


def body() -> BodyMotion:
    """A person three metres away."""
    rng = np.random.default_rng(6)
    return BodyMotion(
        frame="camera",
        global_orient=rng.normal(size=(T, 3)),
        body_pose=rng.normal(size=(T, 21, 3)) * 0.5,
        transl=np.array([0.0, 0.2, 3.0]) + 0.1 * rng.normal(size=(T, 3)),
        betas=rng.normal(size=10),
        rest_pelvis=np.array([0.0, -0.35, 0.0]),
        valid=np.ones(T, bool),
        K_used=K,
        joints2d=rng.uniform(0, 48, (T, 2, 3)),
        joint_names=("nose", "left_wrist"),
        **SHARED,
    )


def points() -> PointTracks:
    """Three points, one hidden at the end."""
    rng = np.random.default_rng(7)
    visible = np.ones((T, 3), bool)
    visible[-1, 2] = False
    return PointTracks(
        xy=rng.uniform(0, 40, (T, 3, 2)).astype(np.float32),
        visible=visible,
        conf=rng.uniform(0, 1, (T, 3)).astype(np.float32),
        query_t=np.array([0, 0, 1], np.int32),
        vertex_id=np.array([7, -1, 9], np.int32),
        xyz=rng.normal(size=(T, 3, 3)).astype(np.float32),
        scale="relative",
        **SHARED,
    )


def masks() -> Masks:
    """Two things."""
    rng = np.random.default_rng(8)
    return Masks(
        masks=rng.random((T, 2, HEIGHT, WIDTH)) < 0.3,
        ids=np.array([4, 2], np.int64),
        scores=rng.random((T, 2)).astype(np.float32),
        labels=("can", "a person"),
        **SHARED,
    )


def depth() -> Depth:
    """Half the picture's size, with holes."""
    rng = np.random.default_rng(9)
    seen = rng.random((T, HEIGHT // 2, WIDTH // 2)) < 0.9
    values = np.where(seen, rng.uniform(0.5, 4, seen.shape), 0.0).astype(np.float32)
    return Depth(depth=values, valid=seen, kind="metric", **SHARED)


def thing() -> ObjectMotion:
    """A thing that turns as it rises, not found in its third frame."""
    rng = np.random.default_rng(10)
    return ObjectMotion(
        positions=np.array([0.1, 0.4, 0.9]) + np.arange(T)[:, None] * [0.0, 0.0, 0.02],
        rotations=rot.quat_exp(rng.normal(size=(T, 3))),
        found=np.array([True, True, False, True]),
        **SHARED,
    )


SOUND = (body, hand, points, masks, depth, thing)


@pytest.fixture(params=SOUND, ids=lambda make: make.__name__)
def estimate(request) -> Estimate:
    """Each kind of estimate in turn."""
    return request.param()
