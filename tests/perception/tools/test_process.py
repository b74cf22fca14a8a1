"""Programs that fail, hang, are absent or talk a lot."""

import os
import sys
import time

import pytest

from devi_jax.core.errors import ConfigError
from perception.contracts import EstimateError
from perception.tools.process import Log, run


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_words_are_kept_and_the_folder_is_found(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "only_here.py").write_text("word = 'imported'")
    text = "import os, sys, only_here; print(only_here.word, os.getcwd()); print('complaint', file=sys.stderr)"
    log = Log(tmp_path / "logs" / "tool")
    seconds = run(python(text), log, 60, tmp_path / "repo", "--tool")
    assert log.out.read_text() == f"imported {tmp_path / 'repo'}\n" and log.tail() == "complaint"
    assert 0 < seconds < 60


def test_a_failure_ends_with_the_end_of_its_stderr(tmp_path):
    text = "import sys\nfor i in range(40): print(f'line {i}', file=sys.stderr)\nprint('last on stdout')\nsys.exit(3)"
    with pytest.raises(EstimateError, match="exit code 3") as caught:
        run(python(text), Log(tmp_path / "tool"), 60, None, "--tool")
    assert "line 39" in caught.value.what and "line 25" in caught.value.what and "line 24" not in caught.value.what
    assert "stdout" not in caught.value.what and "tool.err.txt" in caught.value.fix
    assert (tmp_path / "tool.err.txt").read_text().startswith("line 0\n")


def test_progress_bars_do_not_fill_the_error(tmp_path):
    text = "import sys\nfor i in range(100): sys.stderr.write(f'\\r{i} %')\nsys.exit(1)"
    with pytest.raises(EstimateError) as caught:
        run(python(text), Log(tmp_path / "tool"), 60, None, "--tool")
    assert "99 %" in caught.value.what and "84 %" not in caught.value.what


def test_after_its_time_a_program_ends_with_all_its_children(tmp_path):
    child = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    text = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    start = time.monotonic()
    with pytest.raises(EstimateError, match="longer than 2 s"):
        run(python(text), Log(tmp_path / "tool"), 2.0, tmp_path, "--tool")
    assert time.monotonic() - start < 20
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    raise AssertionError("the child still runs")


def test_absent_programs_and_folders_are_named_with_their_flag(tmp_path):
    with pytest.raises(ConfigError, match="'absent-program' cannot be started") as caught:
        run(["absent-program"], Log(tmp_path / "tool"), 60, None, "--gvhmr")
    assert caught.value.where == "--gvhmr"
    with pytest.raises(ConfigError, match="no such folder"):
        run(python(""), Log(tmp_path / "tool"), 60, tmp_path / "absent", "--gvhmr")
