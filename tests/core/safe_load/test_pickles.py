"""Arrays come back from pickles of every protocol; nothing that a pickle names is run."""

import io
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.pickles import PlainUnpickler, read_pickle
from devi_jax.core.safe_load.torch_file import read_torch

NUMBERS = st.one_of(
    hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes(sizes=(16, 32, 64)), hnp.boolean_dtypes()
)


def same(a, b):
    """Whether two contents are equal, arrays bit for bit."""
    if isinstance(a, np.ndarray):
        return a.dtype.newbyteorder("=") == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)), st.integers(0, 5), st.booleans())
def test_arrays_come_back_from_every_protocol(array, protocol, fortran):
    array = np.asfortranarray(array) if fortran else array
    content = {"a": [array, (array, "text")], "n": 3, "x": None}
    raw = io.BytesIO(pickle.dumps(content, protocol))
    assert same(content, PlainUnpickler(raw, "a.pkl").load())


def test_scalars_and_nested_lists_come_back(tmp_path):
    frames = [[{"is_right": np.float32(0.0), "bbox": [1.5, 2.0], "n": np.int64(7)}], []]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(frames, 2))
    back = read_pickle(tmp_path / "a.pkl")
    assert back == frames and type(back[0][0]["n"]) is int


def test_arrays_inside_a_torch_checkpoint_are_read(tmp_path):
    torch = pytest.importorskip("torch")
    slam = np.arange(14.0).reshape(2, 7)
    pose = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    content = {"slam": slam, "net": {"pose": (pose, [pose.T, pose[1:]])}, "fps": 30, "n": np.float64(2.5)}
    torch.save(content, tmp_path / "a.pt")
    back = read_torch(tmp_path / "a.pt")
    np.testing.assert_array_equal(back["slam"], slam)
    np.testing.assert_array_equal(back["net"]["pose"][0], pose.numpy())
    np.testing.assert_array_equal(back["net"]["pose"][1][0], pose.numpy().T)
    np.testing.assert_array_equal(back["net"]["pose"][1][1], pose.numpy()[1:])
    assert back["fps"] == 30 and back["n"] == 2.5


class Call:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.system, eval, getattr, np.load, pickle.loads, __import__])
def test_whatever_is_no_array_is_refused_and_not_run(tmp_path, function):
    victim = tmp_path / "created"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": Call(function, f"touch {victim}")}))
    with pytest.raises(ClipError, match="which no array needs") as caught:
        read_pickle(tmp_path / "a.pkl")
    assert not victim.exists() and "a.pkl" in caught.value.where


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["text"]), np.array([(1, 2.0)], "i4,f8"), np.array([1j])])
def test_arrays_of_anything_but_numbers_are_refused(tmp_path, array):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(array, 2))
    with pytest.raises(ClipError, match="numbers"):
        read_pickle(tmp_path / "a.pkl")


def test_a_state_that_lies_about_its_size_is_refused(tmp_path):
    whole = pickle.dumps(np.arange(6, dtype="<i4").reshape(2, 3), 2)
    lying = whole.replace(b"K\x02K\x03\x86", b"K\x09K\x03\x86")
    assert lying != whole
    (tmp_path / "a.pkl").write_bytes(lying)
    with pytest.raises(ClipError, match="24 bytes for an array of shape"):
        read_pickle(tmp_path / "a.pkl")


def test_damage_anywhere_is_a_clip_error_or_a_value(tmp_path, rng):
    whole = pickle.dumps([{"a": np.arange(12.0).reshape(3, 4)}])
    path = tmp_path / "a.pkl"
    for k in range(200):
        raw = bytearray(whole)
        if k % 2:
            raw = raw[: rng.integers(len(raw))]
        else:
            raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        path.write_bytes(raw)
        try:
            read_pickle(path)
        except ClipError:
            continue
        assert k % 2 == 0  # a truncated file never passes
    with pytest.raises(ClipError, match="FileNotFoundError"):
        read_pickle(tmp_path / "absent.pkl")
