"""Tools started during an extraction: each run once, kept like any other stage, and read by its files' readers."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devi_jax.core.files import replacing
from perception.human.scene_prior import ScenePrior
from perception.pipeline import steps
from perception.pipeline.config import PipelineConfig
from perception.pipeline.progress import Step
from perception.pipeline.stage_cache import SAID, StageCache, digest, key_of
from perception.tools.queries import write_queries
from perception.tools.table import TOOLS
from perception.tools.tool import ToolRun, run_tool
from perception.video.video import Video

RECORD = "run.json"
"""In a tool's folder: its command, how long it took, its licence."""


@dataclass
class ToolRuns:
    """The tools of `config.run` on one video. `known_key` stands for video and scene; `told` takes what provenance
    says of each run."""

    config: PipelineConfig
    video: Video
    known: ScenePrior
    known_key: str
    cache: StageCache
    step: Step
    told: dict[str, dict[str, Any]]
    _done: dict[str, ToolRun] = field(default_factory=dict)

    def result(self, name: str) -> ToolRun:
        """The result of a tool, in the folder `name` of the cache; it is run if that is due, at most once.

        What it prints is in `<name>.out.txt` and `<name>.err.txt` beside that folder.

        Raises:
            ConfigError, EstimateError: as `run_tool`.
        """
        if name not in self._done:
            self._done[name] = self._run(name)
        return self._done[name]

    def _run(self, name: str) -> ToolRun:
        tool, location = TOOLS[name], self.config.tools.of(name)
        files = [f"{name}/{tool.result_of(self.video.path)}", f"{name}/{RECORD}"]
        path, record = (self.cache.folder / file for file in files)
        place = {key: str(value) for key, value in asdict(location).items() if key != "timeout_s"}
        key = key_of(self.known_key, name, place)
        with self.step(name) as say:
            state = self.cache.state(name, files, key)
            if state == "due":
                settings = scene_settings(tool.command, self.known, self.cache.folder)
                made = run_tool(tool, location, self.video.path, self.cache.folder / name, settings, say)
                with replacing(record) as temporary:
                    temporary.write_text(json.dumps(made.provenance, indent=2) + "\n")
                self.cache.enter(name, files, key)
            own = state == "own"
            provenance = {} if own else json.loads(record.read_text())
            self.told[name] = {"state": SAID[state], "run": provenance, "sha256": digest(path)}
            say(f"{SAID[state]}: {path}" if own else SAID[state])
        return ToolRun(path, provenance)


def scene_settings(command: str, known: ScenePrior, folder: Path) -> dict[str, Any]:
    """Settings of a tool's `command` that follow from the scene: its focal length, what to segment, what to track.

    Points to track are written to `folder`.
    """
    settings: dict[str, Any] = {
        "focal_px": float(known.camera.K[0, 0]),
        "prompts": "; ".join(["person", *filter(None, [known.object_name])]),
    }
    if "{queries}" in command:
        ids, px = steps.query_points(known)
        settings["queries"] = write_queries(folder / "queries.npz", px, ids)
    return settings
