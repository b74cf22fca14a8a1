"""Where a user has each tool, and the tool's own settings: every field is a flag, `--hamer.python`, `--sam3d.smplx`."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

ToolName = Literal["gvhmr", "gem", "hamer", "wilor", "sam3d", "cotracker", "tapir", "spatracker", "sam3"]


@dataclass(frozen=True)
class ToolLocation:
    """Where a user has a tool."""

    python: str = ""
    """Python of its environment, /opt/conda/envs/NAME/bin/python, or what starts it: "conda run -n NAME python"."""
    repo: Path | None = None
    """Checkout of the tool's repository, where it runs."""
    command: str = ""
    """A command line of your own, with {python} {video} {stem} {out} and the tool's own names."""
    timeout_s: float = 7200.0
    """Seconds after which the tool is stopped."""

    @property
    def settings(self) -> dict[str, Any]:
        """The tool's own settings that have a value, by name."""
        shared = {f.name for f in fields(ToolLocation)}
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in shared}
        return {name: value for name, value in values.items() if value not in (None, "")}


@dataclass(frozen=True)
class Sam3dLocation(ToolLocation):
    """Where SAM 3D Body is, and what converts its bodies to SMPL-X."""

    focal_px: float | None = None
    """Focal length in pixels; by default the scene camera's."""
    mhr_tools: Path | None = None
    """Folder of MHR's conversion to SMPL-X; by default MHR/tools/mhr_smpl_conversion in the checkout."""
    smplx: Path | None = None
    """Your SMPL-X model file; by default SMPLX_NEUTRAL.npz in the checkout."""


@dataclass(frozen=True)
class CoTrackerLocation(ToolLocation):
    """Where CoTracker is."""

    hub: str = ""
    """Name of the repository for torch.hub, or the folder of a checkout; by default facebookresearch/co-tracker."""


@dataclass(frozen=True)
class TapirLocation(ToolLocation):
    """Where TAPIR is."""

    checkpoint: Path | None = None
    """Weights of BootsTAPIR for PyTorch; by default bootstapir_checkpoint_v2.pt in the current folder."""


@dataclass(frozen=True)
class Sam3Location(ToolLocation):
    """Where SAM 3 is."""

    prompts: str = ""
    """What to segment, separated by semicolons; by default the person and the scene's object."""


@dataclass(frozen=True)
class ToolLocations:
    """Where the tools of `--run` are."""

    gvhmr: ToolLocation = field(default_factory=ToolLocation)
    """World-grounded body motion."""
    gem: ToolLocation = field(default_factory=ToolLocation)
    """Body and hands by GEM-X."""
    hamer: ToolLocation = field(default_factory=ToolLocation)
    """Hands by HaMeR."""
    wilor: ToolLocation = field(default_factory=ToolLocation)
    """Hands by WiLoR (pip package wilor-mini)."""
    sam3d: Sam3dLocation = field(default_factory=Sam3dLocation)
    """Body and hands by SAM 3D Body."""
    cotracker: CoTrackerLocation = field(default_factory=CoTrackerLocation)
    """Point tracks by CoTracker3."""
    tapir: TapirLocation = field(default_factory=TapirLocation)
    """Point tracks by TAPIR (pip package tapnet)."""
    spatracker: ToolLocation = field(default_factory=ToolLocation)
    """Point tracks and depth by SpaTrackerV2."""
    sam3: Sam3Location = field(default_factory=Sam3Location)
    """Masks by SAM 3."""

    def of(self, name: str) -> ToolLocation:
        """The location of the tool `name`."""
        return getattr(self, name)
