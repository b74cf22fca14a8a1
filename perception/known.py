"""What is known of a video before it is looked at: the scene that its first frame shows."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.scene import SceneSpec
from perception.align.evidence import FirstPose
from perception.intent import Side


@dataclass(frozen=True, eq=False)
class Known:
    """The scene in numbers.

    `vertices` (V, 3) metres, `faces` (F, 3): the object in its own frame; `object_start` (7,): where it is at first.
    `inside` (height, width) bool: pixels that show it then. `hands`: those that the prompt has touch it, none if it
    does not say.
    """

    camera: Camera
    scene: SceneSpec
    first: FirstPose
    vertices: np.ndarray
    faces: np.ndarray
    object_start: np.ndarray
    inside: np.ndarray
    hands: tuple[Side, ...] = ()

    @property
    def vertices_world(self) -> np.ndarray:
        """The object's vertices where it starts, (V, 3) metres."""
        turn = np.broadcast_to(self.object_start[3:], (len(self.vertices), 4))
        return rot.rotate(turn, self.vertices) + self.object_start[:3]

    @property
    def joints_world(self) -> np.ndarray:
        """Joints of the human in the first frame, (52, 3) metres."""
        return forward_kinematics(self.first.rotations[None], self.first.root[None], self.first.offsets)[0]
