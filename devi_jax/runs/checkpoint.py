"""Checkpoints of a whole training state, bit for bit, written by orbax.

A state is stored as a flat dict from leaf path to array, so that it does not depend on the classes of its nodes.
"""

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from orbax.checkpoint import v1 as ocp

from devi_jax.core.errors import RunError

Leaves = dict[str, Any]


@dataclass(frozen=True)
class OlderPaths:
    """How states of older versions differ in the paths of their leaves.

    `beginnings`: of today's paths, and what they were. `parts`: of older paths, and what they are today; a leaf that
    ends in one of them and has no use today is left out. `added`: last parts of paths that older states lack, and that
    were zero in what they say.
    """

    beginnings: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()

    def stored(self, path: str, found: Mapping[str, Any]) -> str:
        """What a checkpoint with the leaves `found` calls a leaf of today."""
        for new, old in self.beginnings.items():
            if path not in found and (path == new or path.startswith(new + "/")):
                path = old + path.removeprefix(new)
        if path in found:
            return path
        for old, new in self.parts.items():
            path = re.sub(rf"(^|/){new}(/|$)", rf"\g<1>{old}\g<2>", path)
        return path


class Checkpoints:
    """The last `keep` states of a run in `folder`, one subfolder a step. A context manager.

    A checkpoint appears only when it is complete: a process killed while saving leaves the ones before it.
    The processes of a job save and restore together, each its own part; all need to see the folder.
    """

    def __init__(self, folder: Path | str, keep: int = 2):
        logging.getLogger("absl").setLevel(logging.ERROR)
        self.folder = Path(folder)
        self._orbax = ocp.training.Checkpointer(
            str(self.folder.resolve()),
            preservation_policy=ocp.training.preservation_policies.LatestN(keep),  # pyright: ignore[reportArgumentType]
            cleanup_tmp_directories=False,
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # of several processes one that fails must not wait for the others' parts: it ends, and so ends them
        if error is None or jax.process_count() == 1:
            self.close()

    def close(self) -> None:
        """Wait for the writer and release it."""
        self._orbax.close()

    def latest(self) -> int | None:
        """Step of the newest complete checkpoint, None when there is none."""
        self.wait()
        newest = self._orbax.latest
        return newest.step if newest else None

    def save(self, step: int, state: Any) -> None:
        """Begin to write the pytree of arrays `state`, which may be changed or donated when this returns.

        Waits for the one before. Steps only grow: saving the latest step again does nothing, an earlier one is a
        `ValueError`.
        """
        latest = self.latest()
        if latest is not None and step <= latest:
            if step < latest:
                raise ValueError(f"checkpoint {step} would come after checkpoint {latest}")
            return
        if jax.process_index() == 0:
            for unfinished in self.folder.glob("*.orbax-checkpoint-tmp"):
                shutil.rmtree(unfinished)
        leaves = {path: leaf.copy() for path, leaf in _leaves(state).items() if leaf.size}
        self._orbax.save_async(step, leaves, force=True)

    def wait(self) -> None:
        """Return when what was begun is safe on disk."""
        self._orbax.wait()

    def restore(self, step: int | None, like: Any, older: OlderPaths | None = None) -> Any:
        """The state of `step` (None: the latest) with the tree, dtypes and placement of `like`.

        `like`: a pytree of arrays or `jax.ShapeDtypeStruct`s; a leaf without placement goes to JAX's default device.
        `older`: how checkpoints of older versions, which are read too, differ.

        Raises:
            RunError: when there is no such checkpoint, it is damaged, or it does not match `like`.
        """
        latest = self.latest()
        step = latest if step is None else step
        if step is None or all(step != c.step for c in self._orbax.checkpoints):
            raise RunError(
                "the run has no checkpoint" + ("" if step is None else f" of step {step}"),
                where=str(self.folder),
                valid=", ".join(str(c.step) for c in self._orbax.checkpoints) or "a run with at least one checkpoint",
                fix="train again into a new folder with --out",
            )
        wanted = _leaves(like)
        stored = {path: leaf for path, leaf in wanted.items() if leaf.size}
        try:
            found = self._orbax.metadata(step).metadata
            if not isinstance(found, dict):
                raise ValueError("its list of arrays is gone")
            older = older or OlderPaths()
            names = {path: older.stored(path, found) for path in stored}
            young = {p for p in stored if names[p] not in found and p.split("/")[-1] in older.added}
            asked = {names[p]: leaf for p, leaf in stored.items() if p not in young}
            dropped = {p: _like(x) for p, x in found.items() if p not in asked and p.split("/")[-1] in older.parts}
            _compare({p: x for p, x in found.items() if p not in dropped}, asked, where=str(self.folder / str(step)))
            loaded = self._orbax.load(step, jax.tree.map(_abstract, asked | dropped))
            loaded |= {names[p]: _zeros(stored[p]) for p in young}
        except (ValueError, KeyError, OSError) as error:
            raise self._damaged(step, error) from error
        leaves = [loaded[names[path]] if path in names else _empty(leaf) for path, leaf in wanted.items()]
        return jax.tree.unflatten(jax.tree.structure(like), leaves)

    def _damaged(self, step: int, error: Exception) -> RunError:
        others = [str(c.step) for c in self._orbax.checkpoints if c.step != step]
        return RunError(
            f"checkpoint {step} cannot be read ({str(error).splitlines()[0][:200]})",
            where=str(self.folder / str(step)),
            valid=f"the other checkpoints: {', '.join(others)}" if others else "a checkpoint of this run",
            fix="remove that folder and --resume again" if others else "train again into a new folder with --out",
        )


def _leaves(tree: Any) -> Leaves:
    """Leaves by path."""
    flat: Leaves = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        if not hasattr(leaf, "dtype"):
            raise TypeError(f"a state holds arrays only, but {name} is {type(leaf).__name__}")
        if name in flat:
            raise ValueError(f"two leaves of the state have the path {name}")
        flat[name] = leaf
    return flat


def _like(found: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(found.shape, found.dtype)


def _zeros(leaf: Any) -> Any:
    if isinstance(leaf, (np.ndarray, np.generic)):
        return np.zeros(leaf.shape, leaf.dtype)
    return jnp.zeros(leaf.shape, leaf.dtype, device=getattr(leaf, "sharding", None))


def _empty(leaf: Any) -> Any:
    """An array of size zero, which orbax does not store."""
    return jnp.zeros(leaf.shape, leaf.dtype) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf


def _abstract(leaf: Any) -> Any:
    """What orbax should load for `leaf`: NumPy stays NumPy, everything else gets a placement."""
    if isinstance(leaf, (np.ndarray, np.generic)):
        return np.empty(leaf.shape, leaf.dtype)
    sharding = leaf.sharding or jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _compare(found: dict[str, Any], wanted: Leaves, where: str) -> None:
    """Raise `RunError` at the first leaf, by path, that differs in presence, shape or dtype."""
    for path in sorted(found.keys() | wanted.keys()):
        theirs, ours = (_words(leaves.get(path)) for leaves in (found, wanted))
        if theirs != ours:
            raise RunError(
                f"the checkpoint does not fit: '{path}' is {theirs} there and {ours} here",
                where=where,
                valid="a checkpoint of the same system, clip, preset and network sizes",
                fix="repeat the flags in the run's config.json, or train again into a new folder with --out",
            )


def _words(leaf: Any) -> str:
    if leaf is None:
        return "absent"
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.eval_shape(jax.random.key_data, leaf)
    return f"{np.dtype(leaf.dtype).name}{list(leaf.shape)}"
