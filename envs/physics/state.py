"""The simulated state, engine-neutral: enough to go on in any engine, and nothing else."""

from dataclasses import dataclass, field

import jax
from jaxtyping import Array, Float, Int


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Variation:
    """One environment's object: factors of mass (and inertia) and of sliding friction, and which thing of the shelf it
    is, where `None` is the scene's own, 0."""

    mass: Float[Array, ""] | float = 1.0
    friction: Float[Array, ""] | float = 1.0
    thing: Int[Array, ""] | int | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PhysicsState:
    """Generalised coordinates as MuJoCo has them (`envs.physics.layout` says what is where), warm start, and readings.

    `contact_n`: strongest contact of each hand body with the object (left, right), of the last physics step;
    `contacts`: of each body of the scene's other contact pairs, by the pairs' names.
    `power_w`: joint power over the last control step. `variation`: the object of this environment, as `init` set it.
    """

    qpos: Float[Array, " nq"]
    qvel: Float[Array, " nv"]
    warmstart: Float[Array, " nv"]
    contact_n: Float[Array, "2 16"]
    power_w: Float[Array, ""]
    variation: Variation
    contacts: dict[str, Float[Array, " bodies"]] = field(default_factory=dict)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Pose:
    """Configuration of human and object: local joint rotations (pelvis: world), root position, object pose."""

    rotation: Float[Array, "52 4"]
    root_position: Float[Array, "3"]
    object: Float[Array, "7"] | None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Velocity:
    """Rates of a `Pose`: joint angular velocities in the joints' own frames, rad/s; root and object m/s, rad/s."""

    angular: Float[Array, "52 3"]
    root_linear: Float[Array, "3"]
    object: Float[Array, "6"] | None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Control:
    """PD targets of one control step: local joint rotations; a pinned root also follows the root's."""

    rotation: Float[Array, "52 4"]
    root_position: Float[Array, "3"]
