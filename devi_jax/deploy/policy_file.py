"""A trained policy as one small file: its parameters, its plan's targets, its clip, and where it comes from.

What a run folder holds for going on (critic, optimisers, environments) is left out. Nothing in it is unpickled.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents import Learner
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import RunError
from devi_jax.core.npz_container import NpzFormat, array_names
from devi_jax.core.policy import Policy
from devi_jax.runs.json_io import jsonable
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly
from devi_jax.training.run_config import (
    RunConfig,
    clip_file,
    config_from_json,
    load_policy_state,
    load_run,
    make_learner,
    trained_policy,
    with_learner,
)
from envs.physics import EngineName

FORMAT = NpzFormat(
    "policy",
    1,
    RunError,
    "python -m devi_jax.export RUN --out=POLICY.npz",
    fields=("config",),
    header="policy",
    schema_field="policy_format",
)

_PARAMETERS = "parameters/"


@dataclass(frozen=True, eq=False)
class PolicyFile:
    """A policy ready to act. `card`: how the run was made and judged, as JSON types."""

    config: RunConfig
    assembly: Assembly
    policy: Policy
    card: dict[str, Any]


def shipped() -> dict[str, Path]:
    """Names and files of the policies that come with the project."""
    folder = Path(str(resources.files("devi_jax"))) / "data" / "policies"
    return {path.stem: path for path in sorted(folder.glob("*.npz"))}


def find_policy(name_or_path: str) -> Path | None:
    """The file of a shipped policy, or the policy file itself; None for anything else (a clip, a run folder)."""
    path = Path(name_or_path)
    if path.suffix != ".npz" or not path.is_file():
        return shipped().get(name_or_path)
    return path if FORMAT.header in array_names(path) else None


def about(run: RunDir) -> dict[str, Any]:
    """How a run was made and judged, as JSON types."""
    card = {k: v for k, v in run.description().items() if k not in ("format", "config")}
    for name, file in (("evaluation", run.evaluation_json), ("stages", run.path / "stages.json")):
        card[name] = json.loads(file.read_text()) if file.exists() else None
    return card


def write_policy(run: RunDir, path: Path) -> Path:
    """Write the latest policy of a run. Raises `RunError` for a run that has none."""
    config, assembly, learner = load_run(run)
    if len(assembly.clips) > 1:
        raise RunError(
            f"the run learned {len(assembly.clips)} clips, and a policy file holds one",
            where=str(run.path),
            valid="a run of one clip; a .jaxexport or .onnx file, which hold no clip",
            fix="--out=POLICY.jaxexport",
        )
    parameters = trained_policy(learner, load_policy_state(run, learner)).parameters
    arrays = {_PARAMETERS + name: np.asarray(leaf) for name, leaf in _leaves(parameters).items()}
    if assembly.raw is not None:
        arrays["target"] = np.asarray(assembly.environment.reference.target)
    clip = np.frombuffer(clip_file(run).read_bytes(), np.uint8)
    return FORMAT.write(path, {"clip": clip, **arrays}, jsonable({**about(run), "config": config.to_json()}))


def read_policy(path: Path, engine: EngineName | None = None) -> PolicyFile:
    """Read a policy and build what it acts in, on the engine it was trained on or another.

    Raises `RunError` if the file is damaged or of another version.
    """
    card, arrays = FORMAT.read(path)
    if "clip" not in arrays:
        raise _unreadable(path, "it lacks its clip")
    config = config_from_json(card["config"], str(path))
    config = replace(config, engine=engine or config.engine)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.npz"
        file.write_bytes(arrays["clip"].tobytes())
        assembly, _ = make_learner(config, load_clip(file))
    if "target" in arrays:
        assembly = _with_targets(assembly, arrays["target"], path)
    policy = _policy(with_learner(assembly, config), arrays, path)
    return PolicyFile(config, assembly, policy, {k: v for k, v in card.items() if k != "config"})


def _policy(learner: Learner, arrays: dict[str, np.ndarray], path: Path) -> Policy:
    like = trained_policy(learner, learner.shapes())
    wanted = _leaves(like.parameters)
    given = {key.removeprefix(_PARAMETERS): x for key, x in arrays.items() if key.startswith(_PARAMETERS)}
    for name in sorted(wanted.keys() | given.keys()):
        theirs, ours = given.get(name), wanted.get(name)
        if theirs is None or ours is None or (theirs.shape, theirs.dtype) != (ours.shape, ours.dtype):
            raise _unreadable(path, f"its parameter '{name}' is of another network")
    parameters = jax.tree.unflatten(jax.tree.structure(like.parameters), [jnp.asarray(given[n]) for n in wanted])
    return replace(like, parameters=parameters)


def _with_targets(assembly: Assembly, target: np.ndarray, path: Path) -> Assembly:
    raw = assembly.environment
    if target.shape != raw.reference.target.shape:
        raise _unreadable(path, f"its plan has shape {target.shape}, its clip {raw.reference.target.shape}")
    planned = raw.with_targets(jnp.asarray(target))
    return replace(assembly, environment=planned, raw=raw)


def _leaves(tree: Any) -> dict[str, Any]:
    """Leaves by path, in the tree's order."""
    paths = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in paths}


def _unreadable(path: Path, why: str) -> RunError:
    return RunError(
        f"the policy cannot be used: {why}",
        where=str(path),
        valid="a policy file written by the same version",
        fix=FORMAT.fix,
    )
