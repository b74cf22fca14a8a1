"""Archives and pickles of foreign tools: what they hold comes back, and nothing that they name is run."""

import os
import pickle

import numpy as np
import pytest

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.joblib_file import read_joblib
from devi_jax.core.safe_load.npz import Npz
from tests.joblib_files import dump_joblib


class Call:
    """Pickles as a call of `os.system`."""

    def __init__(self, words):
        self.words = words

    def __reduce__(self):
        return os.system, (self.words,)


@pytest.fixture
def content():
    rng = np.random.default_rng(0)
    return {
        "name": "sub3_largebox_003",
        "gender": np.array("male"),
        "trans": rng.normal(size=(7, 3)).astype(np.float32),
        "turned": np.asfortranarray(rng.normal(size=(4, 3, 3))),
        "count": np.int64(7),
        "more": [{"empty": np.zeros((0, 3)), "flags": np.array([True, False])}, (1, "a", None)],
    }


def same(back, content):
    assert back["name"] == content["name"] and str(back["gender"]) == "male" and back["count"] == 7
    for key in ("trans", "turned"):
        np.testing.assert_array_equal(back[key], content[key])
    assert back["more"][0]["empty"].shape == (0, 3) and back["more"][0]["flags"].tolist() == [True, False]
    assert back["more"][1] == (1, "a", None)


@pytest.mark.parametrize("aligned", [True, False])
def test_what_joblib_dumps_comes_back(tmp_path, content, aligned):
    same(read_joblib(dump_joblib(content, tmp_path / "a.p", aligned)), content)


@pytest.mark.parametrize("protocol", [2, 4])
def test_what_pickle_dumps_comes_back(tmp_path, content, protocol):
    (tmp_path / "a.p").write_bytes(pickle.dumps(content, protocol))
    same(read_joblib(tmp_path / "a.p"), content)


def test_archives_of_dicts_and_words_come_back_entry_by_entry(tmp_path, content):
    np.savez(tmp_path / "a.npz", all=content, word=np.array("male"), some=np.arange(5), many=[content, {}])
    back = Npz(tmp_path / "a.npz")
    assert set(back) == {"all", "word", "some", "many"} and len(back) == 4 and back["word"] == "male"
    same(back["all"], content)
    same(back["many"][0], content)
    np.testing.assert_array_equal(back["some"], np.arange(5))
    with pytest.raises(KeyError):
        back["none"]


@pytest.mark.parametrize("kind", ["npz", "pickle", "joblib"])
def test_code_is_never_run(tmp_path, kind):
    victim, path = tmp_path / "created", tmp_path / "a"
    hostile = {"trans": np.zeros(3), "x": Call(f"touch {victim}")}
    with pytest.raises(ClipError, match=r"'posix.system', which no array needs"):
        if kind == "npz":
            np.savez(tmp_path / "a.npz", x=hostile)
            Npz(tmp_path / "a.npz")["x"]
        elif kind == "pickle":
            path.write_bytes(pickle.dumps(hostile))
            read_joblib(path)
        else:
            read_joblib(dump_joblib(hostile, path))
    assert not victim.exists()


def test_damaged_files_are_clip_errors(tmp_path, content):
    whole = dump_joblib(content, tmp_path / "a.p").read_bytes()
    for stop in range(0, len(whole) - 1, 37):
        (tmp_path / "b.p").write_bytes(whole[:stop])
        with pytest.raises(ClipError):
            read_joblib(tmp_path / "b.p")
    (tmp_path / "z.p").write_bytes(b"\x78\x9cnot a pickle")
    with pytest.raises(ClipError) as caught:
        read_joblib(tmp_path / "z.p")
    assert "without compress" in caught.value.valid
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ClipError, match="archive"):
        Npz(tmp_path / "a.npz")
    with pytest.raises(ClipError, match="archive"):
        Npz(tmp_path / "absent.npz")


def test_objects_that_do_not_fill_their_array_are_refused(tmp_path):
    raw = pickle.dumps(np.array([{}, {}, {}], dtype=object), 2).replace(b"K\x03\x85", b"K\x09\x85")
    (tmp_path / "a.p").write_bytes(raw)
    with pytest.raises(ClipError, match="do not fill"):
        read_joblib(tmp_path / "a.p")
