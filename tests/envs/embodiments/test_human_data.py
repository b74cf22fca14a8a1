"""Where bodies come from: the bundled human and the script that builds it, a user's own SMPL-X file."""

import json
from pathlib import Path

import mujoco
import numpy as np
import pytest

import envs.embodiments.human
from devi_jax.core.errors import DeviError
from devi_jax.core.skeleton import INDEX, JOINTS, PARENTS, SMPLX_JOINTS, TIPS, joint_class
from envs.embodiments.human import BodyError, add_body, human, load_body, save_body, smplx_body
from envs.embodiments.human.build.body import Skin, _least_rotation, main, to_tpose
from envs.embodiments.human.measure import bone_offsets

DATA = Path(envs.embodiments.human.__file__).parent / "human.npz"


def mirror(name: str) -> str:
    return name.replace("left", "right") if "left" in name else name.replace("right", "left")


def test_file_is_small_pickle_free_and_says_where_it_comes_from():
    with np.load(DATA, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
    assert DATA.stat().st_size < 10_000
    assert header["joints"] == list(JOINTS)
    assert header["tips"] == [JOINTS[i] for i in TIPS]
    provenance = header["provenance"]
    assert provenance["licence"] == "CC0-1.0"
    assert provenance["command"].startswith("python -m envs.bodies.build_human")  # its name when the file was made
    assert len(provenance["sha256"]) == 5 and all(len(v) == 64 for v in provenance["sha256"].values())


def test_offsets_tips_and_radii_are_mirror_symmetric():
    body = human()
    other = [INDEX[mirror(name)] for name in JOINTS]
    np.testing.assert_allclose(body.offsets * [-1, 1, 1], body.offsets[other], atol=1e-3)
    np.testing.assert_allclose(body.tips[:5] * [-1, 1, 1], body.tips[5:], atol=1e-3)
    np.testing.assert_allclose(body.radii, body.radii[other], atol=1e-3)


def test_proportions_are_human():
    body = human()
    position = body.positions()
    assert 1.6 < body.stature_m < 1.9
    span = np.linalg.norm(position[INDEX["left_middle3"]] - position[INDEX["right_middle3"]])
    assert span + 2 * np.linalg.norm(body.tips[1]) == pytest.approx(body.stature_m, rel=0.1)
    finger = [i for i, name in enumerate(JOINTS) if name[:-1].split("_")[-1] in ("index", "middle", "ring", "pinky")]
    assert ((body.radii[finger] > 0.007) & (body.radii[finger] < 0.0105)).all()


def test_tpose_faces_y_with_left_at_minus_x():
    position = human().positions()
    at = {name: position[INDEX[name]] for name in JOINTS}
    assert at["left_wrist"][0] < -0.5 < 0.5 < at["right_wrist"][0]
    assert at["left_foot"][1] > at["left_ankle"][1] + 0.1
    assert at["head"][2] > 0.5 and at["left_ankle"][2] < -0.8
    arm = at["left_wrist"] - at["left_shoulder"]
    np.testing.assert_allclose(arm / np.linalg.norm(arm), [-1, 0, 0], atol=1e-5)
    # palms down: thumbs forward
    assert at["left_thumb3"][1] > at["left_wrist"][1] < at["right_thumb3"][1]


def test_saved_body_comes_back(tmp_path):
    body = human()
    save_body(body, tmp_path / "body.npz", {})
    again = load_body(tmp_path / "body.npz")
    for key in ("offsets", "tips", "radii", "forward"):
        np.testing.assert_allclose(getattr(again, key), getattr(body, key), atol=1e-7)
    assert again.sole_m == body.sole_m and again.crown_m == body.crown_m


def test_rows_are_found_by_name(tmp_path):
    with np.load(DATA, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    order = np.random.default_rng(0).permutation(len(JOINTS))
    header = json.loads(str(arrays["header"]))
    header["joints"] = [JOINTS[i] for i in order]
    arrays |= {key: arrays[key][order] for key in ("offsets", "radii", "forward")}
    np.savez(tmp_path / "shuffled.npz", allow_pickle=False, **(arrays | {"header": np.array(json.dumps(header))}))
    np.testing.assert_array_equal(load_body(tmp_path / "shuffled.npz").offsets, human().offsets)


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no body")
    with np.load(DATA, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    header = json.loads(str(arrays["header"])) | {"schema": 99}
    np.savez(tmp_path / "future.npz", allow_pickle=False, **(arrays | {"header": np.array(json.dumps(header))}))
    np.savez(tmp_path / "pickled.npz", allow_pickle=True, **(arrays | {"radii": np.array([object()])}))
    for name, word in (("text.npz", "cannot read"), ("future.npz", "schema 99"), ("pickled.npz", "cannot read")):
        with pytest.raises(BodyError, match=word) as caught:
            load_body(tmp_path / name)
        assert name in caught.value.where


def test_least_rotation_is_the_smallest_that_aligns():
    rng = np.random.default_rng(1)
    for a, b in rng.normal(size=(20, 2, 3)):
        turn = _least_rotation(a, b)
        unit_a, unit_b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(turn @ unit_a, unit_b, atol=1e-12)
        assert (np.trace(turn) - 1) / 2 == pytest.approx(unit_a @ unit_b)


def test_re_resting_keeps_bone_lengths_and_carries_skin_rigidly():
    rng = np.random.default_rng(2)
    body = human()
    bent = body.positions() + rng.normal(scale=0.01, size=(len(JOINTS), 3))
    skin = Skin(bent + 0.01, bent, np.eye(len(JOINTS)))
    straight = to_tpose(skin)
    lengths = [np.linalg.norm(bone_offsets(s.joints), axis=1) for s in (skin, straight)]
    np.testing.assert_allclose(*lengths, atol=1e-12)
    arm = straight.joints[INDEX["right_wrist"]] - straight.joints[INDEX["right_shoulder"]]
    np.testing.assert_allclose(arm[1:], 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(straight.vertices - straight.joints, axis=1), 0.01 * 3**0.5, atol=1e-12)


def test_build_refuses_an_empty_folder(tmp_path):
    with pytest.raises(DeviError, match="base.obj is missing"):
        main(tmp_path, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


RINGS = 8
RADIUS = {"finger": 0.008, "wrist": 0.02, "arm": 0.04, "spine": 0.1, "leg": 0.06}


def synthetic_smplx() -> dict[str, np.ndarray]:
    """A stick figure in SMPL-X's format: a vertex at each joint, and rings of a known radius along each bone."""
    body = human()
    position = body.positions()
    vertices, owner, centre = [], [], {}
    for i, name in enumerate(JOINTS):
        # the end of the chain goes on as the bone before it
        end = body.offsets[PARENTS.index(i)] if i in PARENTS else body.offsets[i]
        along = end / np.linalg.norm(end)
        side = np.linalg.svd(along[None])[2][1:]
        angles = np.arange(RINGS) * 2 * np.pi / RINGS
        ring = RADIUS[joint_class(name)] * (np.cos(angles)[:, None] * side[0] + np.sin(angles)[:, None] * side[1])
        centre[name] = len(vertices)
        vertices.append(position[i])
        vertices += [position[i] + t * end + offset for t in (0.25, 0.5, 0.75, 1.0) for offset in ring]
        owner += [SMPLX_JOINTS.index(name)] * (len(vertices) - len(owner))
    skin = np.array(vertices)
    regressor = np.zeros((len(SMPLX_JOINTS), len(skin)))
    for row, name in enumerate(SMPLX_JOINTS):
        regressor[row, centre.get(name, centre["head"])] = 1
    directions = np.zeros((len(skin), 3, 20))
    directions[:, :, :10] = np.random.default_rng(6).normal(scale=1e-3, size=(len(skin), 3, 10))
    directions[:, :, 10:] = np.nan  # expressions: never read
    return {
        "v_template": np.stack([-skin[:, 0], skin[:, 2], skin[:, 1]], axis=1),
        "shapedirs": directions,
        "J_regressor": regressor,
        "weights": np.eye(len(SMPLX_JOINTS))[owner],
    }


@pytest.fixture(scope="module")
def smplx_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("smplx") / "SMPLX_NEUTRAL.npz"
    arrays = synthetic_smplx() | {"part2num": np.array({"never": "unpickled"}, dtype=object)}
    np.savez(path, allow_pickle=True, **arrays)
    return path


def test_smplx_joints_and_skin_are_measured(smplx_file):
    body = smplx_body(smplx_file)
    np.testing.assert_allclose(body.offsets, human().offsets, atol=1e-9)
    for name in ("left_shoulder", "right_elbow", "left_hip", "right_knee", "neck", "left_middle1", "right_thumb3"):
        assert body.radii[INDEX[name]] == pytest.approx(RADIUS[joint_class(name)])
    # each synthetic fingertip prolongs its middle phalanx by the same length
    np.testing.assert_allclose(body.tips, human().offsets[list(TIPS)], atol=1e-9)
    assert body.name == "SMPLX_NEUTRAL"
    spec = mujoco.MjSpec()
    add_body(spec, body)
    assert spec.compile().nbody == 1 + len(JOINTS)


def test_betas_move_joints_linearly(smplx_file):
    betas = np.random.default_rng(7).normal(size=10)
    model = synthetic_smplx()
    joints = model["J_regressor"] @ (model["v_template"] + model["shapedirs"][..., :10] @ betas)
    at = {name: joints[SMPLX_JOINTS.index(name)] for name in JOINTS}
    body = smplx_body(smplx_file, betas)
    for i, name in enumerate(JOINTS[1:], start=1):
        x, y, z = at[name] - at[JOINTS[PARENTS[i]]]
        np.testing.assert_allclose(body.offsets[i], [-x, z, y], atol=1e-12)
    np.testing.assert_allclose(smplx_body(smplx_file, np.zeros(3)).offsets, smplx_body(smplx_file).offsets)


def test_unusable_smplx_files_and_betas_are_refused(smplx_file, tmp_path):
    good = synthetic_smplx()
    cases = {
        "absent": ({k: v for k, v in good.items() if k != "weights"}, "weights"),
        "pickled": (good | {"J_regressor": np.array([{}], dtype=object)}, "cannot read"),
        "short": (good | {"J_regressor": good["J_regressor"][:24]}, "shape"),
        "shapeless": (good | {"shapedirs": good["shapedirs"][..., :4]}, "shape"),
        "bare": (good | {"weights": np.eye(55)[np.zeros(len(good["weights"]), int)]}, "no vertex follows"),
    }
    for name, (arrays, word) in cases.items():
        np.savez(tmp_path / f"{name}.npz", allow_pickle=True, **arrays)
        with pytest.raises(BodyError, match=word) as caught:
            smplx_body(tmp_path / f"{name}.npz")
        assert name in caught.value.where
    with pytest.raises(BodyError, match="cannot read"):
        smplx_body(tmp_path / "nowhere.npz")
    with pytest.raises(BodyError, match="betas"):
        smplx_body(smplx_file, np.zeros(16))
