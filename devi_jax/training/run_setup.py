"""Where the training of each policy of a command is kept: one run folder, or one for each of several seeds."""

from dataclasses import dataclass, replace
from pathlib import Path

import jax

from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import save_clip
from devi_jax.core.errors import RunError
from devi_jax.runs.hosts import leads, wait_for_all
from devi_jax.runs.run_dir import RunDir
from devi_jax.training.milestones import Stages
from devi_jax.training.run_config import RunConfig, clip_file


@dataclass(frozen=True)
class Record:
    """A run folder with its stages, and what the policy is called where there are several."""

    run: RunDir
    stages: Stages
    name: str = "policy"


def create(out: Path, config: RunConfig, clip: Clip, seeds: int = 1) -> list[Record]:
    """The run folder `out`, or in it one for each of several seeds, from the config's on. One process makes them.

    Raises:
        RunError: when `out` is in use, or is not seen by all processes.
    """
    if seeds == 1:
        return [_create(out, config, clip, "policy")]
    RunDir(out).refuse_used()
    own = [replace(config, seed=config.seed + i) for i in range(seeds)]
    return [_create(out / f"seed-{c.seed}", c, clip, f"seed {c.seed}") for c in own]


def _create(out: Path, config: RunConfig, clip: Clip, name: str) -> Record:
    if leads():
        run = RunDir.create(out, config.to_json(), system=config.system.name, seed=config.seed)
        save_clip(clip, clip_file(run))
    wait_for_all("run folder")
    if not clip_file(RunDir(out)).exists():
        raise RunError(
            f"process {jax.process_index()} does not see the run folder that process 0 has made",
            where=str(out.absolute()),
            valid="a folder that all processes see and can write",
            fix="--out=FOLDER on storage that all machines share",
        )
    run = RunDir.open(out)
    print(f"run: {run.path}")
    return Record(run, Stages(run.path), name)
