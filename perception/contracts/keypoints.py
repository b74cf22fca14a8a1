"""Named points of a person in the picture, and where a network lifts them, in 3D: before there is any body."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Keypoints(Estimate):
    """K points over T frames.

    `xy` (T, K, 2) pixels and `conf` (T, K) in 0..1, zero where a point was not seen and its place means nothing.
    `names` (K,): what each is, once. `xyz` (T, K, 3): metres along the camera's axes from an origin that the tool
    chose, so only differences between points of one frame mean something.
    """

    xy: np.ndarray
    conf: np.ndarray
    names: tuple[str, ...]
    xyz: np.ndarray | None = None

    UNITS: ClassVar[dict[str, str]] = {"xy": "px", "conf": "1", "xyz": "m, relative"}

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.xy)

    @property
    def seen(self) -> np.ndarray:
        """Frames with any point, (T,) bool."""
        return np.asarray((self.conf > 0).any(axis=1))

    def index(self, *names: str) -> list[int]:
        """Where points stand among `names`."""
        return [self.names.index(name) for name in names]

    def validate(self, where: str = "keypoints") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        sizes = {"K": len(self.names)}
        checks.shaped(self.xy, ("T", "K", 2), "f", f"{where}: xy", sizes)
        checks.shaped(self.conf, ("T", "K"), "f", f"{where}: conf", sizes)
        checks.finite(self.conf, f"{where}: conf")
        checks.finite(self.xy, f"{where}: xy", self.seen)
        if self.xyz is not None:
            checks.shaped(self.xyz, ("T", "K", 3), "f", f"{where}: xyz", sizes)
            checks.finite(self.xyz, f"{where}: xyz", self.seen)
        if not self.names or len(set(self.names)) < len(self.names):
            twice = [name for name in dict.fromkeys(self.names) if self.names.count(name) > 1]
            raise checks.EstimateError(
                f"points stand twice: {', '.join(twice)}" if twice else "there are no points",
                where=f"{where}: names",
                valid="one name or more, each once",
            )
        if self.conf.min() < 0 or self.conf.max() > 1:
            raise checks.EstimateError(
                f"confidences reach from {self.conf.min():.3g} to {self.conf.max():.3g}",
                where=f"{where}: conf",
                valid="0 to 1",
            )
