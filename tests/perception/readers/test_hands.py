"""Hands of HaMeR, WiLoR and SAM 3D Body: a known hand, written as each tool writes it, comes back where it is."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import SMPLX_JOINTS
from perception.contracts import HAND21, EstimateError
from perception.readers.hamer import read_hamer
from perception.readers.hands import mirror_rotvec
from perception.readers.sam3d import MHR70, read_sam3d, read_sam3d_hands
from perception.readers.wilor import read_wilor
from tests.perception.readers.conftest import FOCAL, HEIGHT, WIDTH, T, project

CENTRE = np.array([WIDTH / 2, HEIGHT / 2])
S = np.diag([-1.0, 1.0, 1.0])


def hand(rng, place):
    """A hand of some 18 cm about `place`: points (21, 3), its wrist's turn (3,), its pose (15, 3)."""
    return rng.uniform(-0.09, 0.09, (21, 3)) * [1, 1, 0.3] + place, rng.normal(size=3), rng.normal(size=(15, 3)) * 0.4


def matrices(rotvec):
    return Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(*rotvec.shape, 3)


def hamer_row(points, turn, pose, right, frame):
    """What HaMeR returns for a crop around a hand: for a left one, of the mirrored picture."""
    t = points.mean(axis=0)
    pixels = project(points, np.array([[FOCAL, 0, CENTRE[0]], [0, FOCAL, CENTRE[1]], [0, 0, 1]]))
    box, size = (pixels.max(axis=0) + pixels.min(axis=0)) / 2, 2 * np.ptp(pixels, axis=0).max()
    scale = 2 * FOCAL / (size * t[2])
    cam = np.array([scale, *(t[:2] - (box - CENTRE) * t[2] / FOCAL)])
    crop = (pixels - box) / size
    local = points - t
    turn, pose = matrices(turn), matrices(pose)
    if not right:
        cam, crop, local = cam * [1, -1, 1], crop * [-1, 1], local @ S
        turn, pose = S @ turn @ S, S @ pose @ S
    return {
        **{"frame": frame, "right": float(right), "box_center": box, "box_size": size, "pred_cam": cam},
        **{"img_size": CENTRE * 2, "personid": 0, "focal_length": np.full(2, 5000.0)},
        **{"pred_cam_t": np.array([*cam[1:], 2 * 5000 / (256 * cam[0])])},
        **{"pred_keypoints_2d": crop, "pred_keypoints_3d": local, "pred_mano_params.betas": np.zeros(10)},
        **{"pred_mano_params.global_orient": turn[None], "pred_mano_params.hand_pose": pose},
    }


def stacked(rows):
    return {key: np.array([row[key] for row in rows], np.float32) for key in rows[0]}


@pytest.fixture
def truth(rng):
    """Left and right hand in all frames but the second, where the left is not seen."""
    out = {}
    for t in range(T):
        out[t, "right"] = hand(rng, [-0.4, 0.1, 1.6 + 0.05 * t])
        if t != 1:
            out[t, "left"] = hand(rng, [0.45, -0.2, 1.5])
    return out


def check(hands, truth, pixels_px):
    assert sorted(hands) == ["left", "right"]
    for (t, side), (points, turn, pose) in truth.items():
        found = hands[side]
        assert found.valid[t] and found.side == side
        np.testing.assert_allclose(found.joints3d[t], points, atol=2e-5)
        np.testing.assert_allclose(matrices(found.global_orient[t]), matrices(turn), atol=1e-5)
        np.testing.assert_allclose(matrices(found.hand_pose[t]), matrices(pose), atol=1e-5)
        assert np.abs(found.joints2d[t, :, :2] - project(points, found.K_used)).max() < pixels_px
    assert hands["left"].valid.tolist() == [True, False, True, True, True]


def test_hamer_hands_come_back_unmirrored_and_metric(tmp_path, truth, shot):
    rows = [hamer_row(*values, side == "right", t) for (t, side), values in truth.items()]
    np.savez(tmp_path / "hamer.npz", **stacked(rows))
    hands = read_hamer(tmp_path / "hamer.npz", shot)
    check(hands, truth, 0.01)
    assert "MANO" in hands["left"].origin.licence


