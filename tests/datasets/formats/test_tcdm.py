import numpy as np
import pytest

from devi_jax.core.errors import ClipError
from devi_jax.core.rotations import angle_between, quat_exp, rotate
from devi_jax.datasets.formats.tcdm import of_mesh, read_object_motion
from devi_jax.datasets.load import resolve

FRAMES = 40


@pytest.fixture
def path_of():
    """Positions (T, 3) and quaternions (T, 4) of a thing that rests, and is lifted and turned."""
    up = np.clip(np.arange(FRAMES) - 10, 0, 20)[:, None] / 20
    return up * [0.05, -0.1, 0.3] + [0.0, 0.0, 0.04], quat_exp(up * [0.0, 0.0, 0.8])


def tcdm(path, positions, rotations):
    plan = {"initialized": {"position": np.zeros(36)}, "motion_planned": {"position": np.zeros((40, 30))}}
    np.savez(
        path,
        s_0=np.array(plan, object),
        object_translation=positions,
        object_orientation=rotations,
        length=np.array(len(positions)),
        SIM_SUBSTEPS=np.array(10),
        DATA_SUBSTEPS=np.array(10),
    )
    return path


def myodm(path, positions, rotations, time=None):
    time = 0.02 * np.arange(len(positions)) if time is None else time
    robot, thing = np.zeros((len(positions), 29)), np.hstack([positions, rotations])
    np.savez(path, time=time, robot=robot, object=thing, robot_init=robot[0], object_init=thing[0])
    return path


@pytest.mark.parametrize(("write", "fps", "origin"), [(tcdm, 25.0, "centre of mass"), (myodm, 50.0, "mesh")])
def test_an_objects_motion_comes_back(tmp_path, path_of, write, fps, origin):
    motion = read_object_motion(write(tmp_path / "cup_drink1.npz", *path_of))
    np.testing.assert_allclose(motion.poses.positions, path_of[0], atol=1e-12)
    np.testing.assert_allclose(angle_between(motion.poses.rotations, path_of[1]), 0, atol=1e-6)
    assert (motion.fps, motion.origin, motion.name) == (fps, origin, "cup_drink1")


def test_a_centre_of_mass_becomes_the_meshs_origin_at_another_rate(tmp_path, path_of):
    """A mesh whose origin rests while its centre of mass turns about it."""
    away, turns = np.array([0.1, 0.0, 0.02]), path_of[1]
    moved = read_object_motion(tcdm(tmp_path / "a.npz", rotate(turns, np.tile(away, (FRAMES, 1))), turns))
    poses = of_mesh(moved, away, 50.0)
    assert len(poses.positions) == 2 * FRAMES - 1
    np.testing.assert_allclose(poses.positions[::2], 0.0, atol=1e-12)
    np.testing.assert_allclose(angle_between(poses.rotations[::2], turns), 0.0, atol=1e-6)
    half = angle_between(poses.rotations[1::2], turns[:-1])
    np.testing.assert_allclose(half, 0.5 * angle_between(turns[1:], turns[:-1]), atol=1e-6)
    still = read_object_motion(myodm(tmp_path / "b.npz", *path_of))
    np.testing.assert_allclose(of_mesh(still, away, 50.0).positions, path_of[0], atol=1e-12)


@pytest.mark.parametrize("write", [tcdm, myodm])
def test_it_is_no_clip_and_the_error_says_who_can_move_it(tmp_path, path_of, write):
    with pytest.raises(ClipError, match="nobody who moves it") as caught:
        resolve(str(write(tmp_path / "cup.npz", *path_of)))
    assert "choreograph follow" in caught.value.fix and "--mesh" in caught.value.fix


def test_units_quaternions_time_and_rest_are_checked(tmp_path, path_of):
    positions, rotations = path_of
    for write in (tcdm, myodm):
        with pytest.raises(ClipError, match="travels 300 m"):
            read_object_motion(write(tmp_path / "a.npz", 1000 * positions, rotations))
        with pytest.raises(ClipError, match="no unit quaternion"):
            read_object_motion(write(tmp_path / "a.npz", positions, 2 * rotations))
        with pytest.raises(ClipError, match="shapes"):
            read_object_motion(write(tmp_path / "a.npz", positions[:, :2], rotations))
    with pytest.raises(ClipError, match="advance evenly"):
        read_object_motion(myodm(tmp_path / "a.npz", positions, rotations, np.zeros(FRAMES)))
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    with pytest.raises(ClipError, match="holds x"):
        read_object_motion(tmp_path / "b.npz")
