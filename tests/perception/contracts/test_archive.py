"""Estimates survive a file bit for bit; what is damaged, foreign or hostile is refused with a reason."""

import dataclasses
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from perception.contracts import BodyMotion, Depth, Estimate, EstimateError, HandMotion, load, save
from tests.perception.contracts.conftest import body, depth, hand


def rewritten(path, edit=None, **arrays):
    """The file with other arrays (None: left out) and a header changed by `edit(dict)`."""
    with np.load(path) as file:
        content = {key: file[key] for key in file.files}
    content |= arrays
    if edit is not None:
        values = json.loads(str(content["header"][()]))
        edit(values)
        content["header"] = np.array(json.dumps(values))
    np.savez(path, **{k: v for k, v in content.items() if v is not None})
    return path


def test_an_estimate_comes_back_bit_for_bit(tmp_path, estimate):
    back = load(save(estimate, tmp_path / "new" / "a.npz"), type(estimate))
    for field in dataclasses.fields(estimate):
        was, now = getattr(estimate, field.name), getattr(back, field.name)
        assert type(was) is type(now), field.name
        if isinstance(was, np.ndarray):
            assert was.dtype == now.dtype
            np.testing.assert_array_equal(was, now)
        else:
            assert was == now, field.name
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "a.npz"]


def test_absent_arrays_stay_absent(tmp_path):
    bare = replace(hand(), joints3d=None)
    assert load(save(bare, tmp_path / "a.npz"), HandMotion).joints3d is None


def test_the_header_says_what_the_file_holds(tmp_path, estimate):
    with np.load(save(estimate, tmp_path / "a.npz"), allow_pickle=False) as file:
        header = json.loads(str(file["header"][()]))
        assert header["schema"] == 1 and header["kind"] == type(estimate).__name__
        assert set(header["units"]) == set(file.files) - {"header"}
    assert (header["tool"], header["licence"], header["provenance"]["seed"]) == ("test", "CC0-1.0", 3)
    assert header["values"]["fps"] == 24 and header["values"]["size_px"] == [64, 48]


def test_the_kinds_of_files_outlive_the_names_of_classes():
    """A file's kind is its class's name: renaming a class must not leave the files of earlier versions unread."""
    kinds = ["BodyMotion", "Depth", "HandMotion", "Keypoints", "Masks", "ObjectMotion", "PointTracks"]
    assert sorted(kind.__name__ for kind in Estimate.__subclasses__()) == kinds


def test_what_is_not_sound_is_not_written(tmp_path):
    with pytest.raises(EstimateError, match="fps"):
        save(replace(body(), fps=0.0), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda h: h.update(schema=2), "schema 2"),
        (lambda h: h.update(kind="Depth"), "holds Depth"),
        (lambda h: h.pop("values"), "no readable header"),
        (lambda h: h.pop("tool"), "not sound"),
        (lambda h: h["values"].pop("frame"), "lacks frame"),
        (lambda h: h["values"].update(colour="red"), "has colour, unknown to BodyMotion"),
        (lambda h: h["values"].update(fps="fast"), "not sound"),
        (lambda h: h["values"].update(size_px=[64.5, 48]), "size is"),
    ],
)
def test_a_header_of_another_kind_is_refused(tmp_path, change, said):
    path = rewritten(save(body(), tmp_path / "a.npz"), edit=change)
    with pytest.raises(EstimateError, match=said) as caught:
        load(path, BodyMotion)
    assert str(path) in caught.value.where


def test_arrays_are_missing_unknown_or_of_another_type(tmp_path):
    for arrays, said in [
        ({"transl": None}, "lacks transl"),
        ({"wings": np.zeros(3)}, "has wings"),
        ({"transl": np.zeros((4, 3), int)}, "int64"),
        ({"transl": np.array([["a"] * 3] * 4)}, "<U1"),
        ({"header": None}, "no readable header"),
        ({"header": np.array("{")}, "no readable header"),
        ({"header": np.array("[1]")}, "no readable header"),
    ]:
        path = rewritten(save(body(), tmp_path / "a.npz"), **arrays)
        with pytest.raises(EstimateError, match=said):
            load(path, BodyMotion)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickled_objects_are_refused_and_not_run(tmp_path):
    victim = tmp_path / "created"
    path = rewritten(save(body(), tmp_path / "a.npz"), betas=np.array([Bomb(victim)], object))
    with pytest.raises(EstimateError, match="pickled objects"):
        load(path, BodyMotion)
    path.write_bytes(pickle.dumps(Bomb(victim)))
    with pytest.raises(EstimateError):
        load(path, BodyMotion)
    assert not victim.exists()


def test_no_file_and_a_file_of_another_kind_are_refused(tmp_path):
    with pytest.raises(EstimateError, match="no such file"):
        load(tmp_path / "absent.npz", BodyMotion)
    with pytest.raises(EstimateError, match="holds Depth"):
        load(save(depth(), tmp_path / "a.npz"), HandMotion)


def test_a_truncated_file_is_always_refused_and_a_flipped_bit_never_breaks_out(tmp_path, rng):
    whole = save(depth(), tmp_path / "a.npz").read_bytes()
    broken = tmp_path / "b.npz"
    for size in rng.integers(len(whole), size=40):
        broken.write_bytes(whole[:size])
        with pytest.raises(EstimateError):
            load(broken, Depth)
    for place in rng.integers(len(whole), size=80):
        raw = bytearray(whole)
        raw[place] ^= 1 << int(rng.integers(8))
        broken.write_bytes(raw)
        try:
            found: Estimate = load(broken, Depth)
        except EstimateError:
            continue
        np.testing.assert_array_equal(found.depth, depth().depth)
