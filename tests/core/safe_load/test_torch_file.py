import os
import zipfile

import numpy as np
import pytest

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.torch_file import read_matrix, read_torch


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        *[("FloatStorage", "<f4"), ("DoubleStorage", "<f8"), ("HalfStorage", "<f2"), ("LongStorage", "<i8")],
        *[("IntStorage", "<i4"), ("ShortStorage", "<i2"), ("CharStorage", "i1"), ("ByteStorage", "u1")],
        ("BoolStorage", "?"),
    ],
)
def test_reads_every_storage_type(tmp_path, torch_files, kind, dtype):
    data = np.arange(12).reshape(3, 4).astype(dtype)
    path = torch_files.save(tmp_path / "a.pt", torch_files.tensor(kind, 12, (3, 4), (4, 1)), data.tobytes())
    np.testing.assert_array_equal(read_torch(path), data)


def test_bfloat16_is_the_upper_half_of_float32(tmp_path, torch_files):
    values = np.array([1.0, -2.5, 0.0078125], "<f4")  # exact in 8 bits of mantissa
    raw = (values.view("<u4") >> 16).astype("<u2").tobytes()
    path = torch_files.save(tmp_path / "a.pt", torch_files.tensor("BFloat16Storage", 3, (3,), (1,)), raw)
    np.testing.assert_array_equal(read_torch(path), values)


def test_strides_and_offset_are_those_of_torch(tmp_path, torch_files):
    data = np.arange(20, dtype="<f4")
    path = torch_files.save(
        tmp_path / "a.pt", torch_files.tensor("FloatStorage", 20, (3, 4), (1, 3), offset=5), data.tobytes()
    )
    np.testing.assert_array_equal(read_torch(path), data[5:17].reshape(4, 3).T)


def test_gradients_parameters_and_dicts_are_read(tmp_path, torch_files):
    data = np.arange(6, dtype="<f8").reshape(2, 3)
    plain = torch_files.tensor("DoubleStorage", 6, (2, 3), (3, 1), grad=True)
    hooks = torch_files.call(torch_files.name("collections", "OrderedDict"))
    parameter = torch_files.call(torch_files.name("torch._utils", "_rebuild_parameter"), plain, True, hooks)
    for content in (plain, parameter, torch_files.value({"motion": plain})):
        path = torch_files.save(tmp_path / "a.pt", content, data.tobytes())
        np.testing.assert_array_equal(read_matrix(path), data)


def test_the_array_is_a_copy_that_can_be_written(tmp_path, torch_files):
    array = read_matrix(torch_files.save_matrix(tmp_path / "a.pt", np.ones((2, 3))))
    array[0, 0] = 5.0
    assert array.dtype == np.float64 and array.sum() == 10


def test_an_empty_tensor_is_empty(tmp_path, torch_files):
    path = torch_files.save(tmp_path / "a.pt", torch_files.tensor("FloatStorage", 0, (0, 591), (591, 1)))
    assert read_matrix(path).shape == (0, 591)


@pytest.mark.parametrize("module", [os.system.__module__, "os"])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, torch_files, module):
    victim = tmp_path / "created"
    content = torch_files.call(torch_files.name(module, "system"), f"touch {victim}")
    with pytest.raises(ClipError) as caught:
        read_torch(torch_files.save(tmp_path / "evil.pt", content))
    assert not victim.exists()
    assert f"{module}.system" in caught.value.what
    assert "evil.pt" in caught.value.where and caught.value.valid and caught.value.fix


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *[("builtins", "eval"), ("builtins", "getattr"), ("numpy", "load"), ("torch", "load")],
        *[("torch.storage", "_load_from_bytes"), ("collections", "defaultdict"), ("functools", "partial")],
    ],
)
def test_only_what_a_tensor_needs_may_be_named(tmp_path, torch_files, module, name):
    with pytest.raises(ClipError, match=f"{module}.{name}"):
        read_torch(torch_files.save(tmp_path / "a.pt", torch_files.name(module, name)))


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        *[((3, 4), (5, 1), 0), ((3, 4), (4, 1), 1), ((13,), (1,), 0), ((10**9,), (0,), 0)],
        *[((2,), (-1,), 5), ((4,), (1,), -2), ((3,), (1, 1), 0)],
    ],
)
def test_views_outside_their_storage_are_refused(tmp_path, torch_files, size, stride, offset):
    content = torch_files.tensor("FloatStorage", 12, size, stride, offset)
    with pytest.raises(ClipError, match="outside its storage"):
        read_torch(torch_files.save(tmp_path / "a.pt", content, np.zeros(12, "<f4").tobytes()))


def test_a_storage_of_another_length_is_refused(tmp_path, torch_files):
    content = torch_files.tensor("FloatStorage", 12, (3, 4), (4, 1))
    with pytest.raises(ClipError, match="44 bytes"):
        read_torch(torch_files.save(tmp_path / "a.pt", content, bytes(44)))


def test_big_endian_is_refused(tmp_path, torch_files):
    content = torch_files.tensor("FloatStorage", 1, (1,), (1,))
    with pytest.raises(ClipError, match="big-endian"):
        read_torch(torch_files.save(tmp_path / "a.pt", content, bytes(4), byteorder="big"))


def test_not_a_tensor_names_what_it_is(tmp_path, torch_files):
    with pytest.raises(ClipError, match="holds str"):
        read_matrix(torch_files.save(tmp_path / "a.pt", torch_files.value("hello")))
    one = torch_files.tensor("FloatStorage", 12, (12,), (1,))
    with pytest.raises(ClipError, match=r"shape \(12,\)"):
        read_matrix(torch_files.save(tmp_path / "a.pt", one, bytes(48)))


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    with pytest.raises(ClipError, match="FileNotFoundError"):
        read_torch(path)
    path.write_bytes(b"\x80\x02}q\x00.")  # a bare pickle, as torch.save wrote before 1.6
    with pytest.raises(ClipError, match="not a readable torch checkpoint"):
        read_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(ClipError, match="no torch checkpoint"):
        read_torch(path)


def test_a_file_damaged_anywhere_gives_a_clip_error_or_an_array(tmp_path, torch_files, rng):
    whole = torch_files.save_matrix(tmp_path / "a.pt", np.ones((4, 5))).read_bytes()
    refused = 0
    for k in range(200):
        raw = bytearray(whole)
        if k % 2:
            raw = raw[: rng.integers(len(raw))]
        else:
            raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        (tmp_path / "b.pt").write_bytes(raw)
        try:
            assert read_torch(tmp_path / "b.pt") is not None
        except ClipError:
            refused += 1
    assert refused > 100  # every truncated file at least
