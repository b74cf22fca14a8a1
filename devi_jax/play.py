"""`python -m devi_jax.play RUN|POLICY`, or `play CLIP --policy=reference`: film a policy, trained or not."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import jax
import numpy as np
import tyro

from devi_jax.cli import parse
from devi_jax.core.errors import ConfigError, DeviceError, exit_on_error
from devi_jax.datasets.load import resolve
from devi_jax.deploy.policy_file import PolicyFile, find_policy, read_policy
from devi_jax.evaluation.metrics import score
from devi_jax.evaluation.rollout_film import film_rollout
from devi_jax.evaluation.rollouts import Policy, random_policy, roll, zero_policy
from devi_jax.rendering.film import FILM_HEIGHT
from devi_jax.runs.devices import enable_compilation_cache, ignore_fork_warning
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import Assembly, assemble, devi
from devi_jax.training.run_config import load_policy_state, load_run, trained_policy
from envs.physics import EngineChoice, HumanRoot, choose_engine


@dataclass(frozen=True)
class PlayOptions:
    """Film a policy on its clip: reference, simulation and the view of the clip's camera, side by side."""

    target: Annotated[Path, tyro.conf.Positional] = Path("lift_can")
    """Run folder, name of a shipped policy (lift_can), policy file, or clip (bundled name, .npz or .pt)."""
    policy: str | None = None
    """zero, random, reference (replays the clip's targets), a run folder, or a policy. By default the trained policy,
    or for a clip without one its reference."""
    out: Path | None = None
    """Video file; by default play.mp4 in the run folder, otherwise NAME-POLICY.mp4 in the current folder."""
    root: HumanRoot | None = None
    """For a clip: free balances on its own feet (default); pinned has springs pull its pelvis along the clip."""
    clip: str | None = None
    """For a run of several clips: the name of the one to film."""
    physics: EngineChoice = "auto"
    """Physics engine for a clip or a policy file: MuJoCo in C, MJX in JAX, or MJX on Warp; auto chooses by device."""
    seed: int = 0
    """Seed of the random policy's actions."""
    video: Path | None = None
    """The video that the clip is of, video.mp4 in the folder of `scene` or `imagine`: shown beside the simulation."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        options = parse(PlayOptions, arguments, prog="python -m devi_jax.play")
        enable_compilation_cache()
        ignore_fork_warning()
        assembly, policy, film = _prepare(options)
        video = None if options.video is None else _footage(options.video, assembly)
        rollouts = roll(assembly.environment, policy, jax.random.key(options.seed))
        film_rollout(film, film.with_suffix(".png"), assembly, rollouts, video)
        scores = score(rollouts, assembly.environment.reference, assembly.environment.policy_hz)[0]
        lift = "" if scores.lift_ratio is None else f", lift {scores.lift_ratio:.0%} of the reference's"
        print(f"MPJPE {scores.mpjpe_all_mm:.1f} mm, {scores.duration_s:.1f} s until failure or end{lift}\nfilm: {film}")


def _prepare(options: PlayOptions) -> tuple[Assembly, Policy, Path]:
    """Environment, policy and film of what was asked for."""
    run_folder = options.target if (options.target / "config.json").exists() else None
    named = options.policy if options.policy in ("zero", "random", "reference") else None
    trained = options.policy if named is None else None
    shipped = None if run_folder or named else find_policy(trained or str(options.target))
    if shipped is not None:
        return _of_policy(options, shipped)
    if run_folder is None and trained:
        run_folder = Path(trained)
    if run_folder is not None:
        run = RunDir.open(run_folder)
        _, assembly, learner = load_run(run)
        policy = _untrained(assembly, named) if named else trained_policy(learner, load_policy_state(run, learner))
        film = "play.mp4" if options.clip is None else f"play-{options.clip}.mp4"
        return assembly.named(options.clip), policy, options.out or run.path / film
    if options.target.is_dir():
        raise ConfigError(
            f"{options.target} is not a run folder",
            where="play TARGET",
            valid="a run folder, or a clip",
            fix="python -m devi_jax.clips list",
        )
    # zero and random act around nothing but the T-pose: they show the bare action space
    kind = named or "reference"
    system = devi("cpu", "fast" if kind == "reference" else "paper")
    engine, _ = choose_engine(options.physics)
    assembly = assemble(system, resolve(str(options.target)), engine, options.root or "free")
    name = Path(assembly.clip.name).stem
    return assembly, _untrained(assembly, kind), options.out or Path(f"{name}-{kind}.mp4")


def _footage(path: Path, assembly: Assembly) -> np.ndarray:
    """A video's pictures (T, H, W, 3), as large as a film shows them. Raises `ConfigError` unless it is the clip's."""
    try:
        from perception.video.steady import resized
        from perception.video.video import probe, read
    except ImportError as error:
        fix = "pip install -e '.[perception]'"
        raise DeviceError(f"looking at videos needs {error.name}", where="--video", fix=fix) from error
    video, frames = probe(path), assembly.environment.reference.frames
    if video.frames != frames:
        raise ConfigError(
            f"the video has {video.frames} frames, the clip {frames}",
            where=f"--video={path}",
            valid="the video that the clip was extracted from: video.mp4 in the scene's folder",
        )
    height = FILM_HEIGHT
    return np.stack([*resized(read(video), 2 * round(height * video.width / video.height / 2), height)])


def _of_policy(options: PlayOptions, path: Path) -> tuple[Assembly, Policy, Path]:
    file = read_policy(path, None if options.physics == "auto" else options.physics)
    if options.root not in (None, file.config.root):
        raise ConfigError(
            f"the policy {path.stem} was trained with a {file.config.root} pelvis",
            where=f"--root={options.root}",
            valid=f"--root={file.config.root}, or no --root",
            fix="add --policy=reference to replay the clip with either pelvis",
        )
    print(_introduce(path.stem, file))
    return file.assembly, file.policy, options.out or Path(f"{path.stem}-policy.mp4")


def _introduce(name: str, file: PolicyFile) -> str:
    """The policy, how it was trained and how often it succeeds."""
    root = "on its own feet" if file.config.root == "free" else "with a pinned pelvis"
    card, evaluation = file.card, file.card.get("evaluation") or {}
    rate = evaluation.get("perturbed", {}).get("success_rate")
    worth = "" if rate is None else f", succeeds from {rate:.0%} of perturbed starts"
    return f"policy {name}: {root}, trained {card.get('created', 'at an unknown time')}{worth}"


def _untrained(assembly: Assembly, kind: Literal["zero", "random", "reference"] | str) -> Policy:
    return random_policy(assembly.environment, 0.1) if kind == "random" else zero_policy()


if __name__ == "__main__":
    main()
