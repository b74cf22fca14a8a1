"""One scene for all engines: floor, table, embodiment, object, props, and contact sensors of the declared pairs."""

from dataclasses import dataclass, field, replace

import mujoco
import numpy as np

from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import ObjectSpec, SceneSpec
from envs.embodiments import Embodiment
from envs.embodiments.collision_bits import FLOOR, TABLE
from envs.embodiments.human import Human
from envs.physics.contact_sensors import ContactPair, add_contact_sensors, hands_on_object
from envs.physics.solver import Settings
from envs.scenes.objects import add_prop, add_shelf


@dataclass(frozen=True)
class Scene:
    """What is simulated.

    `embodiment`: who acts. `shelf`: things that may be there in place of `spec.object`; `Variation.thing` says which
    is. `contacts`: who feels what, beside the hands the object.
    """

    spec: SceneSpec = SceneSpec()
    embodiment: Embodiment = field(default_factory=Human)
    shelf: tuple[ObjectSpec, ...] = ()
    contacts: tuple[ContactPair, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a shelf beside no object, and for hands of different sizes."""
        if len(sizes := {len(hand) for hand in self.embodiment.hands}) > 1:
            raise ConfigError(
                f"the hands of the {self.embodiment.name} have {sorted(sizes)} bodies",
                where="embodiment.hands",
                valid="hands of one size",
            )
        if self.shelf and self.spec.object is None:
            raise ConfigError("a shelf of things stands in a scene without object", where="shelf", valid="an object")

    @property
    def things(self) -> tuple[ObjectSpec, ...]:
        """All things of which one is the object: the scene's own, and those of the shelf."""
        return () if self.spec.object is None else (self.spec.object, *self.shelf)

    @property
    def pairs(self) -> tuple[ContactPair, ...]:
        """All contact pairs: the hands', which feel the object, and the others."""
        return hands_on_object(self.embodiment.hands), *self.contacts

    def only(self, thing: int) -> "Scene":
        """The scene of one thing alone, in the same coordinates."""
        return replace(self, spec=replace(self.spec, object=self.things[thing]), shelf=()) if self.things else self


def build_spec(scene: Scene, settings: Settings, present: int = 0) -> mujoco.MjSpec:
    """The scene as an `MjSpec` with one engine's solver settings; of a shelf, with the mass of thing `present`."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    _set_options(spec.option, settings)
    _add_surroundings(spec, scene.spec)
    scene.embodiment.add_to(spec)
    if scene.things:
        add_shelf(spec, scene.things, present, settings.can_sides)
    for prop in scene.spec.props:
        add_prop(spec, prop, settings.can_sides)
    add_contact_sensors(spec, scene.pairs, settings.sensor_per_part)
    for mesh in spec.meshes if settings.hull_vertices else ():
        mesh.maxhullvert = settings.hull_vertices
    return spec


def _set_options(option, settings: Settings) -> None:
    option.timestep = settings.timestep_s
    option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{settings.integrator.upper()}")
    option.solver = getattr(mujoco.mjtSolver, f"mjSOL_{settings.solver.upper()}")
    option.cone = getattr(mujoco.mjtCone, f"mjCONE_{settings.cone.upper()}")
    option.iterations, option.ls_iterations = settings.iterations, settings.ls_iterations
    option.impratio = settings.impratio


def _add_surroundings(spec: mujoco.MjSpec, scene: SceneSpec) -> None:
    kind = mujoco.mjtGeom
    world = spec.worldbody
    spec.visual.headlight.ambient = [0.4, 0.4, 0.4]
    spec.visual.headlight.diffuse = [0.35, 0.35, 0.35]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        width=256,
        height=256,
        rgb1=[0.86, 0.87, 0.88],
        rgb2=[0.74, 0.76, 0.78],
    )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        width=64,
        height=64,
        rgb1=[0.93, 0.95, 0.97],
        rgb2=[0.80, 0.84, 0.88],
    )
    material = spec.add_material(name="floor", texrepeat=[1, 1], texuniform=True)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    world.add_light(pos=[1.5, 2.5, 4.0], dir=[-0.35, -0.6, -1.0], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    world.add_geom(
        name="floor",
        type=kind.mjGEOM_PLANE,
        size=[20, 20, 0.1],
        contype=FLOOR,
        conaffinity=0,
        condim=3,
        friction=[1.0, 0.005, 0.0001],
        material="floor",
    )
    if scene.table is not None:
        x, y = scene.table.centre
        half = np.array(scene.table.size) / 2
        world.add_geom(
            name="table",
            type=kind.mjGEOM_BOX,
            pos=[x, y, half[2]],
            size=half,
            contype=TABLE,
            conaffinity=0,
            condim=4,
            friction=[0.8, 0.01, 0.0001],
            solref=[0.01, 1.0],
            solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
            rgba=[0.62, 0.47, 0.33, 1.0],
        )
