"""`python -m devi_jax.export RUN --out=POLICY.npz|.jaxexport|.onnx`: a policy as one file, for here or elsewhere."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from devi_jax.cli import parse
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.deploy.exporters import make_card, write_jax, write_onnx
from devi_jax.deploy.policy_file import about, find_policy, read_policy, write_policy
from devi_jax.evaluation.rollouts import Policy
from devi_jax.runs.devices import ignore_fork_warning
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly
from devi_jax.training.run_config import load_policy_state, load_run, trained_policy

Format = Literal["npz", "jax", "onnx"]
SUFFIXES: dict[str, Format] = {".npz": "npz", ".jaxexport": "jax", ".onnx": "onnx"}


@dataclass(frozen=True)
class ExportOptions:
    """Write the latest policy of a run.

    npz: parameters, plan, clip, configuration and provenance, for this project's own commands. jax: a serialised JAX
    function; onnx: an ONNX model. Both take raw observations and normalise them inside: docs/adapters.md.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder of devi_jax.train; for jax and onnx also the name of a shipped policy (lift_can) or a policy file."""
    out: Path
    """Policy file to write. `devi_jax.play` and `devi_jax.evaluate` accept an .npz in place of a run folder."""
    format: Format | None = None
    """Kind of file; by default chosen by the suffix of --out: .npz, .jaxexport or .onnx."""
    overwrite: bool = False
    """Replace an existing file."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        options = parse(ExportOptions, arguments, prog="python -m devi_jax.export")
        kind = _format(options)
        if options.out.exists() and not options.overwrite:
            raise ConfigError("the file exists", where=f"--out={options.out}", fix="add --overwrite")
        ignore_fork_warning()
        if kind == "npz":
            path = write_policy(RunDir.open(options.run), options.out)
        else:
            assembly, policy, told = _load(options.run)
            write = {"jax": write_jax, "onnx": write_onnx}[kind]
            path = write(options.out, policy, make_card(assembly.environment, told))
        print(f"policy: {path}, {path.stat().st_size / 1e6:.2f} MB")


def _format(options: ExportOptions) -> Format:
    kind = options.format or SUFFIXES.get(options.out.suffix)
    if kind is None or SUFFIXES.get(options.out.suffix, kind) != kind:
        raise ConfigError(
            f"'{options.out}' is not the name of a {options.format or 'known kind of'} file",
            where="--out",
            valid=f"a path ending in {', '.join(SUFFIXES)}",
        )
    if kind == "npz" and options.out.suffix != ".npz":
        raise ConfigError(
            f"'{options.out}' is not the name of a policy file", where="--out", valid="a path ending in .npz"
        )
    return kind


def _load(source: Path) -> tuple[Assembly, Policy, dict[str, Any]]:
    file = find_policy(str(source))
    if file is not None:
        read = read_policy(file)
        return read.assembly, read.policy, read.card
    run = RunDir.open(source)
    _, assembly, learner = load_run(run)
    return assembly, trained_policy(learner, load_policy_state(run, learner)), about(run)


if __name__ == "__main__":
    main()
