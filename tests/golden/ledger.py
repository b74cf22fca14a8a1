"""Recorded numbers and how they are compared: bit for bit on a machine that is known, to a tolerance on any other.

What depends on the processor is rounding, and what contact makes of it. A machine is therefore known by everything that
can round otherwise: its processor, the instruction set that XLA and OpenBLAS are held to, and the libraries' versions.
`python -m tests.golden.record` writes numbers anew on purpose, and with `--add` only makes a further machine known.
"""

import functools
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np

RECORDS = Path(__file__).parent / "records"
DIGESTS = RECORDS / "digests.json"
MODE = "DEVI_JAX_GOLDEN"
"""Environment variable: `record` writes numbers and digest anew, `add` only a digest of this machine."""
LIBRARIES = ("jax", "jaxlib", "mujoco", "numpy", "scipy", "flax", "optax", "torch", "opencv-python-headless")
SETTINGS = ("XLA_FLAGS", "OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY")
"""Environment variables that choose instructions."""

Arrays = Mapping[str, np.ndarray]


def check(name: str, values: Arrays, kept: Arrays, tolerance: Mapping[str, float]) -> None:
    """Compare with what is recorded as `name`.

    Args:
        values: everything, of which only a digest is recorded, one for each known machine.
        kept: the few numbers that are recorded as they are, by name.
        tolerance: largest absolute difference allowed in each of `kept`.
    """
    path, mode = RECORDS / f"{name}.npz", os.environ.get(MODE)
    if mode:
        _record(name, digest(values), alone=mode == "record")
    if mode == "record":
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{k: np.asarray(v) for k, v in kept.items()})  # type: ignore[arg-type]
    with np.load(path) as file:
        recorded = {k: file[k] for k in file.files}
    assert recorded.keys() == kept.keys() == tolerance.keys()
    off = {k: difference(recorded[k], np.asarray(kept[k])) for k in kept}
    if mode == "add":
        print(f"{name}: largest differences from the record {off}")
    known = _read()["digests"][name].get(identity())
    far = {k: (d, tolerance[k]) for k, d in off.items() if not d <= tolerance[k]}
    assert not far, f"{name}: differs from the record by (found, allowed) {far}"
    if known is not None:
        assert digest(values) == known, f"{name}: not the recorded bits on this machine; largest differences {off}"


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest absolute difference; infinite where shapes differ, or one has a number that the other lacks."""
    if a.dtype.kind == "U":
        return 0.0 if a.tolist() == b.tolist() else np.inf
    if a.shape != b.shape or (np.isnan(a.astype(float)) != np.isnan(b.astype(float))).any():
        return np.inf
    apart = np.abs(a.astype(float) - b.astype(float))
    return float(np.nan_to_num(apart, nan=0.0).max(initial=0.0))


def digest(values: Arrays) -> str:
    """SHA-256 of names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name in sorted(values):
        array = np.ascontiguousarray(values[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def described() -> dict[str, Any]:
    """All by which machines may round differently."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "backend": jax.default_backend(),
        **{name: _setting(name) for name in SETTINGS},
        "libc": " ".join(platform.libc_ver()),
        "versions": {name: _version(name) for name in LIBRARIES},
    }


def _setting(name: str) -> str:
    """The variable, without the flag that recorded programs are compiled with a value of their own of."""
    return " ".join(word for word in os.environ.get(name, "").split() if "xla_cpu_use_fusion_emitters" not in word)


@functools.cache
def identity() -> str:
    """A short name of this machine."""
    return hashlib.sha256(json.dumps(described(), sort_keys=True).encode()).hexdigest()[:12]


def _processor() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {"model": platform.processor(), "machine": platform.machine()}
    facts = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    flags = " ".join(sorted(facts.get("flags", facts.get("Features", "")).split()))
    wanted = ("model name", "cpu family", "model", "stepping")
    return {**{k: facts.get(k, "") for k in wanted}, "flags": hashlib.sha256(flags.encode()).hexdigest()[:12]}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _read() -> dict[str, Any]:
    return json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {"machines": {}, "digests": {}}


def _record(name: str, value: str, alone: bool) -> None:
    told = _read()
    told["machines"][identity()] = described()
    told["digests"][name] = {**({} if alone else told["digests"][name]), identity(): value}
    used = {machine for digests in told["digests"].values() for machine in digests}
    told["machines"] = {k: v for k, v in told["machines"].items() if k in used}
    DIGESTS.parent.mkdir(parents=True, exist_ok=True)
    DIGESTS.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
