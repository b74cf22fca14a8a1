"""What tests of simulations share: noise as asked for, bounds that are watched, and how much room is left to them."""

import json

import numpy as np
import pytest

from tests.simulated import FIGURES, JITTER, SEED, jittered, within
from tests.spread import room


def test_starts_are_jittered_as_asked_and_the_same_for_one_seed(monkeypatch):
    start = np.linspace(0, 1, 200, dtype=np.float32)
    monkeypatch.delenv(JITTER, raising=False)
    assert (jittered(start) == start).all()
    monkeypatch.setenv(JITTER, "1e-3")
    found = {}
    for seed in ("1", "2"):
        monkeypatch.setenv(SEED, seed)
        found[seed] = jittered(start) - start
        assert found[seed].dtype == np.float32 and found[seed].std() == pytest.approx(1e-3, rel=0.2)
        assert (jittered(np.stack([start, start])) == jittered(start)).all()
    assert (found["1"] != found["2"]).all()


def test_a_figure_is_written_down_whether_or_not_it_is_within_its_bounds(monkeypatch, tmp_path):
    monkeypatch.setenv(FIGURES, str(tmp_path / "figures.jsonl"))
    within("height, m", np.array([0.1, 0.2]), low=0.0)
    with pytest.raises(AssertionError, match=r"height, m: 0.1 to 0.2, not between -inf and 0.2"):
        within("height, m", np.array([0.1, 0.2]), high=0.2)
    rows = [json.loads(line) for line in (tmp_path / "figures.jsonl").read_text().splitlines()]
    assert [(row["low"], row["least"], row["most"]) for row in rows] == [(0.0, 0.1, 0.2), (-np.inf, 0.1, 0.2)]
    assert rows[0]["test"].endswith("within_its_bounds")


def test_a_failure_by_nan_is_a_failure():
    with pytest.raises(AssertionError):
        within("height, m", np.array([0.1, np.nan]), high=1.0)


def test_room_is_the_way_to_a_bound_in_widths_of_the_spread():
    rows = [{"least": x, "most": x, "low": 0.0, "high": 10.0} for x in (4.0, 5.0, 6.0)]
    assert room(rows) == pytest.approx(2.0)
    assert room([{**row, "high": 5.0} for row in rows]) == pytest.approx(-0.5)
    assert room([{**row, "low": -np.inf, "high": np.inf} for row in rows]) == np.inf
