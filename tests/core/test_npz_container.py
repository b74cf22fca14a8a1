"""What is written comes back; what is damaged, foreign, hostile or changed is refused by file and field."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.errors import RunError
from devi_jax.core.npz_container import NpzFormat, UnreadableNpz, array_names, digest_of, read_array, read_arrays

FORMAT = NpzFormat("sketch", 3, RunError, "draw it again", kind="Sketch", fields=("values",))
ARRAYS = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.array([0.1, np.nan])}


def written(path, **options):
    return FORMAT.write(path, ARRAYS, {"values": {"fps": 30}}, **options)


def rewritten(path, edit=lambda header: header, **arrays):
    """The file with its header changed and other arrays (None: left out)."""
    content = read_arrays(path)
    content |= {"header": np.array(json.dumps(edit(json.loads(str(content["header"])))))} | arrays
    np.savez(path, **{k: v for k, v in content.items() if v is not None})
    return path


@pytest.mark.parametrize("digest", [True, False])
def test_header_and_arrays_come_back_bit_for_bit(tmp_path, digest):
    path = written(tmp_path / "new" / "a.npz", digest=digest)
    header, arrays = FORMAT.read(path)
    assert list(header)[:3] == ["schema", "kind", "values"] and header["values"] == {"fps": 30}
    assert (header["schema"], header["kind"], "sha256" in header) == (3, "Sketch", digest)
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)
    assert list(path.parent.iterdir()) == [path] and array_names(path) == ["header", "a", "b"]


def test_the_same_content_is_the_same_file(tmp_path):
    assert written(tmp_path / "a.npz").read_bytes() == written(tmp_path / "b.npz").read_bytes()


def test_a_file_without_suffix_keeps_its_name(tmp_path):
    assert FORMAT.read(written(tmp_path / "sketch"))[0]["schema"] == 3


@pytest.mark.parametrize(
    ("edit", "said", "where"),
    [
        (lambda h: h | {"schema": 4}, "sketch has schema 4", "header.schema"),
        (lambda h: h | {"kind": "Depth"}, "the file holds Depth", "header.kind"),
        (lambda h: {k: v for k, v in h.items() if k != "kind"}, "the file holds None", "header.kind"),
        (lambda h: {k: v for k, v in h.items() if k != "schema"}, "no readable header", "header"),
        (lambda h: h | {"values": [1]}, "no readable header", "header"),
        (lambda h: [h], "no readable header", "header"),
        (lambda h: h | {"sha256": "0" * 64}, "not those that were written", "header.sha256"),
    ],
)
def test_a_header_of_another_file_is_refused_by_field(tmp_path, edit, said, where):
    path = rewritten(written(tmp_path / "a.npz"), edit)
    with pytest.raises(RunError, match=said) as caught:
        FORMAT.read(path)
    assert caught.value.where == f"{path}: {where}" and caught.value.fix == "draw it again"


def test_arrays_that_are_not_what_was_written_are_refused(tmp_path):
    for arrays, said in (
        ({"a": ARRAYS["a"] + 1}, "not those that were written"),
        ({"a": ARRAYS["a"].astype(np.int64)}, "not those that were written"),
        ({"b": None}, "not those that were written"),
        ({"a": np.array(["x"])}, "array is of type <U1"),
        ({"a": np.array([{}], object)}, "pickled objects"),
        ({"header": None}, "no readable header: it is not a sketch"),
        ({"header": np.array("{")}, "no readable header"),
    ):
        with pytest.raises(RunError, match=said):
            FORMAT.read(rewritten(written(tmp_path / "a.npz", digest=True), **arrays))
    kept = rewritten(written(tmp_path / "a.npz", digest=True), lambda h: h | {"note": "by hand"})
    assert FORMAT.read(kept)[0]["note"] == "by hand"  # the digest is of the arrays


def test_no_file_a_folder_and_a_damaged_one_are_refused(tmp_path):
    whole = written(tmp_path / "a.npz").read_bytes()
    cases = {
        "absent": (None, "no such file"),
        "short": (whole[:-40], "not a readable sketch"),
        "empty": (b"", "sketch"),
    }
    for name, (content, said) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(RunError, match=said) as caught:
            FORMAT.read(tmp_path / name)
        assert caught.value.where == str(tmp_path / name) and array_names(tmp_path / name) == []
    with pytest.raises(RunError, match="IsADirectoryError"):
        FORMAT.read(tmp_path)


def test_files_from_before_there_was_a_header_are_read_where_the_format_says_so(tmp_path):
    np.savez(tmp_path / "old.npz", **ARRAYS)
    header, arrays = replace(FORMAT, bare=True).read(tmp_path / "old.npz")
    assert header == {} and set(arrays) == set(ARRAYS)
    with pytest.raises(RunError, match="no readable header"):
        FORMAT.read(tmp_path / "old.npz")


def test_a_digest_is_of_names_types_shapes_and_content():
    a = ARRAYS["a"]
    same = digest_of({"b": ARRAYS["b"], "a": np.asfortranarray(a)})
    assert same == digest_of(ARRAYS)
    others = [{"c": a}, {"a": a.T}, {"a": a.astype(np.uint32)}, {"a": a.reshape(3, 2)}, {"a": a * 2}, {"a": a}]
    assert len({digest_of(x) for x in others}) == 6


def test_one_array_is_read_from_npy_and_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", ARRAYS["a"])
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), ARRAYS["a"])
    np.save(tmp_path / "b.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UnreadableNpz, match="pickled") as caught:
        read_array(tmp_path / "b.npy")
    assert caught.value.pickled
    with pytest.raises(UnreadableNpz) as caught:
        read_array(tmp_path / "absent.npy")
    assert not caught.value.pickled


def test_threads_that_write_one_file_leave_one_whole_file(tmp_path):
    threads = [threading.Thread(target=written, args=(tmp_path / "a.npz",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == [tmp_path / "a.npz"] and FORMAT.read(tmp_path / "a.npz")[0]["schema"] == 3
