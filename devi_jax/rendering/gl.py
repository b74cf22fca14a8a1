"""Offscreen OpenGL for MuJoCo: EGL, else OSMesa, whether or not MUJOCO_GL was set before MuJoCo was imported."""

import importlib
import os
import subprocess
import sys
from functools import cache
from typing import Any

from devi_jax.core.errors import DeviceError

PROBE = "import mujoco, mujoco.{0} as gl; gl.GLContext(64, 64).make_current(); print('works')"


@cache
def backend() -> str:
    """Name of the OpenGL library that works here: `egl` or `osmesa`, or what MUJOCO_GL asks for.

    Each is tried in a process of its own, because PyOpenGL stays with the first one a process tries, and because a
    broken driver may end the process.

    Raises:
        DeviceError: when none works; names the packages to install.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower()
    wanted = asked if asked in ("egl", "osmesa", "glfw") else ""
    for name in (wanted,) if wanted else ("cgl",) if sys.platform == "darwin" else ("egl", "osmesa"):
        try:
            environment = {**os.environ, "MUJOCO_GL": name}
            command = [sys.executable, "-c", PROBE.format(name)]
            tried = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if "works" in tried.stdout:
            return name
    raise DeviceError(
        "this machine cannot render offscreen" + (f" with MUJOCO_GL={wanted}" if wanted else ""),
        where="OpenGL (EGL or OSMesa)",
        valid="libEGL with a Mesa or NVIDIA driver, or libOSMesa",
        fix="apt-get install libegl1 libgl1-mesa-dri (or libosmesa6)" + (", or unset MUJOCO_GL" if wanted else ""),
    )


def available() -> bool:
    """Whether anything can be rendered on this machine."""
    try:
        backend()
    except DeviceError:
        return False
    return True


def context(width: int, height: int) -> Any:
    """A new current OpenGL context with `make_current()` and `free()`.

    Raises:
        DeviceError: when this machine has no offscreen OpenGL.
    """
    made = importlib.import_module(f"mujoco.{backend()}").GLContext(width, height)
    made.make_current()
    return made
