"""The runner of all benchmarks: each job once, in order; what broke off or tells nothing leaves no result."""

from dataclasses import dataclass, replace

import pytest

from devi_jax.bench.grid import Grid, check_positive, next_free, run_logged, write_markdown
from devi_jax.bench.result_files import read_results
from devi_jax.core.errors import ConfigError, RunError


@dataclass(frozen=True)
class Square:
    side: int

    @property
    def name(self) -> str:
        return f"square-{self.side}"


@pytest.fixture
def grid(tmp_path):
    """Five squares: the second ends in an error, the third is interrupted, the fourth tells nothing; and a log."""
    ran = []

    def run(job, folder):
        assert folder.name == job.name
        ran.append(job.side)
        return {1: 2, 2: -15}.get(job.side, 0)

    def collect(job, folder, code):
        if job.side == 3:
            raise RunError("no figure was left")
        status = {"status": "failed", "error": "too thin"} if code else {"status": "done", "error": None}
        return {"area": job.side**2, **status}

    def page(results):
        return f"{[r['area'] for r in results]}\n"

    jobs = [Square(side) for side in range(5)]
    return Grid(
        jobs, tmp_path, tmp_path / "docs" / "areas", run, collect, lambda folder: write_markdown(folder, page)
    ), ran


def test_jobs_are_run_once_and_the_page_says_what_the_results_say(grid, capsys):
    squares, ran = grid
    page = squares.fill(limit=2)
    assert ran == [0, 1] and page == squares.results.with_suffix(".md") and page.read_text() == "[0, 1]\n"
    squares.fill()
    assert ran == [0, 1, 2, 3, 4] and page.read_text() == "[0, 1, 16]\n"
    states = [line.split() for line in squares.listing().splitlines()]
    assert states == [[("missing" if i in (2, 3) else "done"), f"square-{i}"] for i in range(5)]
    said = [line.split(str(squares.results))[0] for line in capsys.readouterr().out.splitlines()]
    assert said == [
        *("1 of 5: square-0", "  result: ", "2 of 5: square-1", "  FAILED: too thin; result: "),
        *("1 of 3: square-2", "  interrupted; it goes on the next time"),
        *("2 of 3: square-3", "  no result: no figure was left", "3 of 3: square-4", "  result: "),
    ]
    squares.fill(limit=1, again=True)
    assert ran[-1] == 0 and len(read_results(squares.results)) == 3


def test_what_cannot_be_run_here_is_told_and_left_out(grid, tmp_path):
    squares, ran = grid
    (tmp_path / "square-1").mkdir()
    there = replace(squares, jobs=squares.jobs[:2], obstacle=lambda job: "" if job.side else "no clip")
    assert there.listing() == "no clip   square-0\nbegun     square-1"
    there.fill()
    assert ran == [1]


@pytest.mark.parametrize("flags", [{"seeds": 0}, {"minutes": -1.0, "limit": None}, {"limit": 2, "iterations": 0}])
def test_flags_that_are_not_positive_are_named(flags):
    name = next(k for k, v in flags.items() if v is not None and v <= 0)
    with pytest.raises(ConfigError, match=f"--{name} must be positive"):
        check_positive(**flags)
    check_positive(seeds=1, minutes=0.5, limit=None)


def test_a_commands_output_and_its_exit_code_are_kept(tmp_path):
    log = tmp_path / "logs" / "a.log"
    assert run_logged(["sh", "-c", "echo out; echo err >&2; exit 3"], log) == 3
    assert run_logged(["sh", "-c", "kill -9 $$"], log) == -9
    assert log.read_text() == "out\nerr\n"


def test_an_old_result_is_measured_again_after_what_is_missing_and_what_it_left_is_kept(grid, tmp_path):
    squares, ran = grid
    squares.fill(limit=2)
    (tmp_path / "square-0").mkdir()
    aged = replace(squares, jobs=[*squares.jobs[:2], *squares.jobs[4:]], old=lambda row: row["area"] == 0)
    assert [text.split()[0] for text in aged.listing().splitlines()] == ["old", "done", "missing"]
    aged.fill()
    assert ran == [0, 1, 4, 0] and (tmp_path / "square-0-unknown").is_dir()
    assert next_free(tmp_path / "square-0-unknown").name == "square-0-unknown-2"


def test_results_of_changed_code_are_refused_before_and_after(grid, capsys):
    squares, ran = grid
    told = replace(squares, collect=lambda job, folder, code: {"area": 0, "status": "done", "dirty": True})
    replace(told, clean=lambda: None).fill(limit=1)
    assert "uncommitted changes; remove its folder" in capsys.readouterr().out and not read_results(squares.results)
    told.fill(limit=1)
    assert len(read_results(squares.results)) == 1 and len(ran) == 2

    def refuse():
        raise ConfigError("changed")

    with pytest.raises(ConfigError):
        replace(squares, clean=refuse).fill()
    assert len(ran) == 2
