"""Where the stages' estimates come from, and the settings of the stages after them."""

from dataclasses import dataclass, field
from typing import Literal

from devi_jax.core.errors import ConfigError
from perception.align.config import AlignConfig
from perception.align.first_frame import Mode
from perception.contact import ContactConfig, estimated
from perception.readers import table
from perception.unify import UnifyConfig

Stage = Literal["landmarks", "body", "hands", "points", "motion", "aligned"]

AUTO = "auto"


@dataclass(frozen=True)
class Sources:
    """`auto` or `TOOL:FILE` each (`readers.table`), and settings."""

    body: str = AUTO
    hands: str = AUTO
    points: str = AUTO
    first_frame: Mode = "rigid"
    unify: UnifyConfig = field(default_factory=UnifyConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    contact: ContactConfig = field(default_factory=estimated)

    def validate(self) -> None:
        """Raise `ConfigError` for settings without meaning, a body and hands that do not go together, and files that
        are not there or of no known tool."""
        if (self.body == AUTO) != (self.hands == AUTO):
            what = "the built-in networks see body and hands together, and tools' estimates are unified with each other"
            where = f"--body={self.body} --hands={self.hands}"
            raise ConfigError(what, where=where, valid="both auto, or a tool's file for each")
        for flag, given, readers in (
            ("--body", self.body, table.BODY),
            ("--hands", self.hands, table.HANDS),
            ("--points", self.points, table.POINTS),
        ):
            if given != AUTO and not (path := table.named(given, readers, flag)[1]).is_file():
                raise ConfigError(f"no such file: {path}", where=f"{flag}={given}", valid="what the tool wrote")
        for config in (self.unify, self.align, self.contact):
            config.validate()