def test_hamer_of_nested_torch_tensors_is_the_same(tmp_path, truth, shot):
    torch = pytest.importorskip("torch")
    flat = stacked([hamer_row(*values, side == "right", t) for (t, side), values in truth.items()])
    nested = {k: torch.from_numpy(v) for k, v in flat.items() if "." not in k}
    nested["pred_mano_params"] = {k.split(".")[1]: torch.from_numpy(v) for k, v in flat.items() if "." in k}
    torch.save(nested, tmp_path / "hamer.pt")
    check(read_hamer(tmp_path / "hamer.pt", shot), truth, 0.01)


def test_without_a_camera_hamer_s_own_is_used_and_said(tmp_path, truth, shot):
    """The hand is then 20000 / 900 times as far away, and its picture is the same within the tool's own 3 px."""
    np.savez(tmp_path / "a.npz", **stacked([hamer_row(*v, s == "right", t) for (t, s), v in truth.items()]))
    right = read_hamer(tmp_path / "a.npz", replace(shot, K=None))["right"]
    assert right.K_used[0, 0] == 20000 and "not metric" in right.origin.provenance["depth"]
    for t in range(T):
        depth = truth[t, "right"][0].mean(axis=0)[2] * 20000 / FOCAL
        np.testing.assert_allclose(right.joints3d[t].mean(axis=0)[2], depth, rtol=1e-4)


def test_of_two_right_hands_the_surer_counts_and_then_the_nearer(tmp_path, rng, shot):
    mine, other = hand(rng, [-0.3, 0, 1.5]), hand(rng, [0.5, 0.1, 1.5])
    rows = [hamer_row(*mine, True, 0), hamer_row(*other, True, 1), hamer_row(*mine, True, 1)]
    np.savez(tmp_path / "a.npz", **stacked(rows))
    np.testing.assert_allclose(read_hamer(tmp_path / "a.npz", shot)["right"].joints3d[1], mine[0], atol=1e-5)
    np.savez(tmp_path / "a.npz", **stacked(rows), score=np.array([0.9, 0.9, 0.8]))
    found = read_hamer(tmp_path / "a.npz", shot)["right"]
    np.testing.assert_allclose(found.joints3d[1], other[0], atol=1e-5)
    np.testing.assert_allclose(found.joints2d[:2, 0, 2], 0.9)
    assert sorted(read_hamer(tmp_path / "a.npz", shot)) == ["right"]


def test_mirroring_a_rotation_vector_is_s_r_s(rng):
    turn = rng.normal(size=(50, 3))
    np.testing.assert_allclose(matrices(mirror_rotvec(turn)), S @ matrices(turn) @ S, atol=1e-12)


def test_a_hand_that_was_unmirrored_twice_is_refused(tmp_path, truth, shot):
    values = stacked([hamer_row(*v, s == "right", t) for (t, s), v in truth.items() if s == "left"])
    values["pred_keypoints_3d"] *= np.array([-1, 1, 1], np.float32)
    np.savez(tmp_path / "a.npz", **values)
    with pytest.raises(EstimateError, match="miss the 2D joints") as caught:
        read_hamer(tmp_path / "a.npz", shot)
    assert "mirrored" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame": np.full(9, 7)}, "frames 7 to 7, the video has 5"),
        ({"frames": np.array(81)}, "81 frames, the video 5"),
        ({"size": np.array([512, 288])}, "512 x 288 pixels, the video has 1024 x 576"),
        ({"pred_cam": np.zeros((9, 2))}, r"'pred_cam' has shape \(9, 2\)"),
        ({"box_center": np.zeros((8, 2))}, r"'box_center' has shape \(8, 2\)"),
        ({"right": None}, "lacks 'right'"),
        ({"pred_keypoints_3d": np.array([["x"] * 21] * 9)}, "type <U1"),
    ],
)
def test_hamer_files_that_do_not_fit_are_refused(tmp_path, truth, shot, change, said):
    values = stacked([hamer_row(*v, s == "right", t) for (t, s), v in truth.items()]) | change
    np.savez(tmp_path / "a.npz", **{k: v for k, v in values.items() if v is not None})
    with pytest.raises(EstimateError, match=said):
        read_hamer(tmp_path / "a.npz", shot)


