"""What contracts accept and refuse, at and across each bound."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.contracts import EstimateError, checks
from tests.perception.contracts.conftest import HEIGHT, WIDTH, K, body, depth, hand, masks, points, thing


def test_sound_estimates_pass(estimate):
    estimate.validate()
    assert estimate.frames == 4


def test_shared_fields_are_checked_in_every_kind(estimate):
    for change in ({"fps": float("nan")}, {"fps": -1.0}, {"size_px": (0, 48)}, {"size_px": (64, 48, 3)}):
        with pytest.raises(EstimateError, match=r"fps|size"):
            replace(estimate, **change).validate("clip")


def at(array: np.ndarray, index, value) -> np.ndarray:
    """A copy with one value changed."""
    out = array.copy()
    out[index] = value
    return out


B, H, P, M, D, THING = body(), hand(), points(), masks(), depth(), thing()


@pytest.mark.parametrize(
    ("estimate", "change", "said"),
    [
        (B, {"transl": B.transl[:3]}, r"shape \(3, 3\)"),
        (B, {"body_pose": B.body_pose[:, :20]}, r"\(4, 20, 3\)"),
        (B, {"betas": np.zeros(16)}, r"\(16,\)"),
        (B, {"valid": np.ones(4)}, "float64"),
        (B, {"transl": at(B.transl, (2, 1), np.nan)}, "not finite, the first is 2"),
        (B, {"betas": at(B.betas, 3, np.inf)}, "not finite"),
        (B, {"transl": -B.transl}, "behind the camera"),
        (B, {"frame": "world"}, "frame is 'world'"),
        (B, {"body_pose": at(B.body_pose, (1, 4), [0, 2 * np.pi, 0])}, "a rotation of 6.28 at frame 1"),
        (B, {"joint_names": ("nose", "left_wirst")}, "did you mean left_wrist"),
        (B, {"joint_names": ("nose", "nose")}, "'nose' stands twice"),
        (B, {"joint_names": ("nose",)}, r"\(4, 2, 3\)"),
        (H, {"side": "Left"}, "side is 'Left'"),
        (H, {"hand_pose": H.hand_pose[:, :, :2]}, r"\(4, 15, 2\)"),
        (H, {"valid": np.ones(4, bool)}, "not finite, the first is 2"),
        (P, {"conf": P.conf * 3}, "confidences reach"),
        (P, {"query_t": np.array([0, 0, 4])}, "frame 0 to 4"),
        (P, {"vertex_id": np.array([0, -2, 1])}, "vertex -2"),
        (P, {"xy": P.xy * 40}, "diagonals from"),
        (P, {"xy": at(P.xy, (0, 0, 0), np.nan)}, "not finite"),
        (P, {"visible": P.visible.T}, r"\(3, 4\)"),
        (P, {"scale": "feet"}, "scale is 'feet'"),
        (P, {"xy": P.xy[:, :0]}, r"shape \(4, 3\)"),
        (M, {"masks": M.masks[:, :, 1:]}, r"\(4, 2, 47, 64\)"),
        (M, {"masks": M.masks.astype(np.uint8)}, "uint8"),
        (M, {"ids": np.array([1, 1])}, "id of its own"),
        (M, {"labels": ("can",)}, "id of its own"),
        (M, {"scores": M.scores + 1}, "scores reach"),
        (D, {"kind": "inverse"}, "kind is 'inverse'"),
        (D, {"depth": -D.depth}, "not in front"),
        (D, {"depth": D.depth[0]}, r"\(24, 32\)"),
        (THING, {"positions": at(THING.positions, (2, 0), np.inf)}, "not finite, the first is 2"),
        (THING, {"rotations": at(THING.rotations, 1, 0.0)}, "at frame 1"),
        (THING, {"found": THING.found * 1.0}, "float64"),
    ],
)
def test_what_is_not_sound_is_refused_with_a_place(estimate, change, said):
    with pytest.raises(EstimateError, match=said) as caught:
        replace(estimate, **change).validate("a.npz")
    assert caught.value.where.startswith("a.npz") and caught.value.valid


def test_frames_not_seen_may_hold_anything():
    values = at(B.transl, 1, np.nan), at(B.body_pose, (1, 0), 99.0), at(B.valid, 1, False)
    replace(B, transl=values[0], body_pose=values[1], valid=values[2]).validate()
    replace(H, valid=np.zeros(4, bool)).validate()
    replace(D, kind="affine", depth=-D.depth).validate()
    replace(P, xyz=np.where(P.visible[..., None], P.xyz, np.nan)).validate()


@pytest.mark.parametrize(
    "bad",
    [
        K * [[1, 1, 2], [1, 1, 1], [1, 1, 1]] + [[0, 0, 10], [0, 0, 0], [0, 0, 0]],  # centre outside
        K * [[0.2], [0.2], [1]],  # a view of 160 degrees
        K * [[3], [1], [1]],
        K.T,
        np.eye(3),
        -K,
    ],
)
def test_a_camera_that_cannot_be_is_refused(bad):
    with pytest.raises(EstimateError, match="no camera of 64 x 48"):
        replace(B, K_used=np.asarray(bad, float)).validate()


def test_a_mirrored_hand_another_camera_and_swapped_axes_miss_their_pixels():
    assert H.joints3d is not None
    centre = H.joints3d[:, :1] * [1, 0, 0]
    for joints in (centre + (H.joints3d - centre) * [-1, 1, 1], H.joints3d[..., [1, 0, 2]]):
        with pytest.raises(EstimateError, match="miss the 2D joints"):
            replace(H, joints3d=joints).validate()
    with pytest.raises(EstimateError, match="miss the 2D joints"):
        replace(H, K_used=np.array([[120.0, 0, 32], [0, 120, 24], [0, 0, 1]])).validate()
    with pytest.raises(EstimateError, match="behind the camera"):
        replace(H, joints3d=-H.joints3d).validate()


@given(st.floats(0.0, 12.0), st.floats(0.0, 6.28))
def test_the_bound_on_reprojection_is_the_stated_one(shift, angle):
    """A shift of all 2D points by `shift` px is the median error; the bound is 3 px or 15 % of the hand."""
    step = shift * np.array([np.cos(angle), np.sin(angle), 0.0])
    size = float(np.median([np.linalg.norm(np.ptp(H.joints2d[t, :, :2], axis=0)) for t in (0, 1, 3)]))
    bound = max(checks.REPROJECTION_PX, checks.REPROJECTION_PART * size)
    moved = replace(H, joints2d=H.joints2d + step)
    if shift < bound - 1e-6:
        moved.validate()
    elif shift > bound + 1e-6:
        with pytest.raises(EstimateError, match="miss the 2D joints"):
            moved.validate()


@given(st.floats(0.15, 60.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_camera_is_judged_by_its_focal_length_over_the_diagonal(ratio, x, y):
    focal = ratio * np.hypot(WIDTH, HEIGHT)
    camera = np.array([[focal, 0, x * WIDTH], [0, focal, y * HEIGHT], [0, 0, 1]])
    low, high = checks.FOCAL_DIAGONALS
    if low * (1 + 1e-9) < ratio < high * (1 - 1e-9):
        replace(B, K_used=camera).validate()
    elif not low * (1 - 1e-9) < ratio < high * (1 + 1e-9):
        with pytest.raises(EstimateError):
            replace(B, K_used=camera).validate()


def test_the_pelvis_is_where_rest_pose_and_translation_put_it():
    np.testing.assert_allclose(B.pelvis, B.transl + [0, -0.35, 0])
