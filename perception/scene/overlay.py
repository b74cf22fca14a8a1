"""The scene laid over the film's first frame, so that a person sees at once whether it is right."""

import cv2
import numpy as np

from devi_jax.core.camera import Camera, project
from perception.object_tracks.visible import outline

GRID_M, GRID_REACH_M = 0.05, 0.25
THING, GRID, SEEN = (60, 255, 90), (255, 200, 60), (255, 60, 200)


def draw_scene(
    image: np.ndarray, camera: Camera, vertices: np.ndarray, faces: np.ndarray, foot: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """The picture (H, W, 3) uint8 with the thing's outline (green), its pixels (pink) and its support's 5 cm grid.

    Args:
        vertices, faces: the thing in the world (V, 3), metres, and (F, 3).
        foot: the middle of its foot in the world (3,).
        mask: its pixels (H, W) bool.
    """
    out = np.ascontiguousarray(image).copy()
    width = max(1, image.shape[1] // 640)
    steps = np.arange(-GRID_REACH_M, GRID_REACH_M + 1e-6, GRID_M)
    for k in steps:
        for ends in ([[k, -GRID_REACH_M], [k, GRID_REACH_M]], [[-GRID_REACH_M, k], [GRID_REACH_M, k]]):
            world = foot + np.pad(np.array(ends), ((0, 0), (0, 1)))
            px, depth = project(world, camera.K, camera.T_camera_world)
            if depth.min() > 0.05:
                start, end = np.round(px).astype(int).tolist()
                cv2.line(out, start, end, GRID, width, cv2.LINE_AA)
    for pixels, colour in ((mask, SEEN), (outline(vertices, faces, camera), THING)):
        edge, _ = cv2.findContours(pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, edge, -1, colour, 2 * width, cv2.LINE_AA)
    return out
