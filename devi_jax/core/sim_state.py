"""What the simulation shows (`SimState`) and what should be imitated (`ReferenceState`), engine-neutral, as pytrees.

A reward term, an observation or a metric sees only these two. Shapes are of one environment; `vmap` adds the batch.
"""

from dataclasses import dataclass, field

import jax
from jaxtyping import Array, Bool, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SimState:
    """State of the simulated embodiment and object at one instant. World axes; metres, seconds, newtons, watts.

    B bodies, E end effectors (`tips`) and H hands of C bodies are in the embodiment's order; a human's 52, 10, 2 and 16
    in that of `skeleton.JOINTS`, `TIPS` and `HAND_BODIES`. `contact_n` is the largest contact force between each hand
    body and the object; `contacts`: of the scene's other contact pairs, by name. Object fields are `None` in a scene
    without object, `scalars` and `scalar_rates` (rad or m, by hinge or slide) in a body without such joints.
    Accelerations are of the last step, of which there are `step_hz` a second: of root and ball joints relative to their
    parents in their own frames, and of the object in world axes, linear and angular; `None` in a frame that no step led
    to.
    """

    position: Float[Array, "B 3"]
    rotation: Float[Array, "B 4"]
    linear_velocity: Float[Array, "B 3"]
    angular_velocity: Float[Array, "B 3"]
    tips: Float[Array, "E 3"]
    contact_n: Float[Array, "H C"]
    power_w: Float[Array, ""]
    object_position: Float[Array, "3"] | None
    object_rotation: Float[Array, "4"] | None
    object_linear_velocity: Float[Array, "3"] | None
    object_angular_velocity: Float[Array, "3"] | None
    joint_acceleration: Float[Array, "R 3"] | None = None
    object_acceleration: Float[Array, "2 3"] | None = None
    step_hz: Float[Array, ""] | None = None
    scalars: Float[Array, " n"] | None = None
    scalar_rates: Float[Array, " n"] | None = None
    contacts: dict[str, Float[Array, " bodies"]] = field(default_factory=dict)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CameraParams:
    """A camera as a pytree: `K` (3, 3) pixels, `T_camera_world` (4, 4) metres, image diagonal in pixels."""

    K: Float[Array, "3 3"]
    T_camera_world: Float[Array, "4 4"]
    diagonal_px: Float[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ReferenceState:
    """The clip at one instant: embodiment in 3D, object as M 2D points, contact labels psi per hand.

    The object's pose and velocity, `object_distance` of each joint from its surface, and `second_view`, a camera that
    looks across the first one, exist only for clips with 6-DoF poses; DeVI's rewards never read them. Absent modalities
    are `None`.
    """

    position: Float[Array, "B 3"]
    rotation: Float[Array, "B 4"]
    linear_velocity: Float[Array, "B 3"]
    angular_velocity: Float[Array, "B 3"]
    tips: Float[Array, "E 3"]
    contact: Float[Array, " H"]
    points_px: Float[Array, "M 2"] | None
    visible: Bool[Array, " M"] | None
    points_object: Float[Array, "M 3"] | None
    view: CameraParams | None
    object_position: Float[Array, "3"] | None
    object_rotation: Float[Array, "4"] | None
    object_linear_velocity: Float[Array, "3"] | None = None
    object_distance: Float[Array, " B"] | None = None
    scalars: Float[Array, " n"] | None = None
    second_view: CameraParams | None = None
