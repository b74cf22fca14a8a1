"""What perception writes is what the simulator's side reads, with contact labels that follow from it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import ObjectTracks
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS
from perception.contact.contact_labels import ContactConfig
from perception.contracts import ObjectMotion
from perception.pipeline.to_clip import Reconstruction, export, to_clip

T, FPS = 30, 30.0
LIFT = np.clip(np.arange(T) - 14, 0, None) * 0.02
"""Height of the object over its start, metres: it rises from frame 15 on."""
REACH = np.clip(np.arange(T) - 10, -10, 0) * 0.03
"""Distance of the right hand from its grasp along y: it arrives in frame 10."""
PSI = np.arange(T) >= 11
"""Contact in closed form: from the first frame in which the hand rests."""


@pytest.fixture
def recovered(rng) -> Reconstruction:
    """A human whose right hand reaches a box, waits and lifts it by 0.3 m, seen by a frontal camera."""
    camera = frontal()
    quaternions = rng.normal(size=(T, len(JOINTS), 4))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    positions = np.broadcast_to(rng.uniform(-0.3, 0.3, size=(len(JOINTS), 3)) + [0, 0, 1.0], (T, len(JOINTS), 3)).copy()
    right = list(HAND_BODIES[1])
    positions[:, right] = np.array([0.2, 0.35, 0.9]) + rng.uniform(-0.04, 0.04, size=(len(right), 3))
    positions[:, right, 1] += REACH[:, None]
    positions[:, right, 2] += LIFT[:, None]
    points = rng.uniform(-0.03, 0.03, size=(40, 3))
    world = points + np.array([0.2, 0.35, 0.85])
    pixels, _ = project(world + LIFT[:, None, None] * np.array([0, 0, 1.0]), camera.K, camera.T_camera_world)
    return Reconstruction(
        fps=FPS,
        rotations={n: quaternions[:, INDEX[n]] for n in reversed(JOINTS)} | {"jaw": np.zeros((T, 4))},
        positions={n: positions[:, INDEX[n]] for n in JOINTS},
        camera=camera,
        scene=SceneSpec(Table(), ObjectSpec("box", (0.06, 0.06, 0.06))),
        object_tracks=ObjectTracks(pixels, np.ones((T, 40), dtype=bool), points, np.arange(40)),
        object_start=np.array([0.2, 0.35, 0.85, 1, 0, 0, 0]),
        provenance={"video": "lift.mp4"},
    )


def test_round_trip_through_the_file(recovered, tmp_path):
    clip = load_clip(export("lift", recovered, tmp_path / "lift.npz"))
    for name, i in INDEX.items():
        np.testing.assert_allclose(clip.joint_rotations[:, i], recovered.rotations[name], atol=1e-6)
        np.testing.assert_allclose(clip.joint_positions[:, i], recovered.positions[name], atol=1e-6)
    assert clip.object_tracks is not None and recovered.object_tracks is not None and clip.camera is not None
    np.testing.assert_allclose(clip.object_tracks.points_px, recovered.object_tracks.points_px, rtol=1e-6)
    np.testing.assert_array_equal(clip.camera.T_camera_world, recovered.camera.T_camera_world)
    assert (clip.name, clip.fps, clip.scene) == ("lift", FPS, recovered.scene)
    assert clip.provenance["video"] == "lift.mp4" and {*clip.provenance} == {"video", "object_poses"}


def test_contact_follows_from_tracks_and_projected_hands(recovered):
    np.testing.assert_array_equal(to_clip("lift", recovered).contact, np.stack([np.zeros(T), PSI], axis=-1))


def test_contact_settings_are_passed_on(recovered):
    assert not to_clip("lift", recovered, ContactConfig(threshold_px=1e3)).contact.any()


def test_without_tracks_nobody_touches(recovered):
    bare = replace(recovered, object_tracks=None)
    assert not to_clip("lift", bare).contact.any()


def test_a_missing_joint_is_named(recovered, tmp_path):
    positions = {n: p for n, p in recovered.positions.items() if n != "left_wrist"}
    with pytest.raises(ClipError, match=r"absent \['left_wrist'\]"):
        export("lift", replace(recovered, positions=positions), tmp_path / "lift.npz")
    assert not list(tmp_path.iterdir())


def test_an_unknown_joint_is_named(recovered):
    rotations = {**recovered.rotations, "tail": np.zeros((T, 4))}
    with pytest.raises(ClipError, match=r"unknown \['tail'\]"):
        to_clip("lift", replace(recovered, rotations=rotations))


def test_joints_of_different_lengths_are_refused(recovered):
    positions = {**recovered.positions, "head": recovered.positions["head"][:-1]}
    with pytest.raises(ClipError, match=r"joints have \[29, 30\] frames"):
        to_clip("lift", replace(recovered, positions=positions))


def test_a_value_that_is_not_finite_is_refused_before_labels_are_made(recovered):
    recovered.positions["head"][7, 2] = np.nan
    with pytest.raises(ClipError, match="joint_positions") as error:
        to_clip("lift", recovered)
    assert "frame 7" in str(error.value)


def test_perception_runs_where_jax_is_absent():
    code = "import sys; sys.modules['jax'] = None; import perception.pipeline.to_clip"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def seen(recovered: Reconstruction, lost: list[int]) -> Reconstruction:
    """With the object's path, wrong by a metre in the frames in which it is `lost`."""
    found = ~np.isin(np.arange(T), lost)
    positions = np.array([0.2, 0.35, 0.85]) + LIFT[:, None] * [0, 0, 1.0] + ~found[:, None] * [1.0, 0, 0]
    rotations = np.tile([1.0, 0, 0, 0], (T, 1))
    path = ObjectMotion(fps=FPS, size_px=(1024, 576), positions=positions, rotations=rotations, found=found)
    return replace(recovered, object_motion=path)


def test_object_poses_are_exported_with_short_gaps_filled_and_their_quality_told(recovered):
    clip = to_clip("lift", seen(recovered, [20, 21, 22]))
    assert clip.object_poses is not None
    np.testing.assert_allclose(clip.object_poses.positions[:, 2], 0.85 + LIFT, atol=1e-12)
    np.testing.assert_allclose(clip.object_poses.positions[:, :2], [[0.2, 0.35]] * T, atol=1e-12)
    told = clip.provenance["object_poses"]
    assert told["source"] == "estimated from the video" and told["found"] == pytest.approx(27 / 30)
    assert told["longest_gap_frames"] == 3 and told["off_tracks_px"] < 1e-6


def test_an_object_that_is_carried_is_not_said_to_be_found(recovered):
    carried = np.isin(np.arange(T), range(5, 15))
    clip = to_clip("lift", replace(seen(recovered, []), object_seen=~carried))
    told = clip.provenance["object_poses"]
    assert clip.object_poses is not None and told["carried_frames"] == list(range(5, 15))
    assert told["found"] == pytest.approx(20 / 30)


def test_an_object_lost_for_long_leaves_no_poses_and_the_reason(recovered):
    for lost in ([], [5, 6, 7, 8, 9, 10]):
        assert to_clip("lift", seen(recovered, lost)).object_poses is not None
    clip = to_clip("lift", seen(recovered, [5, 6, 7, 8, 9, 10, 11]))
    assert clip.object_poses is None and clip.provenance["object_poses"]["source"] == "none"
    assert "not found for 7 frames in a row" in clip.provenance["object_poses"]["why"]
    assert to_clip("lift", recovered).object_poses is None
