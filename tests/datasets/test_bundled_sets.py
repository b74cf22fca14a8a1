import pytest

from devi_jax import clips
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.datasets.bundled_sets import GRADES, SETS, clip_set, graded
from devi_jax.datasets.load import bundled


@pytest.mark.parametrize("name", SETS)
def test_every_clip_of_a_set_is_bundled_in_every_grade_and_once(name):
    names = clip_set(name)
    assert len(set(names)) == len(names) > 0
    assert {graded(clip, grade) for clip in names for grade in GRADES} <= set(bundled())


def test_an_unknown_set_names_all_of_them():
    with pytest.raises(ClipError, match="did you mean tabletop-8") as caught:
        clip_set("tabletop8")
    assert all(name in caught.value.valid for name in SETS) and caught.value.where == "--clips"


def test_a_set_is_listed_in_its_order(capsys):
    clips.main(["list", "--set=tabletop-8"])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert tuple(line.split()[0] for line in lines[: len(SETS["tabletop-8"])]) == SETS["tabletop-8"]
    assert not lines[len(SETS["tabletop-8"])]


def test_two_hands_both_touch():
    for name in clip_set("two-hands"):
        assert (load_clip(bundled()[name]).contact > 0.5).any(axis=0).all()
