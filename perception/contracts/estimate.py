"""What all contracts share: the rate and size of the video they belong to, and where they come from."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from perception.contracts.checks import EstimateError


@dataclass(frozen=True)
class Origin:
    """Who made it: the tool, the licence its result is under, and anything worth keeping (settings, files, choices)."""

    tool: str = ""
    licence: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Base of the contracts: `fps` frames a second, pictures of `size_px` (width, height) pixels."""

    fps: float
    size_px: tuple[int, int]
    origin: Origin = Origin()

    UNITS: ClassVar[dict[str, str]] = {}
    """Unit of each array, as it stands in the file."""

    @property
    def frames(self) -> int:
        """Number of frames T."""
        raise TypeError(f"{type(self).__name__} has no frames")

    def validate(self, where: str = "") -> None:
        """Raise `EstimateError` unless shapes, types and values are sound; `where` says what they belong to."""
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise EstimateError(f"fps is {self.fps}", where=f"{where}: fps", valid="a positive number, the video's")
        if len(self.size_px) != 2 or any(not isinstance(n, int) or n < 1 for n in self.size_px):
            raise EstimateError(
                f"size is {self.size_px}", where=f"{where}: size_px", valid="(width, height), whole pixels"
            )
        if self.frames < 1:
            raise EstimateError("there are no frames", where=where, valid="one frame or more")
