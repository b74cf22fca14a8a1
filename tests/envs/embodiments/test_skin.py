"""The bundled skin: where it comes from, that it is a surface on the simulated body, and how it fits other bodies."""

import json
from pathlib import Path

import numpy as np
import pytest

import envs.embodiments.human
from devi_jax.core.skeleton import INDEX, JOINTS
from envs.embodiments.human import BodyError, human, with_offsets
from envs.embodiments.human.skin import FIGURES, PARTS, Skin, bundled_skin, fitted, keep, normals, posed

DATA = Path(envs.embodiments.human.__file__).parent / "skin.npz"


@pytest.fixture(scope="module")
def skin() -> Skin:
    return bundled_skin()


def test_file_is_small_pickle_free_and_says_where_it_comes_from():
    with np.load(DATA, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
    assert DATA.stat().st_size < 700_000
    assert header["joints"] == list(JOINTS) and header["figures"] == list(FIGURES)
    assert header["provenance"]["licence"] == "CC0-1.0"
    assert all(len(v) == 64 for v in header["provenance"]["sha256"].values())


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_a_skin(figure):
    skin = bundled_skin(figure)
    np.testing.assert_allclose(skin.weights.sum(axis=1), 1.0)
    assert (np.count_nonzero(skin.weights, axis=1) <= 4).all()
    assert skin.corner_uv.min() >= 0 and skin.corner_uv.max() <= 1
    assert 1.55 < np.ptp(skin.vertices[:, 2]) < 1.95
    body = keep(skin, skin.part == PARTS.index("body"))
    # outward: the divergence theorem gives a human's volume
    a, b, c = (body.vertices[body.triangles[:, k]] for k in range(3))
    assert 0.04 < (a * np.cross(b, c)).sum() / 6 < 0.09


def test_the_man_is_the_surface_that_the_body_was_measured_on(skin):
    body = human()
    np.testing.assert_allclose(skin.joints, body.positions(), atol=1e-6)
    # coordinates are kept in steps of 0.03 mm
    np.testing.assert_allclose(fitted(skin, body).vertices, skin.vertices, atol=1e-5)
    on_body = skin.vertices[np.unique(skin.triangles[skin.part == PARTS.index("body")])]
    assert on_body[:, 2].max() == pytest.approx(body.positions()[INDEX["head"], 2] + body.crown_m, abs=1e-4)


def test_masks_lie_where_they_should(skin):
    assert all(0.0001 < (mask > 0.5).mean() < 0.05 for mask in skin.masks.values())
    size = len(skin.masks["nails"])
    rows, columns = np.nonzero(skin.masks["nails"] > 0.5)
    pixels = np.stack([(columns + 0.5) / size, 1 - (rows + 0.5) / size], axis=1)
    distance = np.linalg.norm(skin.corner_uv[:, None] - pixels[None, ::7], axis=2).argmin(axis=0)
    tips = np.abs(skin.vertices[skin.corner_vertex[distance], 0])
    assert tips.min() > np.abs(skin.joints[INDEX["left_thumb2"], 0])


def test_longer_bones_stretch_the_skin_along_them(skin):
    body = human()
    longer = body.offsets.copy()
    longer[INDEX["left_wrist"]] *= 1.2
    out = fitted(skin, with_offsets(body, longer))
    forearm = skin.weights[:, INDEX["left_elbow"]] > 0.999
    before, after = (s.vertices[forearm] - s.joints[INDEX["left_elbow"]] for s in (skin, out))
    np.testing.assert_allclose(after[:, 0], 1.2 * before[:, 0], atol=1e-4)
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-4)
    other = skin.weights[:, INDEX["right_elbow"]] > 0.999
    np.testing.assert_allclose(out.vertices[other], skin.vertices[other], atol=1e-4)


def test_skinning_moves_what_follows_one_joint_rigidly(skin):
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    rotations, positions = np.tile(np.eye(3), (52, 1, 1)), skin.joints.copy()
    i = INDEX["head"]
    rotations[i], positions[i] = turn, [1.0, 2.0, 3.0]
    moved = posed(skin, rotations, positions)
    only = skin.weights[:, i] == 1.0
    expected = (skin.vertices[only] - skin.joints[i]) @ turn.T + [1.0, 2.0, 3.0]
    np.testing.assert_allclose(moved[only], expected, atol=1e-9)
    still = skin.weights[:, i] == 0.0
    np.testing.assert_allclose(moved[still], skin.vertices[still], atol=1e-9)


def test_normals_of_a_sphere():
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=3)
    outward = normals(np.asarray(ball.vertices), np.asarray(ball.faces))
    np.testing.assert_allclose(outward, np.asarray(ball.vertices), atol=0.02)


def test_unknown_figures_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(BodyError, match="child"):
        bundled_skin("child")
    (tmp_path / "skin.npz").write_text("no skin")
    with pytest.raises(BodyError, match="not a readable skin"):
        bundled_skin("man", tmp_path / "skin.npz")
