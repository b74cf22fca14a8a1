"""The folder of one run: what it was made with, and where each of its files lies."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devi_jax.core.errors import RunError
from devi_jax.runs.json_io import write_json
from devi_jax.runs.provenance import provenance

FORMAT = 1
"""Version of the layout of a run folder."""


@dataclass(frozen=True)
class RunDir:
    """A run folder. Make one with `create`, read one with `open`."""

    path: Path

    @classmethod
    def create(cls, path: Path | str, config: Mapping[str, Any], *, system: str, seed: int) -> "RunDir":
        """Make the folder and its `config.json`: the resolved config and what it runs on.

        Args:
            path: folder that is absent or empty.
            config: the resolved config; dataclasses, paths and functions may stand in it.
            system: name of the recipe, checked by `open`.
            seed: seed of every random number of the run.

        Raises:
            RunError: when `path` is a file or a folder with something in it.
        """
        run = cls(Path(path))
        run.refuse_used()
        described = {"format": FORMAT, "system": system, "seed": seed, "config": config, **provenance()}
        write_json(run.config_json, {**described, "created": datetime.now(UTC).isoformat(timespec="seconds")})
        return run

    @classmethod
    def open(cls, path: Path | str, system: str | None = None) -> "RunDir":
        """The existing run at `path`; of the recipe `system` where that is given.

        Raises:
            RunError: when there is no run, its config cannot be read, or it is another system's.
        """
        run = cls(Path(path))
        if not run.path.is_dir():
            raise RunError(
                "there is no such run folder",
                where=str(path),
                valid="a folder written by python -m devi_jax.train",
                fix=f"python -m devi_jax.train --clip=lift_can --out={path}",
            )
        found = run.description()
        if system is not None and found["system"] != system:
            raise RunError(
                f"the run belongs to the system '{found['system']}', not to '{system}'",
                where=str(run.config_json),
                valid=f"a run of '{system}'",
                fix=f"leave the system out, or train '{system}' into another folder with --out",
            )
        return run

    def description(self) -> dict[str, Any]:
        """What `config.json` holds: system, seed, config, command, git, versions, machine.

        Raises:
            RunError: when the file is absent or not readable.
        """
        try:
            found = json.loads(self.config_json.read_text())
        except FileNotFoundError:
            within = sorted(p.parent.name for p in self.path.glob("*/config.json"))
            several = f", but those of {', '.join(within)}: name one of them" if within else ""
            raise self._unreadable(f"the folder holds no run{several}") from None
        except (OSError, ValueError) as error:
            raise self._unreadable(f"the run's config is not readable ({error})") from error
        if not isinstance(found, dict) or not {"format", "system", "seed", "config"} <= found.keys():
            raise self._unreadable("the run's config lacks format, system, seed or config")
        if found["format"] != FORMAT:
            raise self._unreadable(f"the run has format {found['format']}, this version reads {FORMAT}")
        return found

    def refuse_used(self) -> None:
        """Raise `RunError` unless the folder is absent or empty."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunError(
                "the run folder exists and is not empty",
                where=str(self.path),
                valid="a folder that is absent or empty",
                fix=f"--resume={self.path} to go on with that run, or another --out",
            )

    @property
    def config_json(self) -> Path:
        """Resolved config and what the run was made with."""
        return self.path / "config.json"

    @property
    def metrics_jsonl(self) -> Path:
        """One line of scalars per iteration."""
        return self.path / "metrics.jsonl"

    @property
    def evaluation_json(self) -> Path:
        """The metrics of the trained policy."""
        return self.path / "evaluation.json"

    @property
    def film_mp4(self) -> Path:
        """Reference and simulation side by side."""
        return self.path / "film.mp4"

    @property
    def strip_png(self) -> Path:
        """A few frames of the film in one picture."""
        return self.path / "strip.png"

    @property
    def curves_png(self) -> Path:
        """Learning curves."""
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    def _unreadable(self, what: str) -> RunError:
        return RunError(
            what,
            where=str(self.config_json),
            valid="the config.json that python -m devi_jax.train writes",
            fix="name another run folder, or train again into a new one with --out",
        )


def next_run_folder(clip: str, runs: Path = Path("runs")) -> Path:
    """`runs/<clip>-<n>` with the smallest n >= 1 that is not taken yet."""
    stem = re.sub(r"[^\w.-]+", "_", Path(clip).stem) or "clip"
    n = 1
    while (runs / f"{stem}-{n}").exists():
        n += 1
    return runs / f"{stem}-{n}"
