"""When each hand holds the object, from 2D tracks alone: DeVI's Algorithm 1 (A.7).

The object moves only if a hand moves it; a hand that moves while the object rests does not hold it.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from devi_jax.core.errors import ConfigError

REFERENCE_DIAGONAL_PX = float(np.hypot(1024, 576))
REFERENCE_FPS = 30.0

Hands = Literal["left", "right", "both", "nearest"]


@dataclass(frozen=True)
class ContactConfig:
    """What Algorithm 1 leaves open."""

    threshold_px: float = 1.5
    """tau: mean displacement that counts as motion, pixels a frame in a 1024 x 576 image at 30 frames a second.

    It has to stay above the tracker's jitter: a standard deviation of s pixels looks like a speed of 1.8 s.
    """
    hands: Hands = "nearest"
    """Who may hold the object: the prompted hand, both, or the hand nearest to it while it moves."""
    latch: bool = False
    """After the first contact all frames are contact (A.9's simpler reading)."""
    median_frames: int = 1
    """Odd width of a median filter over the speeds; 1 is the printed algorithm, 5 forgives one misplaced frame."""
    window_s: float = 0.0
    """Displacement is taken from so many seconds before to as many after: jitter counts less. 0: frame to frame."""
    hand_factor: float = 1.0
    """A hand waves at so many times the object's threshold: it slows down with the object, but not quite as soon."""
    hand_part: float = 0.75
    """With a window, a hand's speed is the one than which this part of its joints is slower: fingers close last."""
    near_px: float = math.inf
    """A hand further than this from what is seen of the object, in a 1024 x 576 image, does not hold it."""

    def validate(self) -> None:
        """Raise `ConfigError` unless threshold and filter width have meaning."""
        if not self.threshold_px > 0:
            raise ConfigError(f"threshold_px is {self.threshold_px}", where="ContactConfig", valid="a positive number")
        if self.median_frames < 1 or self.median_frames % 2 == 0:
            raise ConfigError(f"median_frames is {self.median_frames}", where="ContactConfig", valid="1, 3, 5, ...")
        if not (self.window_s >= 0 and self.hand_factor > 0 and 0 <= self.hand_part <= 1 and self.near_px > 0):
            told = (self.window_s, self.hand_factor, self.hand_part, self.near_px)
            raise ConfigError(
                f"window_s, hand_factor, hand_part, near_px are {', '.join(map(str, told))}",
                where="ContactConfig",
                valid="0 or more, a positive number, 0 to 1, and a positive number",
            )


def estimated() -> ContactConfig:
    """What measured best on tracks and landmarks from video, whose jitter the printed algorithm calls waving.

    In a shorter window jitter makes onsets late; two hands that stop beside a box are said to hold it too early.
    """
    return ContactConfig(threshold_px=0.2, window_s=0.25, hand_factor=3.0, near_px=60.0)


def threshold_px(config: ContactConfig, diagonal_px: float, fps: float) -> float:
    """tau in pixels a frame of a video with this image diagonal and frame rate."""
    return config.threshold_px * (diagonal_px / REFERENCE_DIAGONAL_PX) * (REFERENCE_FPS / fps)


def point_speed(points_px: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Mean displacement of points (T, N, 2) to their place a frame before, pixels, (T,).

    Only points visible (T, N) in both frames count. A frame without any keeps the last speed known, and s_1 := s_2.
    Zero if no point is ever seen in two frames in a row.
    """
    steps = np.linalg.norm(np.diff(points_px, axis=0), axis=-1)
    both = visible[1:] & visible[:-1]
    count = both.sum(axis=1)
    known = np.flatnonzero(count)
    if len(known) == 0:
        return np.zeros(len(points_px))
    means = (steps * both).sum(axis=1) / np.maximum(count, 1)
    last = np.maximum(np.searchsorted(known, np.arange(len(count)), side="right") - 1, 0)
    means = means[known[last]]
    return np.concatenate([means[:1], means])


def net_speed(points_px: np.ndarray, visible: np.ndarray, reach: int, part: float) -> np.ndarray:
    """Speed of points (T, N, 2) in pixels a frame, (T,), over the `reach` frames before and after each.

    The net displacement, so what trembles about a place is still; of the points visible (T, N) at both ends the one
    counts than which `part` of them are slower. Frames without any are interpolated; zero if there are none at all.
    """
    every = np.arange(len(points_px))
    start, end = np.maximum(every - reach, 0), np.minimum(every + reach, len(every) - 1)
    steps = np.linalg.norm(points_px[end] - points_px[start], axis=-1) / np.maximum(end - start, 1)[:, None]
    both = visible[start] & visible[end]
    known = np.flatnonzero(both.any(axis=1))
    if len(known) == 0:
        return np.zeros(len(every))
    return np.interp(every, known, [np.quantile(steps[t, both[t]], part) for t in known])


def label_from_speeds(object_speed: np.ndarray, hand_speed: np.ndarray, tau: float) -> np.ndarray:
    """Algorithm 1 as printed, from speeds (T,) in pixels a frame: True where the hand holds the object, (T,)."""
    moves, waves = object_speed >= tau, hand_speed >= tau
    out = np.zeros(len(moves), dtype=bool)
    for t in range(1, len(out)):
        out[t] = moves[t] or (out[t - 1] and not waves[t])
    for t in range(len(out) - 2, -1, -1):
        out[t] |= out[t + 1] and not moves[t] and not waves[t]
    return out


def gap_px(object_px: np.ndarray, object_visible: np.ndarray, hand_px: np.ndarray) -> np.ndarray:
    """From a hand's joints (T, J, 2) to the points of an object (T, M, 2), the least distance in each frame, (T,).

    Only visible (T, M) points count; frames without any are interpolated, and zero if there are none at all.
    """
    known = np.flatnonzero(object_visible.any(axis=1))
    if len(known) == 0:
        return np.zeros(len(object_px))
    every = [np.linalg.norm(hand_px[t, :, None] - object_px[t, object_visible[t]], axis=-1).min() for t in known]
    return np.interp(np.arange(len(object_px)), known, every)


def contact_labels(
    object_px: np.ndarray,
    object_visible: np.ndarray,
    hands_px: np.ndarray,
    diagonal_px: float,
    fps: float,
    config: ContactConfig | None = None,
) -> np.ndarray:
    """psi (T, 2), left and right: 1.0 where the hand holds the object.

    Args:
        object_px: object points (T, M, 2), pixels.
        object_visible: (T, M) bool.
        hands_px: J joints of the left and of the right hand (T, 2, J, 2), pixels.
        diagonal_px: image diagonal.
        fps: frames a second.
        config: what the algorithm leaves open.

    Raises:
        ConfigError: the configuration has no meaning.
    """
    config = config or ContactConfig()
    config.validate()
    tau, near = threshold_px(config, diagonal_px, fps), config.near_px * diagonal_px / REFERENCE_DIAGONAL_PX
    object_speed = _speed(object_px, object_visible, 0.5, fps, config)
    seen = np.ones(hands_px.shape[:1] + hands_px.shape[2:3], dtype=bool)
    out = np.zeros((len(object_px), 2))
    for side in _holders(config.hands, object_px, object_visible, hands_px, object_speed >= tau):
        hand_speed = _speed(hands_px[:, side], seen, config.hand_part, fps, config) / config.hand_factor
        held = label_from_speeds(object_speed, hand_speed, tau)
        if np.isfinite(config.near_px):
            held &= gap_px(object_px, object_visible, hands_px[:, side]) <= near
        out[:, side] = np.maximum.accumulate(held) if config.latch else held
    return out


def _holders(
    hands: Hands, object_px: np.ndarray, object_visible: np.ndarray, hands_px: np.ndarray, moving: np.ndarray
) -> tuple[int, ...]:
    """Sides (0 left, 1 right) that may hold the object; the nearest is the one whose joints come closest on average."""
    if hands != "nearest":
        return {"left": (0,), "right": (1,), "both": (0, 1)}[hands]
    frames = np.flatnonzero(moving & object_visible.any(axis=1))
    if len(frames) == 0:
        return ()
    gaps = np.zeros(2)
    for t in frames:
        points = object_px[t, object_visible[t]]
        gaps += np.linalg.norm(hands_px[t, :, :, None] - points, axis=-1).min(axis=-1).mean(axis=-1)
    return (int(np.argmin(gaps)),)


def _speed(points: np.ndarray, visible: np.ndarray, part: float, fps: float, config: ContactConfig) -> np.ndarray:
    reach = round(config.window_s * fps)
    speed = net_speed(points, visible, reach, part) if reach else point_speed(points, visible)
    return _median(speed, config.median_frames)


def _median(speed: np.ndarray, width: int) -> np.ndarray:
    padded = np.pad(speed, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=-1)
