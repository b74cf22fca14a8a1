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

    `contact_n`: strongest contact of each body of each hand with the object, of the last physics step;
    `contacts`: of each body of the scene's other contact pairs, by the pairs' names.
    `power_w`: joint power over the last control step. `variation`: the object of this environment, as `init` set it.
    """

    qpos: Float[Array, " nq"]
    qvel: Float[Array, " nv"]
    warmstart: Float[Array, " nv"]
    contact_n: Float[Array, "H C"]
    power_w: Float[Array, ""]
    variation: Variation
    contacts: dict[str, Float[Array, " bodies"]] = field(default_factory=dict)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Pose:
    """Configuration of embodiment and object: rotations of the root (world) and of ball joints (local), in the order of
    the bodies, the root's position, the object's pose, and positions of hinges and slides, rad or m.

    A fixed root is where its scene has it, whatever stands here.
    """

    rotation: Float[Array, "R 4"]
    root_position: Float[Array, "3"]
    object: Float[Array, "7"] | None
    scalars: Float[Array, " n"] | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Velocity:
    """Rates of a `Pose`: angular velocities in the bodies' own frames, rad/s; root and object m/s, rad/s."""

    angular: Float[Array, "R 3"]
    root_linear: Float[Array, "3"]
    object: Float[Array, "6"] | None
    scalars: Float[Array, " n"] | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Control:
    """PD targets of one control step, as in a `Pose`; only a pinned root follows the root's."""

    rotation: Float[Array, "R 4"]
    root_position: Float[Array, "3"]
    scalars: Float[Array, " n"] | None = None
