"""A video's frames, and rows of numbers as one `.npz`: what the scripts beside this one share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def extent(path: Path) -> dict[str, np.ndarray]:
    """How many `frames` a video has, and their `size` (width, height): what its rows do not say."""
    pictures = [picture.shape for picture in frames(path)]
    return {"frames": np.array(len(pictures)), "size": np.array(pictures[0][1::-1] if pictures else (0, 0))}


def frames(path: Path) -> Iterator[np.ndarray]:
    """RGB pictures (H, W, 3) uint8, in order."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise SystemExit(f"{path} is no video that OpenCV reads")
    while True:
        good, picture = capture.read()
        if not good:
            break
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    capture.release()


def numpy(value: Any) -> np.ndarray:
    """A tensor or number as an array, bfloat16 as float32."""
    return np.asarray(value.detach().float().cpu() if hasattr(value, "detach") else value)


def save_rows(path: Path, rows: list[dict[str, Any]], shapes: dict[str, tuple[int, ...]], video: Path) -> None:
    """Rows of arrays stacked by name, and the extent of the `video` they are of.

    `shapes` says what is wanted of a row, and what is empty without any.
    """
    columns = {key: [np.reshape(numpy(row[key]), shape) for row in rows] for key, shape in shapes.items()}
    arrays = {key: np.array(column).reshape(-1, *shapes[key]) for key, column in columns.items()}
    save(path, {**arrays, **extent(video)})


def save(path: Path, arrays: dict[str, Any]) -> None:
    """One `.npz`, whole or not at all."""
    part = path.with_name(f".{path.name}.part.npz")
    np.savez(part, **arrays)
    os.replace(part, path)
