"""Bodies of GVHMR and GEM-X from files with the exact layout, against the numbers that were written."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import SMPLX_JOINTS, SMPLX_PARENTS
from perception.contracts import HAND21, EstimateError
from perception.readers.gem import read_gem, read_gem_hands
from perception.readers.gvhmr import COCO17, REST_PELVIS, read_gvhmr, read_gvhmr_world
from perception.readers.soma import SOMA77
from tests.perception.readers.conftest import HEIGHT, WIDTH, T

torch = pytest.importorskip("torch")


def tensor(array):
    return torch.from_numpy(np.asarray(array, np.float32))


def gvhmr(rng) -> dict:
    """`hmr4d_results.pt`, as the demo's `torch.save(pred)` leaves it."""

    def params(transl):
        return {
            "body_pose": tensor(rng.normal(size=(T, 63)) * 0.4),
            "betas": tensor(np.tile(rng.normal(size=10), (T, 1))),
            "global_orient": tensor(rng.normal(size=(T, 3))),
            "transl": tensor(transl),
        }

    focal = float(np.hypot(WIDTH, HEIGHT))
    K = np.tile([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]], (T, 1, 1))
    walk = rng.normal(size=(T, 3)) * 0.1
    return {
        "smpl_params_global": params(walk + [0, 1.2, 0]),
        "smpl_params_incam": params(walk + [0, 0.3, 3]),
        "K_fullimg": tensor(K),
        "net_outputs": {"static_conf_logits": torch.zeros(1, T, 6), "pred_cam": torch.zeros(1, T, 3)},
    }


@pytest.fixture
def demo(tmp_path, rng):
    """The demo's output folder, and what was written."""
    content = gvhmr(rng)
    points = rng.uniform(0, 500, (T, 17, 3)).astype(np.float32)
    (tmp_path / "preprocess").mkdir()
    torch.save(torch.from_numpy(points), tmp_path / "preprocess" / "vitpose.pt")
    torch.save(content, tmp_path / "hmr4d_results.pt")
    return tmp_path, content, points


def test_gvhmr_in_the_camera(demo, shot):
    folder, content, points = demo
    body, written = read_gvhmr(folder, shot), content["smpl_params_incam"]
    assert (body.frame, body.fps, body.frames, body.size_px) == ("camera", 16.0, T, (WIDTH, HEIGHT))
    np.testing.assert_allclose(body.body_pose, written["body_pose"].reshape(T, 21, 3), atol=1e-6)
    np.testing.assert_allclose(body.global_orient, written["global_orient"], atol=1e-6)
    np.testing.assert_allclose(body.pelvis, written["transl"].numpy() + REST_PELVIS, atol=1e-6)
    np.testing.assert_allclose(body.betas, written["betas"][0], atol=1e-6)
    np.testing.assert_allclose(body.K_used[0, 0], np.hypot(WIDTH, HEIGHT), rtol=1e-6)
    np.testing.assert_array_equal(body.joints2d, points)
    assert body.joint_names == COCO17 and "non-profit" in body.origin.licence


def test_gvhmr_in_the_world_has_z_up_and_faces_along_y(demo, shot):
    """A vector of the rest pose, seen in the file's axes (y up, facing +z), has to come out turned by C alone."""
    folder, content, _ = demo
    body, written = read_gvhmr_world(folder / "hmr4d_results.pt", shot), content["smpl_params_global"]
    before = Rotation.from_rotvec(written["global_orient"].numpy()).as_matrix()
    after = Rotation.from_rotvec(body.global_orient).as_matrix()
    for up, out in ([(0, 1, 0), (0, 0, 1)], [(0, 0, 1), (0, 1, 0)], [(1, 0, 0), (-1, 0, 0)]):
        np.testing.assert_allclose(after.transpose(0, 2, 1) @ out, before.transpose(0, 2, 1) @ up, atol=1e-6)
    was = written["transl"].numpy() + REST_PELVIS
    np.testing.assert_allclose(body.pelvis, np.stack([-was[:, 0], was[:, 2], was[:, 1]], axis=1), atol=1e-6)
    assert body.frame == "world_zup"


