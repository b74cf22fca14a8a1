"""Physics as pure functions `init`, `step`, `read`, whichever engine runs them: the only place that knows an engine."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import SimState
from envs.embodiments.human import per_joint
from envs.physics import kinematics, pd
from envs.physics.engine import Advance, Coordinates
from envs.physics.mjx import advance_mjx
from envs.physics.mujoco_c import advance_c
from envs.physics.scene_model import Scene, build_spec, joint_order
from envs.physics.solver import SETTINGS, EngineName, Settings
from envs.physics.state import OBJECT_QPOS, OBJECT_QVEL, Control, PhysicsState, Pose, Variation, Velocity


@dataclass(frozen=True, eq=False)
class Physics:
    """A compiled scene on one engine. Functions are of a single environment; `vmap` adds the batch."""

    scene: Scene
    engine: EngineName
    settings: Settings
    model: mujoco.MjModel
    advance: Advance
    order: np.ndarray

    @property
    def has_object(self) -> bool:
        """Whether the scene holds an object."""
        return self.scene.spec.object is not None

    def init(self, pose: Pose, velocity: Velocity, variation: Variation | None = None) -> PhysicsState:
        """State at a pose, with cold solver and no contact; `variation` makes its object differ from the scene's."""
        angular = velocity.angular[self.order].reshape(-1)
        qvel = [velocity.root_linear, angular]
        if velocity.object is not None:
            qvel.append(velocity.object)
        qvel.append(jnp.zeros(6 * len(self.scene.spec.props)))
        return PhysicsState(
            qpos=self._coordinates(pose.rotation, pose.root_position, pose.object, self._prop_poses),
            qvel=jnp.concatenate(qvel),
            warmstart=jnp.zeros(self.model.nv),
            contact_n=jnp.zeros((2, 16)),
            power_w=jnp.zeros(()),
            variation=jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), variation or Variation()),
        )

    def step(self, state: PhysicsState, control: Control) -> PhysicsState:
        """One control interval (1/30 s) towards the PD targets."""
        stiffness, damping, _, limit = (jnp.asarray(x, jnp.float32) for x in per_joint(self.scene.gains))
        rotation, angular = self.joint_rotation(state)[1:], self.joint_angular(state)[1:]
        limited, torque = pd.limit_torque(rotation, control.rotation[1:], stiffness, limit)
        targets = jnp.concatenate([control.rotation[:1], limited])
        # free bodies have no springs: what stands there for them is of no effect
        spring = self._coordinates(targets, control.root_position, self._object(state), self._prop_poses)
        after, sensors = self.advance(Coordinates(state.qpos, state.qvel, state.warmstart), spring, state.variation)
        return PhysicsState(
            qpos=after.qpos,
            qvel=after.qvel,
            warmstart=after.warmstart,
            contact_n=self._contact(sensors),
            power_w=pd.joint_power(torque, damping, angular),
            variation=state.variation,
        )

    def read(self, state: PhysicsState) -> SimState:
        """What the state shows, in world axes."""
        body = self.scene.body
        position, rotation, linear, angular = kinematics.forward(
            self.joint_rotation(state),
            state.qpos[:3],
            self.joint_angular(state),
            state.qvel[:3],
            jnp.asarray(body.offsets, jnp.float32),
        )
        thing, rate = self._object(state), state.qvel[OBJECT_QVEL]
        return SimState(
            position=position,
            rotation=rotation,
            linear_velocity=linear,
            angular_velocity=angular,
            tips=kinematics.fingertips(position, rotation, jnp.asarray(body.tips, jnp.float32)),
            contact_n=state.contact_n,
            power_w=state.power_w,
            object_position=thing[:3] if thing is not None else None,
            object_rotation=rot.quat_normalise(thing[3:]) if thing is not None else None,
            object_linear_velocity=rate[:3] if thing is not None else None,
            object_angular_velocity=rot.rotate(thing[3:], rate[3:]) if thing is not None else None,
        )

    def joint_rotation(self, state: PhysicsState) -> Float[Array, "52 4"]:
        """Local joint rotations (pelvis: world), in the order of `skeleton.JOINTS`."""
        return rot.quat_normalise(state.qpos[3:211].reshape(52, 4)[self._inverse])

    def joint_angular(self, state: PhysicsState) -> Float[Array, "52 3"]:
        """Angular velocities in the joints' own frames, rad/s."""
        return state.qvel[3:159].reshape(52, 3)[self._inverse]

    @property
    def _inverse(self) -> np.ndarray:
        return np.argsort(self.order)

    @property
    def _prop_poses(self) -> Float[Array, " props_7"]:
        return jnp.asarray(self.scene.spec.prop_poses, jnp.float32)

    def _object(self, state: PhysicsState) -> Float[Array, "7"] | None:
        return state.qpos[OBJECT_QPOS] if self.has_object else None

    def _coordinates(self, rotation, root_position, thing, props) -> Float[Array, " nq"]:
        parts = [root_position, rotation[self.order].reshape(-1)]
        return jnp.concatenate([*(parts if thing is None else [*parts, thing]), props])

    def _contact(self, sensors) -> Float[Array, "2 16"]:
        if not self.has_object:
            return jnp.zeros((2, 16))
        force = jnp.sqrt(jnp.sum(sensors.reshape(32, -1, 3) ** 2, axis=-1))
        return jnp.max(force, axis=-1).reshape(2, 16)


def make_physics(scene: Scene, engine: EngineName = "c", settings: Settings | None = None) -> Physics:
    """Compile a scene for an engine. Raises `DeviceError` if the engine does not start here."""
    settings = settings or SETTINGS[engine]
    model = build_spec(scene, settings).compile()
    if engine == "c":
        advance = advance_c(model, settings.substeps)
    else:
        advance = advance_mjx(model, settings, "jax" if engine == "mjx" else "warp")
    return Physics(scene, engine, settings, model, advance, np.array(joint_order(model)))
