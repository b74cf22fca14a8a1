"""Physics as pure functions `init`, `step`, `read`, whichever engine runs them: the only place that knows an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import SimState
from envs.embodiments import JointTable, joint_table
from envs.physics import kinematics, pd
from envs.physics.contact_sensors import HANDS, no_forces, read_forces, sensor_places
from envs.physics.engine import Advance, Coordinates
from envs.physics.engines.mjx import advance_mjx
from envs.physics.engines.mujoco_c import advance_c
from envs.physics.layout import Layout, make_layout
from envs.physics.scene_model import Scene, build_spec
from envs.physics.shelf import shelf_models
from envs.physics.solver import SETTINGS, EngineName, Settings, at_rate
from envs.physics.state import Control, PhysicsState, Pose, Variation, Velocity
from envs.physics.timing import Timing
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME


@dataclass(frozen=True, eq=False)
class Physics:
    """A compiled scene on one engine. Functions are of a single environment; `vmap` adds the batch.

    `models`: with each thing of the shelf present, of which there is mostly one; in all of them every thing's geoms are
    there, in the same place. `sensors`: where the forces of each contact pair are in the sensor data.
    """

    scene: Scene
    engine: EngineName
    settings: Settings
    models: tuple[mujoco.MjModel, ...]
    timing: Timing
    advance: Advance
    layout: Layout
    sensors: Mapping[str, np.ndarray]

    @property
    def model(self) -> mujoco.MjModel:
        """The scene with its own object, the first thing."""
        return self.models[0]

    def model_of(self, thing: int) -> mujoco.MjModel:
        """The scene with one thing alone, in the same coordinates: for pictures, where a shelf's would show all."""
        return build_spec(self.scene.only(thing), self.settings).compile() if self.scene.shelf else self.model

    @property
    def joints(self) -> JointTable:
        """The joints of the embodiment as arrays."""
        return joint_table(self.scene.embodiment.joints)

    @property
    def substeps(self) -> int:
        """Physics steps of a control step."""
        return self.timing.substeps(self.settings.physics_hz)

    @property
    def has_object(self) -> bool:
        """Whether the scene holds an object."""
        return self.scene.spec.object is not None

    def init(self, pose: Pose, velocity: Velocity, variation: Variation | None = None) -> PhysicsState:
        """State at a pose, with cold solver and no contact; `variation` makes its object differ from the scene's."""
        still = jnp.zeros((len(self.scene.spec.props), 6))
        return PhysicsState(
            qpos=self.layout.pack_qpos(
                pose.root_position, pose.rotation, _rows(pose.object, self._prop_poses), pose.scalars
            ),
            qvel=self.layout.pack_qvel(
                velocity.root_linear, velocity.angular, _rows(velocity.object, still), velocity.scalars
            ),
            warmstart=jnp.zeros(self.model.nv),
            power_w=jnp.zeros(()),
            variation=self._variation(variation or Variation()),
            **self._felt(no_forces(self.sensors)),
        )

    def step(self, state: PhysicsState, control: Control) -> PhysicsState:
        """One control interval towards the PD targets."""
        joints = self.joints
        stiffness, damping, effort = map(jnp.asarray, (joints.ball_stiffness, joints.ball_damping, joints.ball_effort))
        rotation, angular = self.joint_rotation(state)[1:], self.joint_angular(state)[1:]
        limited, torque = pd.limit_torque(rotation, control.rotation[1:], stiffness, effort)
        targets, power = jnp.concatenate([control.rotation[:1], limited]), pd.joint_power(torque, damping, angular)
        scalars, rates = self.layout.scalar_qpos(state.qpos), self.layout.scalar_qvel(state.qvel)
        held = None
        if scalars is not None and rates is not None and control.scalars is not None:
            held, force = pd.limit_effort(scalars, rates, control.scalars, joints)
            power = power + jnp.sum(jnp.abs(force * rates))
        # free bodies have no springs: what stands there for them is of no effect
        objects = _rows(self._object(state), self._prop_poses)
        spring = self.layout.pack_qpos(control.root_position, targets, objects, held)
        after, sensors = self.advance(Coordinates(state.qpos, state.qvel, state.warmstart), spring, state.variation)
        return PhysicsState(
            qpos=after.qpos,
            qvel=after.qvel,
            warmstart=after.warmstart,
            power_w=power,
            variation=state.variation,
            **self._felt(read_forces(sensors, self.sensors)),
        )

    def read(self, state: PhysicsState) -> SimState:
        """What the state shows, in world axes."""
        joints, sliding = self.joints, None
        local, spin, offsets = self.joint_rotation(state), self.joint_angular(state), jnp.asarray(joints.offsets)
        scalars, rates = self.layout.scalar_qpos(state.qpos), self.layout.scalar_qvel(state.qvel)
        if scalars is not None and rates is not None:
            local, spin, offsets, sliding = kinematics.with_scalars(joints, local, spin, scalars, rates)
        root, root_linear = self.layout.unpack_qpos(state.qpos)[0], self.layout.unpack_qvel(state.qvel)[0]
        position, rotation, linear, angular = kinematics.forward(
            local, root, spin, root_linear, offsets, joints.parents, sliding
        )
        tips = self.scene.embodiment.tips
        at_tips = np.array([joints.names.index(body) for body, _ in tips], int)
        thing = self._object(state)
        rate = state.qvel[self.layout.object(OBJECT_NAME).qvel] if thing is not None else jnp.zeros(6)
        return SimState(
            position=position,
            rotation=rotation,
            linear_velocity=linear,
            angular_velocity=angular,
            tips=kinematics.end_effectors(
                position, rotation, at_tips, jnp.asarray([place for _, place in tips], jnp.float32).reshape(-1, 3)
            ),
            contact_n=state.contact_n,
            contacts=state.contacts,
            power_w=state.power_w,
            object_position=thing[:3] if thing is not None else None,
            object_rotation=rot.quat_normalise(thing[3:]) if thing is not None else None,
            object_linear_velocity=rate[:3] if thing is not None else None,
            object_angular_velocity=rot.rotate(thing[3:], rate[3:]) if thing is not None else None,
            scalars=scalars,
            scalar_rates=rates,
        )

    def joint_rotation(self, state: PhysicsState) -> Float[Array, "R 4"]:
        """Rotations of the root (world) and of ball joints (local), in the order of the bodies."""
        return rot.quat_normalise(self.layout.unpack_qpos(state.qpos)[1])

    def joint_angular(self, state: PhysicsState) -> Float[Array, "R 3"]:
        """Angular velocities of root and ball joints in their own frames, rad/s."""
        return self.layout.unpack_qvel(state.qvel)[1]

    @property
    def _prop_poses(self) -> Float[Array, "P 7"]:
        return jnp.asarray(self.scene.spec.prop_poses, jnp.float32).reshape(-1, 7)

    def _object(self, state: PhysicsState) -> Float[Array, "7"] | None:
        return state.qpos[self.layout.object(OBJECT_NAME).qpos] if self.has_object else None

    def _variation(self, given: Variation) -> Variation:
        thing = jnp.asarray(0 if given.thing is None else given.thing, jnp.int32)
        mass, friction = (jnp.asarray(x, jnp.float32) for x in (given.mass, given.friction))
        return Variation(mass, friction, thing if self.scene.shelf else None)

    def _felt(self, forces: dict[str, Array]) -> dict[str, Any]:
        """Readings as the state holds them: the hands' apart from those of all other pairs."""
        hands = self.scene.embodiment.hands
        felt = forces.pop(HANDS)
        size = len(hands[0]) if hands else 0
        return {"contact_n": felt.reshape(len(hands), size), "contacts": forces}


def _rows(thing: Float[Array, " w"] | None, props: Float[Array, "P w"]) -> Float[Array, "K w"]:
    """Object, if there is one, and props as rows."""
    return props if thing is None else jnp.concatenate([thing[None], props])


def make_physics(
    scene: Scene, engine: EngineName = "c", settings: Settings | None = None, timing: Timing | None = None
) -> Physics:
    """Compile a scene for an engine. Raises `DeviceError` if the engine does not start here, `ConfigError` for rates
    that do not divide each other."""
    timing = timing or Timing()
    settings = at_rate(settings or SETTINGS[engine], timing)
    models = shelf_models(scene, settings)
    substeps = timing.substeps(settings.physics_hz)
    if engine == "c":
        advance = advance_c(models, substeps)
    else:
        advance = advance_mjx(models, settings, substeps, "jax" if engine == "mjx" else "warp")
    names = [joint.name for joint in scene.embodiment.joints]
    sensors = sensor_places(models[0], scene.pairs)
    return Physics(scene, engine, settings, models, timing, advance, make_layout(models[0], names), sensors)
