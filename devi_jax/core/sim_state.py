"""What the simulation shows (`SimState`) and what should be imitated (`ReferenceState`), engine-neutral, as pytrees.

A reward term, an observation or a metric sees only these two. Shapes are of one environment; `vmap` adds the batch.
"""

from dataclasses import dataclass, field

import jax
from jaxtyping import Array, Bool, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SimState:
    """State of the simulated human and object at one instant. World axes; metres, seconds, newtons, watts.

    Joints are in the order of `skeleton.JOINTS`, fingertips in that of `skeleton.TIPS`. `contact_n` is the largest
    contact force between each hand body and the object; `contacts`: of the scene's other contact pairs, by name. Object
    fields are `None` in a scene without object.
    Accelerations are of the last control step: of the joints relative to their parents in their own frames, and of the
    object in world axes, linear and angular; `None` in a frame that no step led to.
    """

    position: Float[Array, "52 3"]
    rotation: Float[Array, "52 4"]
    linear_velocity: Float[Array, "52 3"]
    angular_velocity: Float[Array, "52 3"]
    tips: Float[Array, "10 3"]
    contact_n: Float[Array, "2 16"]
    power_w: Float[Array, ""]
    object_position: Float[Array, "3"] | None
    object_rotation: Float[Array, "4"] | None
    object_linear_velocity: Float[Array, "3"] | None
    object_angular_velocity: Float[Array, "3"] | None
    joint_acceleration: Float[Array, "52 3"] | None = None
    object_acceleration: Float[Array, "2 3"] | None = None
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
    """The clip at one instant: human in 3D, object as M 2D points, contact labels psi per hand (left, right).

    The object's pose and velocity, and `object_distance` of each joint from its surface, exist only for clips with
    6-DoF poses; DeVI's rewards never read them. Absent modalities are `None`.
    """

    position: Float[Array, "52 3"]
    rotation: Float[Array, "52 4"]
    linear_velocity: Float[Array, "52 3"]
    angular_velocity: Float[Array, "52 3"]
    tips: Float[Array, "10 3"]
    contact: Float[Array, "2"]
    points_px: Float[Array, "M 2"] | None
    visible: Bool[Array, " M"] | None
    points_object: Float[Array, "M 3"] | None
    view: CameraParams | None
    object_position: Float[Array, "3"] | None
    object_rotation: Float[Array, "4"] | None
    object_linear_velocity: Float[Array, "3"] | None = None
    object_distance: Float[Array, "52"] | None = None
