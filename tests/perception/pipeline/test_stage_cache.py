"""What is done, what is due, and what the user put there."""

import pytest

from devi_jax.core.errors import RunError
from perception.pipeline.stage_cache import INDEX_FILE, StageCache, key_of


def test_a_stage_is_due_then_kept_and_due_again_with_another_key(tmp_path):
    ledger = StageCache(tmp_path / "work")
    assert ledger.state("a", ["a.npz"], "k") == "due" and not (tmp_path / "work").exists()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.npz").write_text("made")
    ledger.enter("a", ["a.npz"], "k")
    later = StageCache(tmp_path / "work")
    assert later.state("a", ["a.npz", "never.npz"], "k") == "kept"
    assert later.state("a", ["a.npz"], "other") == "due"
    assert StageCache(tmp_path / "work", ["a"]).state("a", ["a.npz"], "k") == "due"
    (tmp_path / "work" / "a.npz").unlink()
    assert later.state("a", ["a.npz"], "k") == "due"


def test_files_that_others_wrote_are_their_own_whatever_the_key(tmp_path):
    ledger = StageCache(tmp_path)
    (tmp_path / "a.npz").write_text("theirs")
    assert ledger.state("a", ["a.npz", "b.npz"], "k") == "own"
    ledger.enter("a", ["a.npz"], "k")
    (tmp_path / "a.npz").write_text("changed")
    assert ledger.state("a", ["a.npz", "b.npz"], "k") == "own"
    assert StageCache(tmp_path, ["a"]).state("a", ["a.npz"], "k") == "due"


def test_keys_tell_settings_apart():
    assert key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})
    assert len({key_of("a"), key_of("b"), key_of("a", "b"), key_of("ab")}) == 4


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"schema": 2, "stages": {}}', '{"schema": 1, "stages": {"a": {"key": 1}}}']
)
def test_a_damaged_book_is_named(tmp_path, text):
    (tmp_path / INDEX_FILE).write_text(text)
    with pytest.raises(RunError, match="--work"):
        StageCache(tmp_path)