def wilor_hand(points, turn, pose, right):
    """What WiLoR-mini's `predict` holds for a hand, projected with a focal length of 5000 / 256 of the longer side."""
    focal = 5000 / 256 * WIDTH
    t = points.mean(axis=0)
    far = np.array([t[0], t[1], t[2] * focal / FOCAL])
    K = np.array([[focal, 0, CENTRE[0]], [0, focal, CENTRE[1]], [0, 0, 1]])
    # the crop's centre lies where the true camera saw it: x and y grow with the depth only off the optical axis
    pixels = project(points - t + far, K)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    preds = {
        **{"global_orient": turn[None, None], "hand_pose": pose[None], "betas": np.zeros((1, 10))},
        **{
            "pred_cam": np.zeros((1, 3)),
            "pred_keypoints_3d": (points - t)[None],
            "pred_vertices": np.zeros((1, 778, 3)),
        },
        **{"pred_cam_t_full": far[None], "pred_keypoints_2d": pixels[None]},
    }
    preds = {key: value.astype(np.float32) for key, value in preds.items()} | {"scaled_focal_length": focal}
    return {"hand_bbox": [*low.tolist(), *high.tolist()], "is_right": float(right), "wilor_preds": preds}


def test_wilor_s_pickled_lists_and_rows_of_arrays_agree(tmp_path, truth, shot):
    frames = [[wilor_hand(*truth[t, s], s == "right") for s in ("right", "left") if (t, s) in truth] for t in range(T)]
    (tmp_path / "wilor.pkl").write_bytes(pickle.dumps(frames))
    # its long lens sees no perspective: points 3 cm nearer or further are off by 0.03 / 1.6 of their 280 px off-axis
    check(read_wilor(tmp_path / "wilor.pkl", shot), truth, 6.0)
    rows = [{"frame": t, **h, **h["wilor_preds"]} for t, hands in enumerate(frames) for h in hands]
    squeezed = {"global_orient": (1, 3), "hand_pose": (15, 3), "betas": (10,), "pred_cam_t_full": (3,)}
    squeezed |= {"pred_keypoints_3d": (21, 3), "pred_keypoints_2d": (21, 2), "scaled_focal_length": ()}
    columns = {k: np.array([np.reshape(r[k], shape) for r in rows]) for k, shape in squeezed.items()}
    columns |= {k: np.array([r[k] for r in rows]) for k in ("frame", "hand_bbox", "is_right")}
    np.savez(tmp_path / "wilor.npz", **columns)
    check(read_wilor(tmp_path / "wilor.npz", shot), truth, 6.0)


def test_wilor_with_another_principal_point_keeps_the_rays(tmp_path, rng, shot):
    """Where the true camera looks beside the middle, the wrist's own pixel is the same for both cameras."""
    points, turn, pose = hand(rng, [-0.4, 0.1, 1.6])
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([[wilor_hand(points, turn, pose, True)]] * T))
    shifted = shot.K + [[0, 0, 20.0], [0, 0, -10.0], [0, 0, 0]]
    found = read_wilor(tmp_path / "a.pkl", replace(shot, K=shifted))["right"]
    middle = found.joints3d[0].mean(axis=0)
    np.testing.assert_allclose(project(middle, shifted), project(points.mean(axis=0), shot.K), atol=1e-2)


def test_wilor_lists_that_do_not_fit_are_refused(tmp_path, shot):
    for frames, said in [([[]] * 4, "4 frames, the video 5"), ([[{"is_right": 1}]] * T, "KeyError")]:
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(frames))
        with pytest.raises(EstimateError, match=said):
            read_wilor(tmp_path / "a.pkl", shot)
    small = wilor_hand(*hand(np.random.default_rng(1), [0, 0, 1.5]), True)
    small["wilor_preds"]["scaled_focal_length"] /= 2
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([[small]] * T))
    with pytest.raises(EstimateError, match="512 x 288 pixels"):
        read_wilor(tmp_path / "a.pkl", shot)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([[]] * T))
    assert read_wilor(tmp_path / "a.pkl", shot) == {}


