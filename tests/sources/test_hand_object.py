import numpy as np
import pytest

from devi_jax.core.errors import ClipError
from devi_jax.core.rotations import angle_between, quat_exp
from devi_jax.sources.hand_object import read_object_motion
from devi_jax.sources.resolve import resolve

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


@pytest.mark.parametrize("write", [tcdm, myodm])
def test_it_is_no_clip_and_the_error_says_who_can_move_it(tmp_path, path_of, write):
    with pytest.raises(ClipError, match="nobody who moves it") as caught:
        resolve(str(write(tmp_path / "cup.npz", *path_of)))
    assert "choreograph follow" in caught.value.mend and "--mesh" in caught.value.mend


def test_units_quaternions_time_and_rest_are_checked(tmp_path, path_of):
    positions, rotations = path_of
    for write in (tcdm, myodm):
        with pytest.raises(ClipError, match="travels 300 m"):
            read_object_motion(write(tmp_path / "a.npz", 1000 * positions, rotations))
        with pytest.raises(ClipError, match="no unit quaternion"):
            read_object_motion(write(tmp_path / "a.npz", positions, 2 * rotations))
        with pytest.raises(ClipError, match="from the first frames on"):
            read_object_motion(write(tmp_path / "a.npz", positions[12:], rotations[12:]))
        with pytest.raises(ClipError, match="shapes"):
            read_object_motion(write(tmp_path / "a.npz", positions[:, :2], rotations))
    with pytest.raises(ClipError, match="advance evenly"):
        read_object_motion(myodm(tmp_path / "a.npz", positions, rotations, np.zeros(FRAMES)))
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    with pytest.raises(ClipError, match="holds x"):
        read_object_motion(tmp_path / "b.npz")
