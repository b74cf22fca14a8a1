"""A metrics file of a resumed run equals that of an uninterrupted one."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from tensorboardX import SummaryWriter  # noqa: F401  (its import must not need TensorFlow)

from devi_jax.core.errors import RunError
from devi_jax.runs.loggers import JsonlLogger, Loggers, TensorboardLogger, read_jsonl, truncate_after


def write(path, steps) -> None:
    logger = JsonlLogger(path)
    for step in steps:
        logger.log(step, {"reward": np.float32(0.1) * step, "error/root": jnp.float32(1 / 3) + step})
    logger.close()


def test_a_resumed_file_equals_an_uninterrupted_one(tmp_path):
    write(tmp_path / "whole.jsonl", range(10))
    write(tmp_path / "resumed.jsonl", range(7))
    with (tmp_path / "resumed.jsonl").open("a") as file:
        file.write('{"iteration": 7, "rew')
    truncate_after(tmp_path / "resumed.jsonl", 3)
    write(tmp_path / "resumed.jsonl", range(4, 10))
    assert (tmp_path / "resumed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    truncate_after(tmp_path / "absent.jsonl", 3)
    assert not (tmp_path / "absent.jsonl").exists()


def test_lines_are_on_disk_at_once_and_are_json(tmp_path):
    logger = JsonlLogger(tmp_path / "m.jsonl")
    logger.log(2, {"reward": float("nan"), "count": 3})
    assert json.loads((tmp_path / "m.jsonl").read_text()) == {"iteration": 2, "reward": None, "count": 3}


def test_an_unreadable_line_is_named(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"iteration": 0}\nnonsense\n{"iteration": 2}\n')
    with pytest.raises(RunError, match="m.jsonl, line 2"):
        read_jsonl(path)
    with pytest.raises(RunError, match="no metrics"):
        read_jsonl(tmp_path / "absent.jsonl")


def test_loggers_fan_out(tmp_path):
    both = Loggers([JsonlLogger(tmp_path / "m.jsonl"), TensorboardLogger(tmp_path / "tb", purge_after=1)])
    both.log(5, {"reward": 0.25})
    both.close()
    assert read_jsonl(tmp_path / "m.jsonl") == [{"iteration": 5, "reward": 0.25}]
    (events,) = (tmp_path / "tb").iterdir()
    assert b"reward" in events.read_bytes() and np.float32(0.25).tobytes() in events.read_bytes()
