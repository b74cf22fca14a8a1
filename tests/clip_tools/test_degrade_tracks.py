"""Degraded tracks have the noise, the gaps and the side that are asked for, and poses are those that they tell."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax import clips
from devi_jax.clip_tools.degrade_tracks import HIDDEN_S, TrackDegradation, degrade_tracks
from devi_jax.core.clip import Clip, body_only
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.datasets.load import resolve


@pytest.fixture(scope="module")
def clip() -> Clip:
    """It turns and shifts by centimetres while it is poured from."""
    return resolve("pour_bottle")


def projected(clip: Clip, points: np.ndarray) -> np.ndarray:
    """Pixels (T, P, 2) of the object's points by the recorded poses, in SciPy."""
    turn = Rotation.from_quat(clip.object_poses.rotations, scalar_first=True).as_matrix()
    world = np.einsum("tij,pj->tpi", turn, points) + clip.object_poses.positions[:, None]
    T = clip.camera.T_camera_world
    seen = (world @ T[:3, :3].T + T[:3, 3]) @ clip.camera.K.T
    return seen[..., :2] / seen[..., 2:]


def truth(clip: Clip, degraded: Clip) -> Clip:
    return replace(clip, camera=degraded.camera)


def test_exact_tracks_are_the_poses_projected_and_tell_them(clip):
    out = degrade_tracks(clip, TrackDegradation(), points=64)
    exact = projected(truth(clip, out), out.object_tracks.points_object)
    np.testing.assert_allclose(out.object_tracks.points_px, exact, atol=1e-3)
    assert out.object_tracks.visible.all()
    off = out.provenance["degraded"]["poses_off"]
    # what is left is the smoothing, of a bottle that is swung
    assert off["rms_m"] < 0.003 and off["rms_rad"] < 0.03
    gap = np.linalg.norm(out.object_poses.positions - clip.object_poses.positions, axis=1)
    assert off["rms_m"] == pytest.approx(np.sqrt(np.mean(gap**2)))


def test_noise_has_its_size_and_costs_depth(clip):
    exact, noisy = (degrade_tracks(clip, TrackDegradation(noise_px=px), points=64, seed=3) for px in (0.0, 2.0))
    error = noisy.object_tracks.points_px - exact.object_tracks.points_px
    assert abs(error.std() - 2.0) < 0.05 and abs(error.mean()) < 0.05
    T = noisy.camera.T_camera_world
    off = (noisy.object_poses.positions - clip.object_poses.positions) @ T[:3, :3].T
    along, across = off[:, 2].std(), off[:, :2].std()
    assert along > 2 * across, "a small object's distance is what pixels tell least"
    assert noisy.provenance["degraded"]["poses_off"]["rms_m"] > exact.provenance["degraded"]["poses_off"]["rms_m"]


def test_points_are_hidden_as_often_and_as_long_as_asked(clip):
    out = degrade_tracks(clip, TrackDegradation(hidden=0.3), points=1000)
    hidden = ~out.object_tracks.visible
    assert abs(hidden.mean() - 0.3) < 0.02 and abs(hidden[0].mean() - 0.3) < 0.05
    starts = hidden[1:] & ~hidden[:-1]
    ends = ~hidden[1:] & hidden[:-1]
    leaving = ends.sum() / hidden[:-1].sum()
    assert leaving == pytest.approx(1 / (HIDDEN_S * clip.fps), rel=0.05)
    assert starts.sum() / (~hidden[:-1]).sum() == pytest.approx(leaving * 0.3 / 0.7, rel=0.05)
    assert out.provenance["degraded"]["poses_off"]["rms_m"] < 0.003, "of exact points few are enough"


def test_one_sided_tracks_face_the_camera(clip):
    out = degrade_tracks(clip, TrackDegradation(one_sided=True), points=400)
    every = degrade_tracks(clip, TrackDegradation(), points=400).object_tracks
    tracks, T = out.object_tracks, out.camera.T_camera_world
    assert tracks.visible[0].all() and 0.3 * 400 < len(tracks.points_object) < 0.7 * 400

    # of a bottle those that are seen are the nearer ones
    def depth(points):
        world = Rotation.from_quat(clip.object_start[3:], scalar_first=True).apply(points) + clip.object_start[:3]
        return (world @ T[:3, :3].T + T[:3, 3])[:, 2]

    assert depth(tracks.points_object).mean() < depth(every.points_object).mean() - 0.01


def test_the_same_seed_gives_the_same_tracks(clip):
    how = TrackDegradation(1.0, 0.2, True)
    one, same, other = (degrade_tracks(clip, how, points=32, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.object_tracks.points_px, same.object_tracks.points_px)
    assert one.object_tracks.points_px.shape != other.object_tracks.points_px.shape or not np.array_equal(
        one.object_tracks.points_px, other.object_tracks.points_px
    )


def test_what_has_no_poses_or_no_meaning_is_refused(clip):
    with pytest.raises(ClipError, match="where its object is"):
        degrade_tracks(body_only(clip), TrackDegradation())
    with pytest.raises(ClipError, match="face the camera"):
        degrade_tracks(clip, TrackDegradation(one_sided=True), points=4)
    for how, flag in ((TrackDegradation(noise_px=-1), "--noise-px"), (TrackDegradation(hidden=1.0), "--hidden")):
        with pytest.raises(ConfigError) as caught:
            degrade_tracks(clip, how)
        assert caught.value.where == flag


def test_the_command_writes_the_clip_and_says_how_far_off_its_poses_are(tmp_path, capsys):
    out = tmp_path / "seen.npz"
    clips.main(["degrade-tracks", "lift_can", f"--out={out}", "--noise-px=2", "--one-sided", "--points=60"])
    said, found = capsys.readouterr().out, load_clip(out)
    off = found.provenance["degraded"]["poses_off"]
    assert f"{1e3 * off['rms_m']:.1f} mm and {off['rms_rad']:.3f} rad off" in said
    assert f"{found.object_tracks.visible.shape[1]} points" in said
    for flag in ("--hidden=2", "--seed=-1", "--points=0"):
        with pytest.raises(SystemExit) as caught:
            clips.main(["degrade-tracks", "lift_can", f"--out={tmp_path / 'no.npz'}", flag])
        assert caught.value.code == 2 and not (tmp_path / "no.npz").exists()
        assert flag.split("=")[0] in capsys.readouterr().err
