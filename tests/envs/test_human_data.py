"""The bundled human: provenance, proportions, symmetry, and the script that builds it."""

import json
from pathlib import Path

import numpy as np
import pytest

import envs.bodies
from devi_jax.core.errors import DeviError
from devi_jax.core.skeleton import INDEX, JOINTS, TIPS
from envs.bodies import BodyError, human, load_body, save_body
from envs.bodies.build_human import Skin, _least_rotation, main, to_tpose
from envs.bodies.measure import bone_offsets

DATA = Path(envs.bodies.__file__).parent / "human.npz"


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
    assert provenance["command"].startswith("python -m envs.bodies.build_human")
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
