"""The planner's bundled clips: what they say they are, and what comes back when one is made again."""

import numpy as np
import pytest
import trimesh

from devi_jax import choreograph
from devi_jax.core.clip_io import load_clip
from devi_jax.core.rotations import rotate
from devi_jax.datasets.bundled_sets import FLOOR, SUITE, TABLETOP, clip_set
from devi_jax.datasets.clip_quality import as_trimesh
from devi_jax.datasets.load import bundled
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.scripted_video.bundled_clips import SCRIPTED, scripted_clip


def clip(name: str):
    return load_clip(bundled()[name])


def test_they_are_all_that_is_not_written_by_hand():
    assert set(SCRIPTED) == {*TABLETOP, *FLOOR} - set(SUITE)
    assert (
        len(clip_set("tabletop")) >= 12
        and len({load_scene_file(p.scene).manipulated.model for p in SCRIPTED.values()}) >= 8
    )
    for name, plan in SCRIPTED.items():
        made = clip(name)
        assert made.provenance["command"] == f"python -m devi_jax.choreograph scripted {name}"
        assert made.provenance["plan"]["hand"] == plan.hand and (made.scene.table is None) == (name in FLOOR)


@pytest.mark.slow
def test_making_one_again_gives_its_arrays():
    made, there = scripted_clip("floor_place"), clip("floor_place")
    assert made.joint_rotations == pytest.approx(there.joint_rotations, abs=2e-4)
    assert made.joint_positions == pytest.approx(there.joint_positions, abs=2e-4)
    assert (made.contact == there.contact).all()
    np.testing.assert_allclose(made.camera.T_camera_world, there.camera.T_camera_world, atol=1e-9)


@pytest.mark.parametrize("name", clip_set("multi-object"))
def test_a_thing_is_let_go_upon_its_target(name):
    """Its lowest point is on the target's top, over the target, and no hand holds it."""
    made = clip(name)
    target, poses = made.scene.target, made.object_poses
    assert target is not None and target.name == SCRIPTED[name].numbers["target"] and not made.contact[-1].any()
    thing, other = as_trimesh(made.scene.object).vertices, as_trimesh(target.object).vertices
    lowest = (rotate(poses.rotations[-1], thing) + poses.positions[-1]).min(axis=0)[2]
    below = rotate(np.array(target.pose[3:]), other) + target.pose[:3]
    assert below[:, 2].min() < lowest < below[:, 2].max() + 2e-3
    assert np.linalg.norm(poses.positions[-1, :2] - (below.min(axis=0) + below.max(axis=0))[:2] / 2) < 0.03


def test_a_thing_on_the_floor_is_pushed_lifted_and_put_down():
    moved = {name: clip(name).object_poses.positions for name in FLOOR}
    assert moved["floor_push"][-1, 1] - moved["floor_push"][0, 1] == pytest.approx(0.25, abs=1e-3)
    assert np.ptp(moved["floor_push"][:, 2]) < 1e-3
    for name, height in (("floor_bottle", 0.3), ("floor_box", 0.35)):
        assert moved[name][-1, 2] - moved[name][0, 2] == pytest.approx(height, abs=1e-3)
    put = moved["floor_place"]
    assert put[:, 2].max() - put[0, 2] > 0.05 and put[-1] - put[0] == pytest.approx([0.0, 0.1, 0.0], abs=2e-3)


@pytest.mark.slow
def test_somebody_moves_a_thing_as_it_was_recorded(tmp_path):
    """A cylinder whose centre of mass goes up and to the left at 25 frames a second, as TCDM writes it."""
    up = np.clip(np.arange(30) / 20, 0, 1)[:, None]
    path, mesh, out = (tmp_path / name for name in ("up.npz", "cylinder.stl", "clip.npz"))
    np.savez(path, object_translation=up * [-0.05, 0.0, 0.15], object_orientation=np.tile([1.0, 0, 0, 0], (30, 1)))
    trimesh.creation.cylinder(radius=0.035, height=0.12, sections=24).export(mesh)
    choreograph.follow(path, mesh, out=out)
    made = load_clip(out)
    poses = made.object_poses.positions
    assert poses[-1] - poses[0] == pytest.approx([-0.05, 0.0, 0.15], abs=1e-3)
    assert made.contact[-1, 1] == 1 and made.provenance["plan"]["source"] == "up.npz"
