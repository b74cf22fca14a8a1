"""Which pixels belong to which thing, over time."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Masks(Estimate):
    """K things over T frames.

    `masks` (T, K, H, W) bool in the picture's size; `ids` (K,) the tool's numbers; `labels` what each was asked for as;
    `scores` (T, K) in 0..1, zero in frames where the tool did not see the thing.
    """

    masks: np.ndarray
    ids: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...] = ()

    UNITS: ClassVar[dict[str, str]] = {"masks": "bool", "ids": "number", "scores": "1"}

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.masks)

    def validate(self, where: str = "masks") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        width, height = self.size_px
        sizes: dict[str, int] = {}
        checks.shaped(self.masks, ("T", "K", height, width), "b", f"{where}: masks", sizes)
        checks.shaped(self.ids, ("K",), "iu", f"{where}: ids", sizes)
        checks.shaped(self.scores, ("T", "K"), "f", f"{where}: scores", sizes)
        checks.finite(self.scores, f"{where}: scores")
        if not sizes["K"] or len(set(self.ids.tolist())) < sizes["K"] or len(self.labels) != sizes["K"]:
            raise checks.EstimateError(
                f"{sizes['K']} masks have ids {self.ids.tolist()} and labels {list(self.labels)}",
                where=f"{where}: ids",
                valid="one thing or more, each with an id of its own and a label",
            )
        if self.scores.size and (self.scores.min() < 0 or self.scores.max() > 1):
            raise checks.EstimateError(
                f"scores reach from {self.scores.min():.3g} to {self.scores.max():.3g}",
                where=f"{where}: scores",
                valid="0 to 1",
            )
