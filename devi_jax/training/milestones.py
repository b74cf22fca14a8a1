"""Milestones of a run: wall-clock minutes and environment steps until an evaluation first passed."""

import json
import time
from pathlib import Path
from typing import Any

from devi_jax.runs.json_io import write_json

PASSES = {"success": 1.0, "parity": 1.0, "perturbed_60": 0.6, "perturbed_80": 0.8}
"""Milestones of a policy, and the score that each needs."""


class Milestones:
    """`stages.json` of a run folder, which survives a resume. Minutes count from the start of the command."""

    def __init__(self, folder: Path):
        self._file = folder / "stages.json"
        self._rows: list[dict[str, Any]] = json.loads(self._file.read_text()) if self._file.exists() else []
        self._began = time.monotonic() - 60 * max([r["minutes"] for r in self._rows], default=0.0)

    @property
    def minutes(self) -> float:
        """Minutes since the run began; after a resume, continued from its last milestone."""
        return (time.monotonic() - self._began) / 60

    def reach(self, stage: str, steps: int, minutes: float | None = None, **more: Any) -> bool:
        """Record that a milestone is reached, now or at given `minutes`; true if it is the first time."""
        if any(row["stage"] == stage for row in self._rows):
            return False
        self._rows.append(
            {"stage": stage, "minutes": round(self.minutes if minutes is None else minutes, 3), "steps": steps, **more}
        )
        write_json(self._file, self._rows)
        return True

    def judge(self, scalars: dict[str, float], steps: int) -> list[str]:
        """Milestones that an evaluation of the policy reaches for the first time."""
        values = {
            "success": scalars.get("evaluation/success", 0.0),
            "parity": scalars.get("evaluation/parity", 0.0),
            "perturbed_60": scalars.get("evaluation/perturbed_success", 0.0),
            "perturbed_80": scalars.get("evaluation/perturbed_success", 0.0),
        }
        return [stage for stage, least in PASSES.items() if values[stage] >= least and self.reach(stage, steps)]
