"""Curves are written for runs of any length, with every unit."""

import json

import numpy as np
import pytest
from PIL import Image

from devi_jax.core.errors import RunError
from devi_jax.runs import curves as module
from devi_jax.runs.curves import curves


def write(path, lines: int) -> None:
    rows = [
        {
            "iteration": i,
            "episode/reward": i / 10,
            "episode/length": 30.0,
            "environment/body_position": None if i % 3 else 0.1,
        }
        for i in range(lines)
    ]
    rows.append({"iteration": lines, "evaluation/lift_ratio": 0.5})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("lines", [1, 2, 60])
def test_curves_are_drawn(tmp_path, lines, monkeypatch):
    drawn = []
    plot = module._plot

    def noted(axis, iterations, values, title, unit):
        drawn.append((title, unit))
        plot(axis, iterations, values, title, unit)

    monkeypatch.setattr(module, "_plot", noted)
    write(tmp_path / "m.jsonl", lines)
    units = {"evaluation/lift_ratio": "", "environment/body_position": "m", "environment/absent": "rad"}
    curves(tmp_path / "curves.png", tmp_path / "m.jsonl", units)
    assert drawn == [("reward", ""), ("length", "frames"), ("policy: lift ratio", ""), ("body position", "m")]
    picture = np.asarray(Image.open(tmp_path / "curves.png").convert("L"))
    assert picture.shape[1] == 1430 and (picture < 128).sum() > 500
    assert sorted(p.name for p in tmp_path.iterdir()) == ["curves.png", "m.jsonl"]


def test_no_metrics_is_one_error(tmp_path):
    with pytest.raises(RunError, match="no metrics"):
        curves(tmp_path / "curves.png", tmp_path / "m.jsonl", {})
    assert list(tmp_path.iterdir()) == []


def test_smoothing_is_a_centred_mean():
    smooth = module._smooth(np.arange(80.0) ** 2)
    assert smooth[40] == pytest.approx(np.mean(np.arange(38.0, 43.0) ** 2))
    assert smooth[0] == pytest.approx((0 + 1 + 4) / 3)


def test_rows_without_a_number_are_left_out():
    rows = [{"iteration": 1, "a": 2.0}, {"iteration": 2, "a": None}, {"iteration": 3}, {"iteration": 4, "a": 5.0}]
    iterations, values = module._series(rows, "a")
    assert iterations.tolist() == [1, 4] and values.tolist() == [2.0, 5.0]
    assert len(module._series(rows, "b")[0]) == 0