def test_long_rotation_vectors_come_back_short_and_equal(tmp_path, rng, shot):
    content = gvhmr(rng)
    content["smpl_params_incam"]["global_orient"] = tensor(np.tile([7.0, 0, 0], (T, 1)))
    torch.save(content, tmp_path / "a.pt")
    body = read_gvhmr(tmp_path / "a.pt", shot)
    np.testing.assert_allclose(body.global_orient, np.tile([7.0 - 2 * np.pi, 0, 0], (T, 1)), atol=1e-6)
    assert body.joints2d is None


def test_gvhmr_of_another_video_or_with_something_missing_is_refused(tmp_path, rng, shot):
    content = gvhmr(rng)
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(EstimateError, match="5 frames, the video 81") as caught:
        read_gvhmr(tmp_path / "a.pt", replace(shot, frames=81))
    assert "no stride" in caught.value.fix
    with pytest.raises(EstimateError, match="1024 x 576 pixels, the video has 512 x 288"):
        read_gvhmr(tmp_path / "a.pt", replace(shot, width=512, height=288))
    content["K_fullimg"][2, 0, 0] *= 1.1
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(EstimateError, match="focal length changes"):
        read_gvhmr(tmp_path / "a.pt", shot)
    content["K_fullimg"][2] = content["K_fullimg"][0]
    del content["smpl_params_incam"]["transl"]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(EstimateError, match=r"lacks 'smpl_params_incam.transl'") as caught:
        read_gvhmr(tmp_path / "a.pt", shot)
    assert "smpl_params_incam.betas" in caught.value.valid
    torch.save(torch.zeros(3), tmp_path / "a.pt")
    with pytest.raises(EstimateError, match="holds ndarray"):
        read_gvhmr(tmp_path / "a.pt", shot)


# SOMA's tree, spelled out: the parent of each joint by name
def soma_parent(name: str) -> str | None:
    trunk = ["Hips", "Spine1", "Spine2", "Chest", "Neck1", "Neck2", "Head"]
    if name in trunk:
        return trunk[trunk.index(name) - 1] if name != "Hips" else None
    if name in ("HeadEnd", "Jaw", "LeftEye", "RightEye"):
        return "Head"
    side, part = ("Left", name[4:]) if name.startswith("Left") else ("Right", name[5:])
    for chain, root in [
        (["Shoulder", "Arm", "ForeArm", "Hand"], "Chest"),
        (["Leg", "Shin", "Foot", "ToeBase", "ToeEnd"], "Hips"),
    ]:
        if part in chain:
            return root if part == chain[0] else side + chain[chain.index(part) - 1]
    finger, end = part.removeprefix("Hand"), "123" if "Thumb" in part else "1234"
    chain = [*(finger.rstrip("1234").removesuffix("End") + k for k in (*end, "End"))]
    return f"{side}Hand" if finger == chain[0] else f"{side}Hand{chain[chain.index(finger) - 1]}"


def world_rotations(local: dict[str, Rotation], parent) -> dict[str, Rotation]:
    out: dict[str, Rotation] = {}

    def turn(name):
        if name not in out:
            above = parent(name)
            out[name] = local[name] if above is None else turn(above) * local[name]
        return out[name]

    for name in local:
        turn(name)
    return out


@pytest.fixture
def gem(tmp_path, rng):
    """`preprocess/` of the demo, and the pose that was written."""
    pose = rng.normal(size=(T, 77, 3)) * 0.3
    params = {
        "global_orient": tensor(pose[:, 0]),
        "body_pose": tensor(pose[:, 1:].reshape(T, 228)),
        "identity_coeffs": torch.zeros(T, 45),
        "scale_params": torch.zeros(T, 68),
        "transl": tensor(np.tile([0.1, 0.2, 3.0], (T, 1))),
    }
    K = np.tile([[1174.9, 0, WIDTH / 2], [0, 1174.9, HEIGHT / 2], [0, 0, 1]], (T, 1, 1))
    points = rng.uniform(0.4, 500, (T, 77, 3)).astype(np.float32)
    points[..., 2] = 0.9
    points[3, SOMA77.index("LeftHand") : SOMA77.index("LeftHandPinkyEnd") + 1, 2] = 0.05
    folder = tmp_path / "preprocess"
    folder.mkdir()
    torch.save({"body_params_incam": params, "body_params_global": params, "K_fullimg": tensor(K)}, folder / "x.pt")
    (folder / "x.pt").rename(folder / "hpe_results.pt")
    torch.save((torch.from_numpy(points), np.zeros((T, 3))), folder / "vitpose.pt")
    return tmp_path, pose, points


