"""The object's path in space."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class ObjectMotion(Estimate):
    """Poses of the object in the scene's world: `positions` (T, 3) metres, `rotations` (T, 4) wxyz.

    `found` (T,): frames in which it was seen; the others lie between their neighbours, and nothing should rely on them.
    """

    positions: np.ndarray
    rotations: np.ndarray
    found: np.ndarray

    UNITS: ClassVar[dict[str, str]] = {"positions": "m", "rotations": "quaternions wxyz", "found": "bool"}

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.positions)

    def validate(self, where: str = "object") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        sizes: dict[str, int] = {}
        checks.shaped(self.positions, ("T", 3), "f", f"{where}: positions", sizes)
        checks.shaped(self.rotations, ("T", 4), "f", f"{where}: rotations", sizes)
        checks.shaped(self.found, ("T",), "b", f"{where}: found", sizes)
        checks.finite(self.positions, f"{where}: positions")
        checks.finite(self.rotations, f"{where}: rotations")
        off = np.abs(np.linalg.norm(self.rotations, axis=-1) - 1)
        if off.max() > 1e-2:
            raise checks.EstimateError(
                f"a quaternion of length {1 + off.max():.3g} or {1 - off.max():.3g} at frame {off.argmax()}",
                where=f"{where}: rotations",
                valid="unit quaternions, w first",
            )
