import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS, SMPLX_JOINTS
from devi_jax.datasets.load import resolve
from tests.datasets.smplx_files import REST, rotvecs, write_model


@pytest.fixture
def arrays(known):
    """An SMPL-H archive of AMASS that holds the known motion."""
    return {
        "poses": rotvecs(known).reshape(known.frames, 156),
        "trans": known.joint_positions[:, 0] - REST[0],
        "betas": np.zeros(16),
        "dmpls": np.zeros((known.frames, 8)),
        "gender": np.array("male"),
        "mocap_framerate": np.array(60.0),
    }


def converted(tmp_path, arrays, joints=52):
    np.savez(tmp_path / "walk_poses.npz", **arrays)
    return resolve(str(tmp_path / "walk_poses.npz"), model=write_model(tmp_path / "model.npz", joints))


def test_a_known_motion_comes_back_at_the_files_own_rate(tmp_path, arrays, known):
    clip = converted(tmp_path, arrays)
    np.testing.assert_allclose(rot.angle_between(clip.joint_rotations, known.joint_rotations), 0, atol=1e-6)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    assert clip.fps == 60 and clip.scene.object is None and not clip.contact.any()
    assert clip.provenance["fk_error_mm"] < 1e-6 and "male" in str(clip.provenance["assumptions"])


def test_smplx_archives_have_a_face_between_body_and_hands(tmp_path, arrays, known):
    poses = np.full((known.frames, 55, 3), 0.3)
    poses[:, [SMPLX_JOINTS.index(name) for name in JOINTS]] = arrays["poses"].reshape(-1, 52, 3)
    arrays["poses"] = poses.reshape(known.frames, 165)
    arrays["mocap_frame_rate"] = arrays.pop("mocap_framerate")
    clip = converted(tmp_path, arrays, joints=55)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)


def test_betas_make_bones_longer(tmp_path, arrays, known):
    arrays["betas"][1] = 1.0
    arrays["trans"] = known.joint_positions[:, 0] - 1.05 * REST[0]
    clip = converted(tmp_path, arrays)
    longer = np.linalg.norm(clip.joint_positions[:, 4] - clip.joint_positions[:, 1], axis=-1)
    shorter = np.linalg.norm(known.joint_positions[:, 4] - known.joint_positions[:, 1], axis=-1)
    np.testing.assert_allclose(longer, 1.05 * shorter, rtol=1e-6)


def test_a_missing_model_is_asked_for_and_a_wrong_one_refused(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ClipError, match="licensed body model") as caught:
        resolve(str(tmp_path / "a.npz"))
    assert caught.value.where == "--model" and "--model=" in caught.value.fix
    np.savez(
        tmp_path / "m.npz", v_template=np.zeros((5, 3)), shapedirs=np.zeros((5, 3, 2)), J_regressor=np.zeros((24, 5))
    )
    with pytest.raises(ClipError, match="shapes"):
        resolve(str(tmp_path / "a.npz"), model=tmp_path / "m.npz")
    with pytest.raises(ClipError, match="no readable|not a readable body model"):
        resolve(str(tmp_path / "a.npz"), model=tmp_path / "absent.npz")
    with pytest.raises(ClipError, match="no object") as caught:
        resolve(str(tmp_path / "a.npz"), mesh="a.obj", model=write_model(tmp_path / "model.npz", 52))
    assert caught.value.where == "--mesh"


def test_another_axis_unit_or_rate_is_told(tmp_path, arrays):
    lying = dict(arrays)
    turn = rot.quat_exp(np.array([-np.pi / 2, 0.0, 0.0]))
    lying["poses"] = arrays["poses"].copy()
    lying["poses"][:, :3] = rot.quat_log(rot.quat_mul(turn, rot.quat_exp(arrays["poses"][:, :3])))
    with pytest.raises(ClipError, match=r"head points along \+y"):
        converted(tmp_path, lying)
    with pytest.raises(ClipError, match="frame rate"):
        converted(tmp_path, {k: v for k, v in arrays.items() if "rate" not in k})
    with pytest.raises(ClipError, match="frame rate is 0"):
        converted(tmp_path, arrays | {"mocap_framerate": np.array(0.0)})
    with pytest.raises(ClipError, match="poses have shape"):
        converted(tmp_path, arrays | {"poses": arrays["poses"][:, :72]})
    with pytest.raises(ClipError, match=r"head|finite"):
        converted(tmp_path, arrays | {"trans": arrays["trans"] * np.nan})
    model = dict(np.load(write_model(tmp_path / "model.npz", 52), allow_pickle=True))
    converted(tmp_path, arrays)
    np.savez(tmp_path / "mm.npz", **{k: v * 1000 if k == "v_template" else v for k, v in model.items()})
    with pytest.raises(ClipError, match="from toes to head") as caught:
        resolve(str(tmp_path / "walk_poses.npz"), model=tmp_path / "mm.npz")
    assert "1000" in caught.value.fix