def sam3d(rng, shot, frames):
    """One person in `frames`, as the estimator and MHR's converter leave them."""
    n = len(frames)
    place = np.array([0.2, -0.1, 2.5])
    points = rng.uniform(-0.1, 0.1, (n, 70, 3))
    return {
        "frame": np.array(frames),
        "pred_keypoints_3d": points.astype(np.float32),
        "pred_cam_t": np.tile(place, (n, 1)).astype(np.float32),
        "pred_keypoints_2d": project(points + place, shot.K).astype(np.float32),
        "focal_length": np.full(n, FOCAL, np.float32),
        "smplx.global_orient": rng.normal(size=(n, 3)),
        "smplx.body_pose": rng.normal(size=(n, 63)) * 0.3,
        "smplx.left_hand_pose": rng.normal(size=(n, 45)) * 0.3,
        "smplx.right_hand_pose": rng.normal(size=(n, 45)) * 0.3,
        "smplx.betas": rng.normal(size=(n, 10)),
        "smplx.transl": np.tile([0.2, 0.25, 2.5], (n, 1)),
    }


def test_sam3d_names_its_points_and_chains_its_wrists(tmp_path, rng, shot):
    values = sam3d(rng, shot, [0, 1, 3, 4])
    np.savez(tmp_path / "a.npz", **values)
    body, hands = read_sam3d(tmp_path / "a.npz", shot), read_sam3d_hands(tmp_path / "a.npz", shot)
    assert body.valid.tolist() == [True, True, False, True, True] == hands["left"].valid.tolist()
    np.testing.assert_allclose(body.body_pose[3], values["smplx.body_pose"][2].reshape(21, 3), atol=1e-6)
    assert (MHR70[41], MHR70[62], MHR70[21], MHR70[24], MHR70[42]) == (
        *("right_wrist", "left_wrist", "right_thumb_tip", "right_thumb1", "left_thumb_tip"),
    )
    for side, wrist, thumb_tip, index1 in (("right", 41, 21, 28), ("left", 62, 42, 49)):
        for name, row in (("wrist", wrist), ("thumb_tip", thumb_tip), ("index1", index1)):
            written = values["pred_keypoints_2d"][2, row]
            np.testing.assert_allclose(hands[side].joints2d[3, HAND21.index(name), :2], written, atol=1e-4)
        turn = Rotation.from_rotvec(values["smplx.global_orient"])
        chain = ["spine1", "spine2", "spine3", "collar", "shoulder", "elbow", "wrist"]
        for joint in chain:
            name = joint if joint.startswith("spine") else f"{side}_{joint}"
            i = 3 * (SMPLX_JOINTS.index(name) - 1)
            turn = turn * Rotation.from_rotvec(values["smplx.body_pose"][:, i : i + 3])
        found = Rotation.from_rotvec(hands[side].global_orient[[0, 1, 3, 4]])
        np.testing.assert_allclose((found.inv() * turn).magnitude(), 0, atol=1e-6)
        pose = values[f"smplx.{side}_hand_pose"][1].reshape(15, 3)
        np.testing.assert_allclose(hands[side].hand_pose[1], pose, atol=1e-6)


def test_sam3d_of_nobody_of_two_or_unconverted_is_refused(tmp_path, rng, shot):
    values = sam3d(rng, shot, [0, 1, 1, 4])
    for change, said in [
        ({}, "several persons"),
        ({k: v[:0] for k, v in values.items()}, "no person"),
        ({"frame": np.array([0, 1, 2, 3]), "smplx.transl": None}, "lacks 'smplx.transl'"),
    ]:
        np.savez(tmp_path / "a.npz", **{k: v for k, v in (values | change).items() if v is not None})
        with pytest.raises(EstimateError, match=said):
            read_sam3d(tmp_path / "a.npz", shot)
