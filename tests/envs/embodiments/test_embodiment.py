"""A body with a free root and a joint of every kind: its coordinates, kinematics and springs are MuJoCo's."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.scene import ObjectSpec, SceneSpec
from envs.embodiments import Embodiment, Joint
from envs.physics import Control, Pose, Scene, Velocity, make_physics

TILT = tuple(float(x) for x in Rotation.from_rotvec([0.3, -0.2, 0.5]).as_quat(scalar_first=True))
JOINTS = (
    Joint("trunk", -1, "root", "spine", (0.0, 0.0, 0.0)),
    Joint("arm", 0, "ball", "arm", (0.1, 0.2, 0.3), turn=TILT, stiffness=50.0, damping=5.0, effort=20.0),
    Joint("hand", 1, "hinge", "wrist", (0.0, 0.3, 0.0), turn=TILT, axis=(0.6, 0.0, 0.8), stiffness=20.0, damping=2.0),
    Joint(
        "finger", 2, "slide", "gripper", (0.1, 0.0, 0.0), turn=TILT, axis=(0.0, 1.0, 0.0), stiffness=200.0, damping=9.0
    ),
)
KINDS = {"ball": mujoco.mjtJoint.mjJNT_BALL, "hinge": mujoco.mjtJoint.mjJNT_HINGE, "slide": mujoco.mjtJoint.mjJNT_SLIDE}


@dataclass(frozen=True)
class Walker:
    name: str = "walker"
    root: str = "free"
    joints: tuple[Joint, ...] = JOINTS
    tips: tuple = (("finger", (0.0, 0.1, 0.05)),)
    hands: tuple = (("hand", "finger"),)
    feet: tuple = ()

    def add_to(self, spec: mujoco.MjSpec) -> None:
        bodies = []
        for joint in self.joints:
            above = spec.worldbody if joint.parent < 0 else bodies[joint.parent]
            body = above.add_body(name=joint.name, pos=joint.offset, quat=joint.turn)
            if joint.kind == "root":
                body.add_freejoint(name="root")
            else:
                spring = dict(stiffness=[joint.stiffness, 0, 0], damping=[joint.damping, 0, 0], armature=0.01)
                body.add_joint(name=joint.name, type=KINDS[joint.kind], axis=joint.axis, **spring)
            body.add_geom(name=joint.name, size=[0.05, 0, 0], mass=1.0, contype=0, conaffinity=0)
            bodies.append(body)


@pytest.fixture(scope="module")
def physics():
    return make_physics(Scene(SceneSpec(None, ObjectSpec()), Walker()), "c")


def drawn(rng):
    turned = Rotation.random(2, rng=rng).as_quat(scalar_first=True)
    thing = jnp.array([5.0, 0, 1, 1, 0, 0, 0])
    pose = Pose(*(jnp.asarray(x, jnp.float32) for x in (turned, rng.normal(size=3))), thing, jnp.array([0.4, -0.1]))
    rates = [jnp.asarray(rng.normal(size=n), jnp.float32) for n in ((2, 3), 3, 6, 2)]
    return pose, Velocity(*rates)


def test_it_is_an_embodiment_and_its_coordinates_are_found(physics, rng):
    layout = physics.layout
    assert isinstance(Walker(), Embodiment)
    assert layout.root.qpos == slice(0, 7) and layout.rotation_qpos.tolist() == [[3, 4, 5, 6], [7, 8, 9, 10]]
    assert layout.scalars.qpos == slice(11, 13) and layout.scalars.qvel == slice(9, 11)
    qpos, qvel = rng.normal(size=layout.nq), rng.normal(size=layout.nv)
    np.testing.assert_array_equal(layout.pack_qpos(*layout.unpack_qpos(qpos), layout.scalar_qpos(qpos)), qpos)
    np.testing.assert_array_equal(layout.pack_qvel(*layout.unpack_qvel(qvel), layout.scalar_qvel(qvel)), qvel)


def test_kinematics_and_velocities_are_mujocos(physics, rng):
    model, data = physics.model, mujoco.MjData(physics.model)
    for _ in range(5):
        state = physics.init(*drawn(rng))
        seen = physics.read(state)
        data.qpos[:], data.qvel[:] = state.qpos, state.qvel
        mujoco.mj_forward(model, data)
        for i, joint in enumerate(JOINTS):
            body, rate = model.body(joint.name).id, np.zeros(6)
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, rate, 0)
            np.testing.assert_allclose(seen.position[i], data.xpos[body], atol=2e-6)
            assert abs(np.asarray(seen.rotation[i]) @ data.xquat[body]) == pytest.approx(1, abs=1e-6)
            np.testing.assert_allclose(seen.angular_velocity[i], rate[:3], atol=1e-5)
            np.testing.assert_allclose(seen.linear_velocity[i], rate[3:], atol=1e-5)
        finger = model.body("finger").id
        tip = data.xpos[finger] + data.xmat[finger].reshape(3, 3) @ [0.0, 0.1, 0.05]
        np.testing.assert_allclose(seen.tips[0], tip, atol=2e-6)


def test_springs_pull_every_joint_to_its_target(physics, rng):
    """In free fall nothing else acts on them: after three seconds each is where it was sent."""
    pose, _ = drawn(rng)
    start = physics.init(pose, Velocity(jnp.zeros((2, 3)), jnp.zeros(3), jnp.zeros(6), jnp.zeros(2)))
    aim, target = Rotation.from_rotvec([0.2, 0.3, -0.1]).as_quat(scalar_first=True), jnp.array([-0.3, 0.15])
    turned = jnp.concatenate([pose.rotation[:1], jnp.asarray(aim, jnp.float32)[None]])
    control = Control(turned, pose.root_position, target)
    end = jax.jit(lambda s: jax.lax.fori_loop(0, 90, lambda _, x: physics.step(x, control), s))(start)
    np.testing.assert_allclose(physics.layout.scalar_qpos(end.qpos), target, atol=5e-3)
    assert abs(float(jnp.sum(physics.joint_rotation(end)[1] * turned[1]))) == pytest.approx(1, abs=1e-4)
