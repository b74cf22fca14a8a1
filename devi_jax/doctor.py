"""`python -m devi_jax.doctor`: what this machine can run, what is missing, and the command that fixes it."""

import importlib
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devi_jax.core.errors import DeviceError

State = Literal["ok", "warn", "missing"]

ROOMS = ("devi_jax", "envs", "agents", "perception")
REINSTALL = "pip install -e . (in the checkout)"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `missing` is something every run needs; `warn` something some runs need."""

    name: str
    state: State
    found: str
    fix: str = ""


def python_version() -> Finding:
    """Which Python this is."""
    return Finding("python", "ok", f"{platform.python_version()} ({sys.executable})")


def packages() -> Finding:
    """The packages every run needs, and MuJoCo and MJX of one minor version."""
    names = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "mujoco", "mujoco-mjx", "numpy")
    found = {n: _version(n) for n in names}
    text = ", ".join(f"{n} {v or 'absent'}" for n, v in found.items())
    if not all(found.values()):
        return Finding("packages", "missing", text, REINSTALL)
    if _minor(found["mujoco"]) != _minor(found["mujoco-mjx"]):
        fix = "pip install 'mujoco~=3.17.0' 'mujoco-mjx~=3.17.0'"
        return Finding("packages", "missing", f"{text}: mujoco and mujoco-mjx differ", fix)
    return Finding("packages", "ok", text)


def rooms() -> Finding:
    """The top-level packages are this project's: PyPI has another `agents` (openai-agents)."""
    home = Path(__file__).resolve().parent.parent
    origins = {n: _origin(n) for n in ROOMS}
    foreign = {n: o for n, o in origins.items() if o is None or home not in o.parents}
    if foreign:
        text = "; ".join(f"`{n}` is {o or 'absent'}" for n, o in foreign.items())
        fix = "use a virtual environment of its own: make demo; or: pip uninstall openai-agents"
        return Finding("rooms", "missing", text, fix)
    return Finding("rooms", "ok", f"{', '.join(ROOMS)} in {home}")


def devices() -> Finding:
    """What JAX computes on."""
    from devi_jax.runs.devices import describe, machine

    if machine().platform == "cpu" and shutil.which("nvidia-smi"):
        return Finding("devices", "warn", f"{describe()}; JAX does not use the NVIDIA GPU", "pip install -e '.[gpu]'")
    return Finding("devices", "ok", describe())


def engine_c() -> Finding:
    """C MuJoCo in batches."""
    return _importable("engine c", ("mujoco.batch",), "missing", "pip install 'mujoco~=3.17.0'")


def engine_mjx() -> Finding:
    """MJX in JAX."""
    return _importable("engine mjx", ("mujoco.mjx",), "warn", "pip install 'mujoco-mjx~=3.17.0'")


def engine_warp() -> Finding:
    """MJX on Warp."""
    return _importable("engine warp", ("mujoco.mjx", "warp"), "warn", "pip install -e '.[warp]' (NVIDIA: '.[gpu]')")


def engine_choice() -> Finding:
    """What `--physics=auto` takes here."""
    from envs.physics import choose_engine

    engine, why = choose_engine()
    return Finding("--physics=auto", "ok", f"{engine}: {why}")


def renderer() -> Finding:
    """Offscreen OpenGL, which films need."""
    from devi_jax.rendering.gl import backend

    try:
        return Finding("renderer", "ok", backend())
    except DeviceError as error:
        return Finding("renderer", "warn", f"{error.what}: no films", error.fix)


def encoder() -> Finding:
    """ffmpeg, which writes films."""
    return _importable("film encoder", ("imageio_ffmpeg",), "warn", REINSTALL)


def caches() -> Finding:
    """Where compiled programs are kept between runs."""
    from devi_jax.runs.devices import enable_compilation_cache

    try:
        folder = enable_compilation_cache()
    except OSError as error:
        return Finding("compilation cache", "warn", str(error), "export JAX_COMPILATION_CACHE_DIR=/a/writable/folder")
    size = sum(f.stat().st_size for f in folder.iterdir() if f.is_file())
    if not os.access(folder, os.W_OK):
        fix = "export JAX_COMPILATION_CACHE_DIR=/a/writable/folder"
        return Finding("compilation cache", "warn", f"{folder} is read-only: every run compiles again", fix)
    return Finding("compilation cache", "ok", f"{folder}, {size / 1e6:.0f} MB")


def extras() -> Finding:
    """Optional parts."""
    found = {n: _version(n) for n in ("torch", "smplx", "viser")}
    return Finding("extras", "ok", ", ".join(f"{n} {v or 'not installed'}" for n, v in found.items()))


CHECKS: tuple[Callable[[], Finding], ...] = (
    *(python_version, packages, rooms, devices, engine_c, engine_mjx, engine_warp),
    *(engine_choice, renderer, encoder, caches, extras),
)


def examine(checks: tuple[Callable[[], Finding], ...] = CHECKS) -> list[Finding]:
    """All findings; a check that cannot even run is one of them."""
    out = []
    for check in checks:
        try:
            out.append(check())
        except Exception as error:  # a broken installation may raise anything
            out.append(
                Finding(check.__name__.replace("_", " "), "missing", f"{type(error).__name__}: {error}", REINSTALL)
            )
    return out


def main() -> None:
    """Report what this machine can run; exit code 2 if something that every run needs is missing."""
    findings = examine()
    table = Table(show_edge=False, box=None)
    for title in ("", "", "found", "fix"):
        table.add_column(title, overflow="fold")
    colour = {"ok": "green", "warn": "yellow", "missing": "red"}
    for f in findings:
        table.add_row(escape(f.name), f"[{colour[f.state]}]{f.state}[/]", escape(f.found), escape(f.fix))
    Console().print(table)
    if any(f.state == "missing" for f in findings):
        raise SystemExit(2)


def _importable(name: str, modules: tuple[str, ...], otherwise: State, fix: str) -> Finding:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            return Finding(name, otherwise, f"{module} does not import: {error}", fix)
    return Finding(name, "ok", ", ".join(modules))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _minor(text: str | None) -> list[str]:
    return (text or "").split(".")[:2]


def _origin(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    where = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
    return Path(where).resolve() if where else None


if __name__ == "__main__":
    tyro.cli(main)
