"""Where the stages' estimates come from, and the settings of the stages after them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from devi_jax.core.errors import ConfigError
from perception.align.config import AlignConfig
from perception.align.first_frame import Mode
from perception.contact.contact_labels import ContactConfig, estimated
from perception.human.merge_body_and_hands import UnifyConfig
from perception.pipeline.inputs import AUTO, named_files
from perception.readers import table
from perception.tools.locations import ToolLocations, ToolName
from perception.tools.table import TOOLS
from perception.tools.tool import check_location

Stage = Literal["landmarks", "body", "hands", "points", "masks", "depth", "object", "motion", "aligned"]

READERS: Mapping[str, Mapping[str, table.Reader]] = {
    "body": table.BODY,
    "hands": table.HANDS,
    "points": table.POINTS,
    "masks": table.MASKS,
    "depth": table.DEPTH,
}
"""Stages that take a tool's estimate, and the readers of each."""


@dataclass(frozen=True)
class PipelineConfig:
    """Of each stage `auto`, `TOOL:FILE` (`readers.table`), the stage's own `FILE.npz`, or a tool of `run`.

    `masks` and `depth` may be empty: there are none then. `run`: tools that are started, each in the environment that
    `tools` names.
    """

    body: str = AUTO
    hands: str = AUTO
    points: str = AUTO
    masks: str = ""
    depth: str = ""
    run: tuple[ToolName, ...] = ()
    tools: ToolLocations = field(default_factory=ToolLocations)
    first_frame: Mode = "rigid"
    unify: UnifyConfig = field(default_factory=UnifyConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    contact: ContactConfig = field(default_factory=estimated)

    def runs(self, value: str) -> str | None:
        """The tool of `run` that `value` names, `gvhmr` of `gvhmr-world`; None for anything else."""
        name = value.removesuffix("-world")
        return name if name in self.run else None

    def resolved(self) -> "PipelineConfig":
        """The same with a tool of `run` in each stage that it estimates and that no flag settles.

        Raises:
            ConfigError: two tools of `run` estimate a stage, or nothing takes what one of them estimates.
        """
        chosen: dict[str, str] = {}
        for stage, readers in READERS.items():
            value, able = getattr(self, stage), [name for name in self.run if name in readers]
            if value in ("", AUTO) and len(able) > 1:
                raise ConfigError(
                    f"{' and '.join(able)} both estimate {stage}",
                    where=f"--run {' '.join(self.run)}",
                    valid="one tool a stage",
                    fix=f"--{stage}={able[0]}",
                )
            chosen[stage] = able[0] if value in ("", AUTO) and able else value
        used = {self.runs(value) for value in chosen.values()}
        for name in self.run:
            if name not in used:
                valid = " or ".join(f"--{stage}={name}" for stage, readers in READERS.items() if name in readers)
                raise ConfigError(f"nothing takes what {name} estimates", where=f"--run={name}", valid=valid)
        return replace(self, **chosen)

    def validate(self) -> None:
        """Raise `ConfigError` for settings without meaning, tools and files that are not there or are not known."""
        for stage, readers in READERS.items():
            value = getattr(self, stage)
            if value not in ("", AUTO) and not (self.runs(value) and value in readers):
                named_files(value, readers, f"--{stage}", "" if stage in ("masks", "depth") else AUTO)
        self.resolved()
        for name in self.run:
            check_location(TOOLS[name], self.tools.of(name))
        for config in (self.unify, self.align, self.contact):
            config.validate()
