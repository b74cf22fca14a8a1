"""Points, masks and depth from files with the exact layout, against the numbers that were written."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from perception.contracts import EstimateError
from perception.readers import table
from perception.readers.cotracker import read_cotracker
from perception.readers.sam3 import read_sam3
from perception.readers.shot import Shot
from perception.readers.spatracker import read_spatracker, read_spatracker_depth
from perception.readers.tapir import read_tapir
from tests.perception.readers.conftest import HEIGHT, WIDTH, T, project

N = 4


@pytest.fixture
def tracks(rng):
    """Tracks (1, T, N, 2) and visibility (1, T, N) as CoTracker returns them."""
    return rng.uniform(0, 500, (1, T, N, 2)).astype(np.float32), rng.random((1, T, N)) < 0.7


def test_cotracker_in_every_form_is_the_same_and_half_a_pixel_further(tmp_path, tracks, shot):
    torch = pytest.importorskip("torch")
    xy, visible = tracks
    np.savez(tmp_path / "a.npz", tracks=xy, visibility=visible)
    np.savez(tmp_path / "b.npz", pred_tracks=xy[0], pred_visibility=visible[0][..., None])
    np.save(tmp_path / "c.npy", xy)
    np.save(tmp_path / "c_visibility.npy", visible)
    torch.save((torch.from_numpy(xy), torch.from_numpy(visible)), tmp_path / "d.pt")
    torch.save({"tracks": torch.from_numpy(xy), "visibility": torch.from_numpy(visible)}, tmp_path / "e.pt")
    for name in ("a.npz", "b.npz", "c.npy", "d.pt", "e.pt"):
        found = read_cotracker(tmp_path / name, shot)
        np.testing.assert_allclose(found.xy, xy[0] + 0.5, atol=1e-4, err_msg=name)
        np.testing.assert_array_equal(found.visible, visible[0])
        np.testing.assert_array_equal(found.conf, visible[0])
        assert found.query_t.tolist() == [0] * N and found.vertex_id.tolist() == [-1] * N


def test_cotracker_s_queries_give_the_frame_and_the_vertex(tmp_path, tracks, shot):
    queries = np.array([[[0, 1, 2], [3, 4, 5], [0, 0, 0], [4, 9, 9]]], np.float32)
    values = {"tracks": tracks[0], "visibility": tracks[1], "queries": queries, "vertex_id": np.array([5, 6, 7, -1])}
    np.savez(tmp_path / "a.npz", **values)
    found = read_cotracker(tmp_path / "a.npz", shot)
    assert found.query_t.tolist() == [0, 3, 0, 4] and found.vertex_id.tolist() == [5, 6, 7, -1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"tracks": np.zeros((1, 7, N, 2), np.float32), "visibility": np.ones((1, 7, N), bool)},
            "7 frames, the video 5",
        ),
        ({"tracks": np.zeros((2, T, N, 2), np.float32)}, "batch of one"),
        ({"visibility": np.ones((1, T, 3), bool)}, r"visibility of shape \(5, 3\)"),
        ({"visibility": np.ones((1, T, N))}, "float64"),
        ({"visibility": None}, "lacks 'visibility'"),
        ({"tracks": np.full((1, T, N, 2), np.nan, np.float32)}, "not finite"),
        ({"tracks": np.zeros((1, T, N, 3), np.float32)}, r"tracks of shape \(5, 4, 3\)"),
    ],
)
def test_cotracker_files_that_do_not_fit_are_refused(tmp_path, tracks, shot, change, said):
    values = {"tracks": tracks[0], "visibility": tracks[1]} | change
    np.savez(tmp_path / "a.npz", **{k: v for k, v in values.items() if v is not None})
    with pytest.raises(EstimateError, match=said) as caught:
        read_cotracker(tmp_path / "a.npz", shot)
    assert str(tmp_path / "a.npz") in caught.value.where


def test_files_of_other_kinds_are_refused(tmp_path, shot):
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.npz").write_bytes(b"PK not a zip")
    np.save(tmp_path / "c.npy", np.array([{}], object))
    np.save(tmp_path / "d.npy", np.zeros((T, N, 2)))
    np.savez(tmp_path / "e.npz", tracks=np.array([{}], object))
    for name, said in [
        *[("a.mp4", "no kind of file"), ("b.npz", "not a readable file"), ("c.npy", "pickled objects")],
        *[("d.npy", "no such file: .*d_visibility.npy"), ("e.npz", "pickled objects"), ("f.npz", "no such file")],
    ]:
        with pytest.raises(EstimateError, match=said):
            read_cotracker(tmp_path / name, shot)


def test_tapir_is_scaled_from_its_raster_and_judged_by_its_logits(tmp_path, rng, shot):
    raster = rng.uniform(0, 256, (1, N, T, 2)).astype(np.float32)
    occlusion, far = rng.normal(size=(2, 1, N, T)).astype(np.float32) * 3
    queries = np.array([[[2, 10, 20]] * N], np.float32)
    values = {"tracks": raster, "occlusion": occlusion, "expected_dist": far, "queries": queries}
    np.savez(tmp_path / "a.npz", **values, size=np.array([256, 256]))
    found = read_tapir(tmp_path / "a.npz", shot)
    np.testing.assert_allclose(found.xy, raster[0].transpose(1, 0, 2) * [WIDTH / 256, HEIGHT / 256], rtol=1e-5)
    conf = (1 - 1 / (1 + np.exp(-occlusion[0].T))) * (1 - 1 / (1 + np.exp(-far[0].T)))
    np.testing.assert_allclose(found.conf, conf, atol=1e-6)
    np.testing.assert_array_equal(found.visible, conf > 0.5)
    assert found.query_t.tolist() == [2] * N
    np.savez(tmp_path / "b.npz", tracks=raster[0], visibles=conf.T > 0.5)
    found = read_tapir(tmp_path / "b.npz", shot)
    np.testing.assert_allclose(found.xy, raster[0].transpose(1, 0, 2), rtol=1e-6)


def test_tapir_logits_however_large_are_probabilities(tmp_path, shot):
    huge = np.tile(np.array([1e4, -1e4, 50, -50, 0], np.float32), (N, 1))
    np.savez(tmp_path / "a.npz", tracks=np.zeros((N, T, 2), np.float32), occlusion=huge, expected_dist=-np.abs(huge))
    np.testing.assert_allclose(read_tapir(tmp_path / "a.npz", shot).conf[:, 0], [0, 1, 0, 1, 0.25], atol=1e-6)


def test_tapir_files_that_do_not_fit_are_refused(tmp_path, shot):
    zeros = np.zeros((N, T), np.float32)
    for values, said in [
        ({"tracks": np.zeros((N, 9, 2)), "visibles": np.zeros((N, 9), bool)}, "9 frames, the video 5"),
        ({"tracks": np.zeros((N, T, 2)), "visibles": zeros.T > 0}, r"occlusion of shape \(5, 4\)"),
        ({"tracks": np.zeros((N, T, 2)), "occlusion": zeros}, "lacks 'expected_dist'"),
        ({"tracks": np.zeros((N, T, 2)), "occlusion": zeros, "expected_dist": zeros[1:]}, "both"),
    ]:
        np.savez(tmp_path / "a.npz", **values)
        with pytest.raises(EstimateError, match=said):
            read_tapir(tmp_path / "a.npz", shot)


@pytest.fixture
def spatracker(rng):
    """A moving camera and four points before it, as `inference.py` saves them: of 1024 x 576, 336 x 190 are left."""
    small = (336, 190)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    pose = np.tile(np.eye(4), (T, 1, 1))
    pose[:, :3, :3], pose[:, :3, 3] = turn, np.linspace([0, 0, 0], [0.2, 0.1, 0], T)
    camera_points = rng.uniform([-0.5, -0.3, 1.5], [0.5, 0.3, 3], (T, N, 3))
    world = np.einsum("ij,tnj->tni", turn.T, camera_points - pose[:, None, :3, 3])
    K = np.tile(np.array([[300.0, 0, 168], [0, 300, 95], [0, 0, 1]]), (T, 1, 1))
    depths = rng.uniform(1, 4, (T, *small[::-1])).astype(np.float32)
    depths[:, :20] = 0
    values = {"coords": world, "extrinsics": pose, "intrinsics": K, "depths": depths}
    values = {k: v.astype(np.float32) for k, v in values.items()}
    values |= {"video": np.zeros((T, 3, *small[::-1]), np.float32), "visibs": rng.random((T, N, 1)) < 0.7}
    return values | {"unc_metric": np.ones((T, *small[::-1]), np.float32)}, camera_points, K[0]


def test_spatracker_points_in_the_camera_and_in_the_whole_picture(tmp_path, spatracker, shot):
    values, points, K = spatracker
    np.savez(tmp_path / "video_result.npz", **values)
    found = read_spatracker(tmp_path / "video_result.npz", shot)
    assert found.xyz is not None and found.scale == "relative"
    np.testing.assert_allclose(found.xyz, points, atol=1e-5)
    np.testing.assert_allclose(found.xy, project(points, K) * [WIDTH / 336, HEIGHT / 190], atol=1e-2)
    np.testing.assert_array_equal(found.visible, values["visibs"][..., 0])
    depth = read_spatracker_depth(tmp_path / "video_result.npz", shot)
    assert depth.kind == "scale" and not depth.valid[:, :20].any() and depth.valid[:, 20:].all()


def test_spatracker_with_a_stride_a_crop_or_a_part_is_refused(tmp_path, spatracker, shot):
    values, _, _ = spatracker
    np.savez(tmp_path / "a.npz", **values)
    with pytest.raises(EstimateError, match="5 frames, the video 10"):
        read_spatracker(tmp_path / "a.npz", replace(shot, frames=10))
    with pytest.raises(EstimateError, match="it was cropped"):
        read_spatracker(tmp_path / "a.npz", replace(shot, width=576, height=1024, K=None))
    del values["extrinsics"]
    np.savez(tmp_path / "a.npz", **values)
    with pytest.raises(EstimateError, match="lacks 'extrinsics'"):
        read_spatracker(tmp_path / "a.npz", shot)


def test_sam3_things_keep_their_numbers_and_are_empty_where_unseen(tmp_path, rng):
    small = Shot(16.0, 3, 12, 8)
    masks = rng.random((4, 8, 12)) < 0.5
    values = {"frame_index": np.array([0, 0, 1, 2]), "out_obj_ids": np.array([7, 3, 3, 7])}
    values |= {"out_probs": np.array([0.9, 0.8, 0.7, 0.6], np.float32), "out_binary_masks": masks}
    np.savez(tmp_path / "a.npz", **values, object_ids=np.array([3, 7]), labels=np.array(["can", "person"]))
    found = read_sam3(tmp_path / "a.npz", small)
    assert found.ids.tolist() == [3, 7] and found.labels == ("can", "person")
    np.testing.assert_array_equal(found.masks[0], masks[[1, 0]])
    np.testing.assert_array_equal(found.masks[1, 0], masks[2])
    assert not found.masks[1, 1].any() and not found.masks[2, 0].any()
    np.testing.assert_allclose(found.scores, [[0.8, 0.9], [0.7, 0], [0, 0.6]])
    np.savez(tmp_path / "a.npz", **values)
    assert read_sam3(tmp_path / "a.npz", small).labels == ("object 3", "object 7")
    for change, said in [
        ({"frame_index": np.array([0, 0, 1, 3])}, "frames 0 to 3, the video has 3"),
        ({"out_binary_masks": masks[:, :4]}, r"shape \(4, 4, 12\)"),
        ({"out_binary_masks": masks.astype(np.uint8)}, "uint8"),
        ({k: v[:0] for k, v in values.items()}, "one thing or more"),
    ]:
        np.savez(tmp_path / "a.npz", **(values | change))
        with pytest.raises(EstimateError) as caught:
            read_sam3(tmp_path / "a.npz", small)
        assert re.search(said, str(caught.value))


def test_readers_are_named_on_the_command_line():
    reader, path = table.named("cotracker:/a/b:c.npz", table.POINTS, "--points")
    assert reader is read_cotracker and path == Path("/a/b:c.npz")
    for value, said in [
        *[("cotraker:a.npz", "did you mean cotracker"), ("cotracker:", "which tool wrote which file")],
        *[("a.npz", "which tool"), ("", "which tool")],
    ]:
        with pytest.raises(ConfigError, match=said) as caught:
            table.named(value, table.POINTS, "--points")
        assert "tapir:FILE" in caught.value.valid
