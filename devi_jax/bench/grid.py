"""The runner of every benchmark: a grid of jobs, a result file each; what is missing is measured, and the page renewed.

A benchmark is its jobs, what runs one, what is kept of it, and the page of all results.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from devi_jax.bench.result_files import Result, read_json, read_results, result_file, write_result
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.core.files import write_text


@runtime_checkable
class Job(Protocol):
    """One measurement of a benchmark."""

    @property
    def name(self) -> str:
        """What its result, its folder and its log are called."""
        ...


J = TypeVar("J", bound=Job)


@dataclass(frozen=True)
class Grid(Generic[J]):
    """A benchmark.

    Attributes:
        jobs: in the order they are run.
        runs: where each job has a folder of its name for what it leaves behind.
        results: folder of the result files.
        run: measures a job in its folder, as a rule in a process of its own; the exit code.
        collect: the result of a job, from its folder and its exit code, good or bad.
            Both raise `RunError` where there is nothing to tell.
        write_page: makes the page of the results in a folder.
        obstacle: why a job cannot be run here, in two words; empty where it can.
        label: how a job is announced.
        old: whether a result is too old for a page, so that its job is due again.
        clean: raises `ConfigError` where code is not that of a commit; asked before each job. None: any code will do.
    """

    jobs: Sequence[J]
    runs: Path
    results: Path
    run: Callable[[J, Path], int]
    collect: Callable[[J, Path, int], Result]
    write_page: Callable[[Path], Path]
    obstacle: Callable[[J], str] = lambda job: ""
    label: Callable[[J], str] = lambda job: job.name
    old: Callable[[Result], bool] = lambda result: False
    clean: Callable[[], None] | None = None

    def state(self, job: J) -> str:
        """`done` has a result, good or bad, `old` one that no page takes; `begun` has a folder; else `missing`, or what
        is in its way."""
        file = result_file(self.results, job.name)
        if file.exists():
            return "old" if self.old(read_json(file)) and not self.obstacle(job) else "done"
        return self.obstacle(job) or ("begun" if (self.runs / job.name).exists() else "missing")

    def listing(self) -> str:
        """All jobs and their states, a line each."""
        return "\n".join(f"{self.state(job):9} {job.name}" for job in self.jobs)

    def fill(self, limit: int | None = None, again: bool = False) -> Path:
        """Measure the jobs that lack a result, then those whose result is old, and write the page after each.

        `limit`: so many at most. `again`: also those that have one. Raises `ConfigError` as `clean` does.
        """
        states = {job: self.state(job) for job in self.jobs}
        due = [job for job in self.jobs if states[job] in ("missing", "begun", *(("done",) if again else ()))]
        due += [job for job in self.jobs if states[job] == "old"]
        for i, job in enumerate(due[:limit], 1):
            if self.clean:
                self.clean()
            if states[job] == "old":
                self._set_aside(job)
            print(f"{i} of {len(due)}: {self.label(job)}", flush=True)
            print(f"  {self._measure(job)}", flush=True)
            self.write_page(self.results)
        return self.write_page(self.results)

    def _set_aside(self, job: J) -> None:
        """Move what an old result left behind to a name of its own, so that its job begins anew."""
        folder = self.runs / job.name
        if folder.exists():
            commit = read_json(result_file(self.results, job.name)).get("commit") or "unknown"
            folder.rename(next_free(folder.with_name(f"{folder.name}-{commit[:10]}")))

    def _measure(self, job: J) -> str:
        """Measure a job and keep its result; what came of it, in words."""
        try:
            code = self.run(job, self.runs / job.name)
            if code < 0 or code == 130:
                return "interrupted; it goes on the next time"
            result = self.collect(job, self.runs / job.name, code)
            if self.clean and result.get("dirty"):
                raise RunError("measured with uncommitted changes; remove its folder", where=str(self.runs / job.name))
        except RunError as error:
            return f"no result: {error}"
        path = write_result(self.results, job.name, result)
        if result["status"] == "done":
            return f"result: {path}"
        said = f": {result['error']}" if result.get("error") else ""
        return f"FAILED{said}; result: {path}"


def next_free(path: Path) -> Path:
    """The path, or with the first number behind it that is free."""
    numbered = (path.with_name(f"{path.name}-{k}") for k in count(2))
    return next(p for p in chain([path], numbered) if not p.exists())


def write_markdown(results: Path, page: Callable[[Sequence[Result]], str]) -> Path:
    """Write the page of all results in a folder beside that folder."""
    return write_text(results.with_suffix(".md"), page(read_results(results)))


def check_positive(**flags: float | None) -> None:
    """Raise `ConfigError` for a flag's value, where one is given, that is not above 0."""
    wrong = [name for name, value in flags.items() if value is not None and value <= 0]
    if wrong:
        raise ConfigError(f"--{wrong[0]} must be positive", where=f"--{wrong[0]}", valid=f"for example --{wrong[0]}=3")


def log_file(folder: Path) -> Path:
    """Where what a job in a folder printed is kept: beside the folder."""
    return folder.parent / f"{folder.name}.log"


def run_logged(command: Sequence[str], log: Path) -> int:
    """Run a command whose output is added to a log; its exit code, negative or 130 where it was interrupted."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode


def last_error(log: Path) -> str:
    """The last error that a log tells of, in one line; else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()] if log.exists() else []
    said = [line for line in lines if line]
    errors = [line for line in said if line.startswith("error:")]
    return (errors or said or ["nothing was said"])[-1].removeprefix("error:").strip()
