"""What `devi_jax.train` can be told. Some flags are read before all others, because the others' defaults follow."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import tyro

from devi_jax.cli import parse
from devi_jax.core.errors import ConfigError
from devi_jax.runs.devices import Wanted
from devi_jax.runs.hosts import Hosts
from devi_jax.systems import Preset, Recipe, SystemName, choose_preset, make_system
from devi_jax.systems.flag_help import describe_row
from devi_jax.training.run_config import RunConfig
from envs.physics import EngineChoice, choose_engine

PROG = "python -m devi_jax.train"
LIMITS = ("minutes", "iterations", "until")
"""What a run may be given anew when it is resumed."""


@dataclass(frozen=True)
class EarlyOptions:
    """What decides the defaults of all other flags, or where to compute."""

    method: Annotated[SystemName, tyro.conf.arg(name="system")] = "devi"
    """Which rewards, terminations and goal: DeVI's, a baseline's, or DeVI's with a 6-DoF object reward or none."""
    recipe: Recipe = "fast"
    """fast: plan first, then learn residual actions around the plan; paper: as printed in appendix A.10, no plan."""
    preset: Literal["auto"] | Preset = "auto"
    """Size of networks and batches: the paper's, or small ones for a laptop's CPU; auto chooses by device."""
    physics: EngineChoice = "auto"
    """Physics engine: MuJoCo in C, MJX in JAX, or MJX on Warp; auto chooses by device."""
    devices: Wanted = "all"
    """Devices of each process to share the environments among; on a CPU, how many virtual devices to create."""
    hosts: Hosts = Hosts()
    """Training by several processes, usually one a machine."""


@dataclass(frozen=True)
class Invocation:
    """What concerns this call of the command only, and is not part of the run."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="(default: runs/CLIP-N)")] = None
    """Run folder to write; it must not exist yet."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Continue the run in this folder with its own clip and settings; only --minutes, --iterations and --until may be
    new."""
    seeds: int = 1
    """Number of policies to train together, with seeds from --seed upwards; each gets a run folder inside --out."""
    mesh: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """Mesh of the object, for a recording whose mesh is not in the same folder."""
    film: bool = True
    """Film the trained policy."""
    dry_run: bool = False
    """Build everything, take two steps, print shapes and memory, and write nothing."""


@dataclass(frozen=True)
class TrainOptions:
    """Train a policy that imitates a clip: plan, learn, evaluate and film, all in one run folder."""

    run: Annotated[RunConfig, tyro.conf.arg(name="")]
    """What is trained."""
    early: Annotated[EarlyOptions, tyro.conf.arg(name="")] = EarlyOptions()
    """What was read first."""
    call: Annotated[Invocation, tyro.conf.arg(name="")] = Invocation()
    """What is written where."""


def read_early(arguments: Sequence[str]) -> EarlyOptions:
    """The flags that must be known before JAX starts and before the other flags have defaults."""
    early, _ = tyro.cli(EarlyOptions, prog=PROG, args=arguments, return_unknown_args=True, add_help=False)
    return early


def read_options(arguments: Sequence[str], early: EarlyOptions) -> TrainOptions:
    """All flags, with the defaults of what `read_early` has read from the same arguments. Starts JAX's backend.

    Raises `ConfigError` for flags that exclude each other, `DeviceError` for an engine that this machine lacks.
    """
    default = TrainOptions(default_run(early), early)
    options = parse(TrainOptions, arguments, prog=PROG, default=default, describe_row=describe_row)
    _check(options)
    if options.call.resume is not None:
        _refuse_new_settings(options, default)
    return options


def decided_preset(early: EarlyOptions) -> tuple[Preset, str]:
    """The preset, and why it is this one."""
    return choose_preset(jax.default_backend()) if early.preset == "auto" else (early.preset, "asked for")


def default_run(early: EarlyOptions) -> RunConfig:
    """The run that these flags alone mean."""
    preset, _ = decided_preset(early)
    engine, _ = choose_engine(early.physics)
    return RunConfig(
        system=make_system(early.method, preset, early.recipe),
        engine=engine,
        preset=preset,
        recipe=early.recipe,
        # the paper's recipe learns from scratch: a plan has to be asked for
        plan="first" if early.recipe == "fast" else "none",
    )


def new_limits(run: RunConfig) -> dict[str, Any]:
    """The limits given with --resume, which replace the run's own all at once; nothing if none is given."""
    given = {name: getattr(run, name) for name in LIMITS}
    return given if any(value is not None for value in given.values()) else {}


def _check(options: TrainOptions) -> None:
    run = options.run
    for name in ("minutes", "iterations", "checkpoint_every"):
        value = getattr(run, name)
        if value is not None and value <= 0:
            raise ConfigError(f"{_flag(name)} is {value:g}", where=_flag(name), valid="a number above 0")
    if run.until is not None and not 0 <= run.until <= 1:
        raise ConfigError(f"a success rate of {run.until:g}", where="--until", valid="a share from 0 to 1, such as 0.9")
    if options.call.seeds < 1 or (options.call.seeds > 1 and (run.plan == "only" or jax.process_count() > 1)):
        raise ConfigError(
            f"{options.call.seeds} seeds cannot be trained together here",
            where="--seeds",
            valid="1 or more; more than 1 only in a single process, and not with --plan=only",
        )


def _refuse_new_settings(options: TrainOptions, default: TrainOptions) -> None:
    """Raise `ConfigError` for flags that a resumed run has no use for: it takes its settings from its own folder."""
    flags = [
        *_changed(options.early, EarlyOptions(), but=("devices", "hosts")),
        *_changed(options.call, default.call, but=("resume", "film")),
        *_changed(options.run, default.run, but=(*LIMITS, "system")),
    ]
    if options.run.system != default.run.system:
        flags.append("settings such as --ppo.*")
    if flags:
        raise ConfigError(
            "a resumed run keeps its own settings",
            where=", ".join(["--resume", *flags]),
            valid="--resume with --minutes, --iterations, --until, --no-film, --devices and --hosts.*",
            fix="leave the other flags out, or train a new run without --resume",
        )


def _changed(options: Any, default: Any, but: tuple[str, ...]) -> list[str]:
    """Flags of fields that are not as by default."""
    names = [f.name for f in fields(options) if f.name not in but]
    return [_flag(name) for name in names if getattr(options, name) != getattr(default, name)]


def _flag(name: str) -> str:
    return "--" + {"method": "system"}.get(name, name).replace("_", "-")
