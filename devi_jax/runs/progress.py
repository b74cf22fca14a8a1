"""What the person in front of a run sees: a live bar with a table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol, SupportsFloat, runtime_checkable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
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


@runtime_checkable
class Progress(Protocol):
    """Shows how far a run is, between `with` and its end."""

    def update(self, done: float | int, rows: Sequence[Row | tuple[str, SupportsFloat, str]]) -> None:
        """Show the fraction `done` in [0, 1] and the latest numbers, in the order given."""
        ...

    def announce(self, text: str) -> None:
        """Say something once."""
        ...

    def compiling(self, what: str) -> AbstractContextManager[None]:
        """A context in which `what` is compiled; its end says how long that took."""
        ...

    def __enter__(self) -> "Progress": ...

    def __exit__(self, *exception: object) -> None: ...


def progress(console: Console | None = None, every_s: float = 10.0) -> Progress:
    """A live display where `console` (default: stdout) is a terminal, else a line every `every_s` seconds."""
    console = console or Console()
    return LiveProgress(console) if console.is_terminal else PlainProgress(every_s)


BAR = 24
"""Characters of the bar of a step."""


class Pace:
    """Time left, from the pace since the first update (compilation before it does not count)."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self._now = now
        self._start: tuple[float, float] | None = None

    def left_s(self, done: float | int) -> float | None:
        """Seconds left at the fraction `done`; None as long as there is no pace."""
        now = self._now()
        if self._start is None:
            self._start = (now, done)
        began, first = self._start
        return (now - began) * (1 - done) / (done - first) if done > first else None


def clock(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; `-` for None."""
    if seconds is None:
        return "-"
    hours, rest = divmod(round(seconds), 3600)
    minutes, s = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{s:02d}" if hours else f"{minutes}:{s:02d}"


class PlainProgress:
    """Lines for logs and pipes: the first update, then one every `every_s` seconds, and the last."""

    def __init__(self, every_s: float = 10.0, now: Callable[[], float] = time.monotonic):
        self._every_s, self._now = every_s, now
        self._pace = Pace(now)
        self._printed_at: float | None = None
        self._held = ""

    def __enter__(self) -> "PlainProgress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._held:
            print(self._held, flush=True)
            self._held = ""

    def update(self, done: float | int, rows: Sequence[Row | tuple[str, SupportsFloat, str]]) -> None:
        """Print the numbers in one line, unless one was printed shortly before."""
        left = self._pace.left_s(done)
        numbers = "  ".join(f"{row.label} {row.text}" for row in (Row(*r) for r in rows))
        self._held = f"[{done:4.0%}] left {clock(left)}  {numbers}"
        now = self._now()
        if self._printed_at is None or now - self._printed_at >= self._every_s:
            print(self._held, flush=True)
            self._held, self._printed_at = "", now

    def announce(self, text: str) -> None:
        """Print one line."""
        print(text, flush=True)

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Print `compiling WHAT ... 23 s`."""
        print(f"compiling {what} ...", end="", flush=True)
        began = self._now()
        try:
            yield
        finally:
            print(f" {self._now() - began:.0f} s", flush=True)


class LiveProgress:
    """A bar, the time left and a table of numbers, redrawn in place four times a second."""

    def __init__(self, console: Console):
        self._console = console
        self._pace = Pace()
        self._done: float = 0.0
        self._left: float | None = None
        self._rows: list[Row] = []
        self._compiling: tuple[str, float] | None = None
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> "LiveProgress":
        self._live.start(refresh=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def update(self, done: float | int, rows: Sequence[Row | tuple[str, SupportsFloat, str]]) -> None:
        """Take the numbers for the next redraw."""
        self._done, self._left = done, self._pace.left_s(done)
        self._rows = [Row(*row) for row in rows]

    def announce(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(text, markup=False, highlight=False)

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Count the seconds in place, then leave a line that says how many."""
        began = time.monotonic()
        self._compiling = (what, began)
        try:
            yield
        finally:
            self._compiling = None
            self.announce(f"compiling {what} ... {time.monotonic() - began:.0f} s")

    def _render(self) -> RenderableType:
        if self._compiling:
            what, began = self._compiling
            head: RenderableType = Text(f"compiling {what} ... {time.monotonic() - began:.0f} s")
        else:
            head = Table.grid(padding=(0, 1))
            bar = ProgressBar(total=1.0, completed=self._done, width=40)
            head.add_row(bar, f"{self._done:.0%}", "left", clock(self._left))
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        table.add_column()
        for row in self._rows:
            table.add_row(row.label, f"{float(row.value):.4g}", row.unit)
        return Group(head, table)


class Step:
    """What a step says of itself while it runs: notes for its line, and on a terminal how far it is."""

    def __init__(self, name: str, now: Callable[[], float]):
        self.notes: list[str] = []
        self._name, self._pace, self._drawn = name, Pace(now), False

    def __call__(self, note: str) -> None:
        """Say what came of it."""
        self.notes.append(note)

    def part(self, done: float) -> None:
        """Show the fraction `done` in [0, 1] and the time left, in place; nothing in a pipe or a log."""
        if sys.stdout.isatty():
            filled = round(BAR * min(max(done, 0.0), 1.0))
            bar = "\u2501" * filled + "\u2500" * (BAR - filled)
            print(
                f"\r{self._name:10}{bar} {done:4.0%}  left {clock(self._pace.left_s(done))} \x1b[K", end="", flush=True
            )
            self._drawn = True

    def clear(self) -> None:
        """Take the bar away, so that the step's line can be written in its place."""
        if self._drawn:
            print(f"\r\x1b[K{self._name:10}", end="", flush=True)


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
            print(flush=True)
            raise
        self.seconds[name] = round(self._now() - began, 2)
        step.clear()
        print(f"{self.seconds[name]:7.1f} s  {'; '.join(step.notes)}".rstrip(), flush=True)
