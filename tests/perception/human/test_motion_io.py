"""A motion comes back from its file as it was; other files are refused."""

import json

import numpy as np
import pytest

from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS
from perception.human.motion import SkeletonMotion
from perception.human.motion_io import load_motion, save_motion


@pytest.fixture
def motion(rng) -> SkeletonMotion:
    quats = rng.normal(size=(3, len(JOINTS), 4))
    quats /= np.linalg.norm(quats, axis=-1, keepdims=True)
    return SkeletonMotion(
        24.0, quats, rng.normal(size=(3, 3)), rng.normal(size=(len(JOINTS), 3)), "camera", {"by": ["a", 1]}
    )


def test_round_trip(motion, tmp_path):
    back = load_motion(save_motion(motion, tmp_path / "m.npz"))
    for name in ("rotations", "root", "offsets"):
        np.testing.assert_array_equal(getattr(back, name), getattr(motion, name))
    assert (back.fps, back.frame, back.provenance) == (24.0, "camera", {"by": ["a", 1]})


def test_the_same_motion_is_the_same_file(motion, tmp_path):
    first, second = (save_motion(motion, tmp_path / name).read_bytes() for name in ("a.npz", "b.npz"))
    assert first == second


def test_other_files_are_refused(motion, tmp_path):
    path = save_motion(motion, tmp_path / "m.npz")
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays.pop("header")[()]))
    for change, said in (({"schema": 9}, "schema 9"), ({"kind": "Clip"}, "Clip"), ({"fps": 0}, "fps > 0")):
        np.savez(path, header=np.array(json.dumps({**header, **change})), **arrays)
        with pytest.raises(ClipError, match=said):
            load_motion(path)
    path.write_bytes(b"PK")
    with pytest.raises(ClipError, match="not a readable motion"):
        load_motion(path)
    with pytest.raises(ClipError, match="not a readable motion"):
        load_motion(tmp_path / "absent.npz")
