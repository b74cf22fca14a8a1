"""What is known of a video before it is looked at: the scene that its first frame shows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.scene import SceneSpec
from perception.contracts.hand import Side
from perception.human.evidence import FirstPose

SPACING_M, SPACING_PART = 0.01, 1 / 40
"""Points of a surface lie this near to each other, or by this part of the thing's largest extent if that is more."""


Person = Literal["whole", "hands"]
"""What of the person the film shows: the whole of it, as the scene has it in the first frame, or hands alone."""


@dataclass(frozen=True, eq=False)
class ScenePrior:
    """The scene in numbers.

    `vertices` (V, 3) metres, `faces` (F, 3): the object in its own frame; `object_start` (7,): where it is at first.
    `inside` (height, width) bool: pixels that show it then. `hands`: those that the prompt has touch it, none if it
    does not say. `object_name`: what the scene calls it. `person`: where it is hands alone, `first` is invented.
    """

    camera: Camera
    scene: SceneSpec
    first: FirstPose
    vertices: np.ndarray
    faces: np.ndarray
    object_start: np.ndarray
    inside: np.ndarray
    hands: tuple[Side, ...] = ()
    object_name: str = ""
    person: Person = "whole"

    @cached_property
    def points(self) -> np.ndarray:
        """The object's vertices and then points between them all over its faces, (P, 3), in its own frame."""
        extent = float(np.ptp(self.vertices, axis=0).max())
        spacing = max(SPACING_M, SPACING_PART * extent)
        return np.concatenate([self.vertices, surface_lattice(self.vertices, self.faces, spacing)])

    @property
    def points_world(self) -> np.ndarray:
        """`points` where the object starts, (P, 3) metres."""
        turn = np.broadcast_to(self.object_start[3:], (len(self.points), 4))
        return rot.rotate(turn, self.points) + self.object_start[:3]

    @property
    def ground(self) -> np.ndarray:
        """The plane (4,) on which things are, table or floor, in the camera's frame: n x + d is a point's height."""
        height = self.scene.table.size[2] if self.scene.table else 0.0
        T = self.camera.T_camera_world
        return np.array([*T[:3, 2], -(height + T[:3, 2] @ T[:3, 3])])

    @property
    def joints_world(self) -> np.ndarray:
        """Joints of the human in the first frame, (52, 3) metres."""
        return forward_kinematics(self.first.rotations[None], self.first.root[None], self.first.offsets)[0]


def surface_lattice(vertices: np.ndarray, faces: np.ndarray, spacing_m: float) -> np.ndarray:
    """Points (P, 3) on faces whose edges are longer than `spacing_m`: a lattice that wide on each, corners left out."""
    out = [np.zeros((0, 3))]
    for corners in vertices[faces]:
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=-1).max()
        n = int(np.ceil(longest / spacing_m))
        i, j = (k.reshape(-1) for k in np.mgrid[: n + 1, : n + 1])
        weight = np.stack([i, j, n - i - j], axis=-1)[i + j <= n]
        out.append(weight[weight.max(axis=1) < n] @ corners / n)
    points = np.concatenate(out)
    _, first = np.unique(points.round(6), axis=0, return_index=True)  # edges are shared
    return points[np.sort(first)]
