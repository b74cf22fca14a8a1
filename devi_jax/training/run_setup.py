"""Run folders of a training: one, or one for each of several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax

from devi_jax.core.clip import Clip
from devi_jax.core.errors import RunError
from devi_jax.runs.hosts import leads, wait_for_all
from devi_jax.runs.run_dir import RunDir
from devi_jax.training.milestones import Milestones
from devi_jax.training.run_config import RunConfig, save_clips


@dataclass(frozen=True)
class RunRecord:
    """A run folder with its milestones, and the name of its policy where there are several."""

    run: RunDir
    milestones: Milestones
    name: str = "policy"


def create(out: Path, config: RunConfig, clips: Clip | Sequence[Clip], seeds: int = 1) -> list[RunRecord]:
    """The run folder `out`, or in it one for each of several seeds, from the config's on. One process makes them.

    Raises:
        RunError: when `out` is in use, or is not seen by all processes.
    """
    clips = (clips,) if isinstance(clips, Clip) else tuple(clips)
    if seeds == 1:
        return [_create(out, config, clips, "policy")]
    RunDir(out).refuse_used()
    own = [replace(config, seed=config.seed + i) for i in range(seeds)]
    return [_create(out / f"seed-{c.seed}", c, clips, f"seed {c.seed}") for c in own]


def _create(out: Path, config: RunConfig, clips: Sequence[Clip], name: str) -> RunRecord:
    if leads():
        run = RunDir.create(out, config.to_json(), system=config.system.name, seed=config.seed)
        save_clips(run, clips)
    wait_for_all("run folder")
    if not RunDir(out).config_json.exists():
        raise RunError(
            f"process {jax.process_index()} does not see the run folder that process 0 created",
            where=str(out.absolute()),
            valid="a folder that all processes see and can write",
            fix="set --out to a folder on storage that all machines share",
        )
    run = RunDir.open(out)
    print(f"run: {run.path}")
    return RunRecord(run, Milestones(run.path), name)