def test_gem_turns_every_bone_as_soma_does(gem, shot):
    folder, pose, points = gem
    body, hands = read_gem(folder, shot), read_gem_hands(folder, shot)
    theirs = world_rotations({n: Rotation.from_rotvec(pose[:, i]) for i, n in enumerate(SOMA77)}, soma_parent)
    local = {"pelvis": Rotation.from_rotvec(body.global_orient)}
    local |= {n: Rotation.from_rotvec(body.body_pose[:, i]) for i, n in enumerate(SMPLX_JOINTS[1:22])}
    for side, first in (("left", 25), ("right", 40)):
        names = SMPLX_JOINTS[first : first + 15]
        local |= {n: Rotation.from_rotvec(hands[side].hand_pose[:, i]) for i, n in enumerate(names)}
    index = SMPLX_JOINTS.index
    ours = world_rotations(local, lambda n: None if n == "pelvis" else SMPLX_JOINTS[SMPLX_PARENTS[index(n)]])
    pairs = {"pelvis": "Hips", "spine3": "Chest", "neck": "Neck1", "head": "Head", "left_collar": "LeftShoulder"}
    pairs |= {
        "right_elbow": "RightForeArm",
        "left_wrist": "LeftHand",
        "left_hip": "LeftLeg",
        "right_foot": "RightToeBase",
    }
    pairs |= {"left_thumb1": "LeftHandThumb1", "right_thumb3": "RightHandThumb3", "left_index1": "LeftHandIndex2"}
    pairs |= {"left_pinky3": "LeftHandPinky4", "right_ring2": "RightHandRing3", "right_middle3": "RightHandMiddle4"}
    for ours_name, theirs_name in pairs.items():
        difference = (ours[ours_name].inv() * theirs[theirs_name]).magnitude()
        np.testing.assert_allclose(difference, 0, atol=1e-6, err_msg=ours_name)
    for side, name in (("left", "LeftHand"), ("right", "RightHand")):
        turn = Rotation.from_rotvec(hands[side].global_orient)
        np.testing.assert_allclose((turn.inv() * theirs[name]).magnitude(), 0, atol=1e-6)


def test_gem_points_carry_the_names_of_what_they_lie_on(gem, shot):
    folder, _, points = gem
    body, hands = read_gem(folder, shot), read_gem_hands(folder, shot)
    assert body.joints2d is not None
    for ours, theirs in {"left_shoulder": "LeftArm", "right_knee": "RightShin", "head": "Head"}.items():
        np.testing.assert_array_equal(body.joints2d[:, body.joint_names.index(ours)], points[:, SOMA77.index(theirs)])
    pairs = {"wrist": "Hand", "thumb1": "HandThumb1", "index1": "HandIndex2", "pinky3": "HandPinky4"}
    for ours, theirs in (pairs | {"ring_tip": "HandRingEnd", "thumb_tip": "HandThumbEnd"}).items():
        for side in ("left", "right"):
            written = points[:, SOMA77.index(side.capitalize() + theirs)]
            np.testing.assert_array_equal(hands[side].joints2d[:, HAND21.index(ours)], written)
    assert hands["left"].valid.tolist() == [True, True, True, False, True] and hands["right"].valid.all()
    np.testing.assert_allclose(body.pelvis, np.tile([0.1, 0.2, 3.0], (T, 1)), atol=1e-6)


def test_gem_without_points_has_no_hands(gem, shot):
    folder, _, _ = gem
    (folder / "preprocess" / "vitpose.pt").unlink()
    assert read_gem(folder, shot).joints2d is None
    with pytest.raises(EstimateError, match="no 2D points"):
        read_gem_hands(folder, shot)


def test_gem_smpl_is_read_as_smplx(tmp_path, rng, shot):
    content = gvhmr(rng)
    torch.save(
        {"body_params_incam": content["smpl_params_incam"], "K_fullimg": content["K_fullimg"]}, tmp_path / "s.pt"
    )
    body = read_gem(tmp_path / "s.pt", shot)
    np.testing.assert_allclose(body.transl, content["smpl_params_incam"]["transl"], atol=1e-6)
    assert body.origin.tool == "GEM-X"
