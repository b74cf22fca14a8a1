"""Layout of the coordinates: MuJoCo's own addresses, and packing as an inverse of unpacking."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.scene import ObjectSpec, Prop, SceneSpec, Table
from devi_jax.core.skeleton import JOINTS
from envs.embodiments.human import Human
from envs.physics import SETTINGS, HumanRoot, Scene, build_spec, make_layout

CUP = Prop("cup", ObjectSpec("can", (0.04, 0.09), 0.2), (0.0, 0.5, 0.85, 1.0, 0.0, 0.0, 0.0))
FURNISHED = SceneSpec(Table(), ObjectSpec(), (CUP,))


def model_of(spec: SceneSpec, root: HumanRoot = "free"):
    return build_spec(Scene(spec, Human(root=root)), SETTINGS["c"]).compile()


@pytest.mark.parametrize("root", ["free", "pinned"])
def test_places_are_mujocos_own(root):
    model = model_of(FURNISHED, root)
    layout = make_layout(model)
    for name in JOINTS[1:]:
        joint, i = model.joint(name), JOINTS.index(name)
        assert layout.joint(name).qpos == slice(joint.qposadr[0], joint.qposadr[0] + 4)
        assert layout.joint(name).qvel == slice(joint.dofadr[0], joint.dofadr[0] + 3)
        np.testing.assert_array_equal(layout.rotation_qpos[i], np.arange(layout.nq)[layout.joint(name).qpos])
        np.testing.assert_array_equal(layout.rotation_qvel[i], np.arange(layout.nv)[layout.joint(name).qvel])
    assert layout.objects == ("object", "cup") and layout.object() == layout.object("object") == layout.joint("object")
    assert layout.object(1).qpos == slice(model.nq - 7, model.nq) and layout.object("cup").qvel.stop == model.nv
    assert layout.root.qpos == slice(0, 7) and layout.root.qvel == slice(0, 6)
    assert layout.root_position.qpos == slice(0, 3) and list(layout.rotation_qpos[0]) == [3, 4, 5, 6]


@pytest.mark.parametrize("spec", [SceneSpec(), FURNISHED])
def test_what_is_packed_is_unpacked(spec, rng):
    layout = make_layout(model_of(spec))
    qpos, qvel = rng.normal(size=(2, 5, layout.nq)), rng.normal(size=(2, 5, layout.nv))
    np.testing.assert_array_equal(layout.pack_qpos(*layout.unpack_qpos(qpos)), qpos)
    np.testing.assert_array_equal(layout.pack_qvel(*layout.unpack_qvel(qvel)), qvel)
    root, rotation, objects = layout.unpack_qpos(qpos)
    assert (
        root.shape == (2, 5, 3) and rotation.shape == (2, 5, 52, 4) and objects.shape == (2, 5, len(layout.objects), 7)
    )
    np.testing.assert_array_equal(rotation, qpos[..., layout.rotation_qpos])
    traced = jax.jit(lambda x: layout.pack_qpos(*layout.unpack_qpos(x)))(jnp.asarray(qpos, jnp.float32))
    np.testing.assert_array_equal(traced, qpos.astype(np.float32))


def test_objects_of_all_frames_may_be_given_once():
    layout = make_layout(model_of(FURNISHED))
    root, rotation = np.zeros((4, 3)), np.zeros((4, 52, 4))
    objects = np.arange(14.0).reshape(2, 7)
    np.testing.assert_array_equal(layout.pack_qpos(root, rotation, objects)[:, -14:], np.tile(np.arange(14.0), (4, 1)))


def test_a_joint_that_is_not_there():
    with pytest.raises(KeyError):
        make_layout(model_of(SceneSpec())).object("object")
