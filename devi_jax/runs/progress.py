"""What the person in front of a run sees: a live bar with a table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, SupportsFloat

import rich.progress
from rich.console import Console, RenderableType
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text


class Row(NamedTuple):
    """One number on display; `unit` may be empty."""

    label: str
    value: SupportsFloat
    unit: str

    @property
    def text(self) -> str:
        """Value and unit."""
        return f"{float(self.value):.4g} {self.unit}".rstrip()


class Bar(rich.progress.Progress):
    """One bar with its percentage and the time left, by the pace since the first update; below it, what `rows` hold.

    Compilation before the first update does not count, and one that begins anew has a pace of its own.
    """

    def __init__(self, console: Console, now: Callable[[], float], name: str = "", width: int = 40, **options: bool):
        self.rows: Sequence[Row] = ()
        self.compiling: tuple[str, float] | None = None
        self._left = TimeRemainingColumn(compact=True)
        columns = [BarColumn(width), TaskProgressColumn(), TextColumn("left"), self._left]
        columns = [TextColumn(f"{name:10}"), *columns] if name else columns
        clock = {"get_time": now, "speed_estimate_period": float("inf"), "refresh_per_second": 4}
        super().__init__(*columns, console=console, **clock, **options)  # type: ignore[arg-type]
        self._task = self.add_task("", total=1.0, start=False)

    def show(self, done: float | int) -> None:
        """Show the fraction `done` in [0, 1]."""
        task = self.tasks[0]
        if task.start_time is None or done < task.completed:
            self.reset(self._task)
        self.update(self._task, completed=done)

    @property
    def left(self) -> str:
        """The time left, as the bar has it."""
        return self._left.render(self.tasks[0]).plain

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is redrawn: the bar, or what is being compiled and for how long; and the table of numbers."""
        if self.compiling:
            said, began = self.compiling
            yield Text(f"{said} {self.get_time() - began:.0f} s")
        else:
            yield self.make_tasks_table(self.tasks)
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for row in self.rows:
            table.add_row(row.label, f"{float(row.value):.4g}", row.unit)
        yield table


class RunProgress:
    """How far a run is, between `with` and its end: a live bar with a table of numbers on a terminal, lines elsewhere.

    Args:
        console: where to; stdout unless given.
        every_s: seconds from line to line; the first update and the last have one in any case.
        now: the clock, in seconds.
    """

    def __init__(
        self, console: Console | None = None, every_s: float = 10.0, now: Callable[[], float] = time.monotonic
    ):
        self._console = console or Console()
        self._live = self._console.is_terminal
        self._bar = Bar(self._console, now, disable=not self._live)
        self._every_s, self._now = every_s, now
        self._printed_at: float | None = None
        self._held = ""

    def __enter__(self) -> "RunProgress":
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._bar.stop()
        elif self._held:
            self.announce(self._held)
            self._held = ""

    def update(self, done: float | int, rows: Sequence[Row | tuple[str, SupportsFloat, str]]) -> None:
        """Show the fraction `done` in [0, 1] and the latest numbers, in the order given."""
        self._bar.rows = [Row(*row) for row in rows]
        self._bar.show(done)
        if self._live:
            return
        numbers = "  ".join(f"{row.label} {row.text}" for row in self._bar.rows)
        self._held, now = f"[{done:4.0%}] left {self._bar.left}  {numbers}", self._now()
        if self._printed_at is None or now - self._printed_at >= self._every_s:
            self.announce(self._held)
            self._held, self._printed_at = "", now

    def announce(self, text: str, end: str = "\n") -> None:
        """Say something once, above the bar."""
        self._console.print(text, end=end, markup=False, emoji=False, highlight=False, soft_wrap=True)

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """While `what` is compiled, say so; then for how long it was."""
        said, began = f"compiling {what} ...", self._now()
        if self._live:
            self._bar.compiling = (said, began)
        else:
            self.announce(said, end="")
        try:
            yield
        finally:
            self._bar.compiling = None
            self.announce(f"{said if self._live else ''} {self._now() - began:.0f} s")


class Step:
    """What a step says of itself while it runs: notes for its line, and on a terminal how far it is."""

    def __init__(self, name: str, now: Callable[[], float]):
        self.notes: list[str] = []
        self._name, self._now = name, now
        self._bar: Bar | None = None

    def __call__(self, note: str) -> None:
        """Say what came of it."""
        self.notes.append(note)

    def part(self, done: float) -> None:
        """Show the fraction `done` in [0, 1] and the time left, in place; nothing in a pipe or a log."""
        if self._bar is None and sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)
            self._bar = Bar(Console(), self._now, self._name, width=24, transient=True)
        if self._bar is not None:
            self._bar.show(done)
            self._bar.start()

    def clear(self) -> None:
        """Take the bar away, so that the step's line can be written in its place."""
        if self._bar is not None:
            self._bar.stop()
            print(f"{self._name:10}", end="", flush=True)


class Steps:
    """A line a step of a command: its name, how long it took, what came of it. `seconds` keeps the times."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self._now = now
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[Step]:
        """Time what happens inside, which may say what came of it and how far it is."""
        step = Step(name, self._now)
        began = self._now()
        print(f"{name:10}", end="", flush=True)
        try:
            yield step
        except BaseException:
            step.clear()
            print(flush=True)
            raise
        self.seconds[name] = round(self._now() - began, 2)
        step.clear()
        print(f"{self.seconds[name]:7.1f} s  {'; '.join(step.notes)}".rstrip(), flush=True)
