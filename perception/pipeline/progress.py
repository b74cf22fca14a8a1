"""How a pipeline says what it is at: a line a stage, with a note and how far it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


@runtime_checkable
class StageReporter(Protocol):
    """What a stage says of itself: a note for its line, and how far it is, 0 to 1."""

    def __call__(self, note: str) -> None: ...

    def part(self, done: float) -> None: ...


Step = Callable[[str], AbstractContextManager[StageReporter]]
"""Times what happens inside, which may say what came of it."""
