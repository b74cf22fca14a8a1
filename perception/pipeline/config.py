"""Where the stages' estimates come from, and the settings of the stages after them."""

from dataclasses import dataclass, field
from typing import Literal

from perception.align.config import AlignConfig
from perception.align.first_frame import Mode
from perception.contact.contact_labels import ContactConfig, estimated
from perception.human.merge_body_and_hands import UnifyConfig
from perception.pipeline.inputs import AUTO, named_files
from perception.readers import table

Stage = Literal["landmarks", "body", "hands", "points", "object", "motion", "aligned"]


@dataclass(frozen=True)
class PipelineConfig:
    """`auto`, `TOOL:FILE` (`readers.table`) or a stage's own `FILE.npz` each, and settings."""

    body: str = AUTO
    hands: str = AUTO
    points: str = AUTO
    first_frame: Mode = "rigid"
    unify: UnifyConfig = field(default_factory=UnifyConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    contact: ContactConfig = field(default_factory=estimated)

    def validate(self) -> None:
        """Raise `ConfigError` for settings without meaning, and files that are not there or of no known tool."""
        for flag, value, readers in (
            ("--body", self.body, table.BODY),
            ("--hands", self.hands, table.HANDS),
            ("--points", self.points, table.POINTS),
        ):
            if value != AUTO:
                named_files(value, readers, flag)
        for config in (self.unify, self.align, self.contact):
            config.validate()
