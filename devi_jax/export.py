"""`python -m devi_jax.export RUN --out=POLICY.npz`: a run's policy as one small file that plays without the run."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.runtime.devices import ignore_fork_warning
from devi_jax.runtime.rundir import RunDir
from devi_jax.systems.policyfile import write_policy


@dataclass(frozen=True)
class Options:
    """Write the latest policy of a run: parameters, plan, clip, configuration and provenance."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder written by devi_jax.train."""
    out: Path
    """Policy file (.npz); `devi_jax.play` and `devi_jax.evaluate` take it in place of a run folder."""
    overwrite: bool = False
    """Replace an existing file."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=sys.argv[1:] if arguments is None else arguments)
        if options.out.suffix != ".npz":
            raise ConfigError(f"'{options.out}' is no policy file name", where="--out", valid="a path ending in .npz")
        if options.out.exists() and not options.overwrite:
            raise ConfigError("the file exists", where=f"--out={options.out}", mend="add --overwrite")
        ignore_fork_warning()
        path = write_policy(RunDir.open(options.run), options.out)
        print(f"policy: {path}, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
