"""How far away each pixel is, and in which sense."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate

DepthKind = Literal["metric", "scale", "affine", "affine_inverse"]
"""What the numbers mean: metres; metres up to a factor; up to factor and offset; the same of one over the depth."""


@dataclass(frozen=True, kw_only=True)
class Depth(Estimate):
    """Depth along z, `depth` (T, H, W), sound where `valid` (T, H, W).

    H x W may be smaller than the picture, of which it covers the whole.
    """

    depth: np.ndarray
    valid: np.ndarray
    kind: DepthKind

    UNITS: ClassVar[dict[str, str]] = {"depth": "m, or as `kind` says", "valid": "bool"}

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.depth)

    def validate(self, where: str = "depth") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        sizes: dict[str, int] = {}
        checks.shaped(self.depth, ("T", "H", "W"), "f", f"{where}: depth", sizes)
        checks.shaped(self.valid, ("T", "H", "W"), "b", f"{where}: valid", sizes)
        if self.kind not in get_args(DepthKind):
            raise checks.EstimateError(
                f"kind is {self.kind!r}", where=f"{where}: kind", valid=", ".join(get_args(DepthKind))
            )
        seen = self.depth[self.valid]
        checks.finite(seen, f"{where}: depth")
        if self.kind in ("metric", "scale") and (seen <= 0).any():
            raise checks.EstimateError(
                f"{(seen <= 0).sum()} pixels marked valid are not in front of the camera",
                where=f"{where}: depth",
                valid="positive numbers where valid",
            )
