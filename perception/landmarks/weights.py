"""The Apache-2.0 landmark networks of MediaPipe, taken out of its published wheel once and kept in a cache.

The package installer fetches the wheel; nothing of it is imported or run, only four data files are read from the zip.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from devi_jax.core.errors import DeviceError
from devi_jax.core.files import filling

NetworkName = Literal["pose_detection", "pose_landmark_full", "palm_detection_full", "hand_landmark_full"]

RELEASE = "mediapipe==0.10.21"
"""The last release whose wheel carries the networks."""

LICENCE = "Apache-2.0"

_WHEEL = ("--no-deps", "--only-binary=:all:", "--python-version=3.12", "--platform=manylinux_2_28_x86_64")

_FILES: dict[str, tuple[str, str]] = {
    "pose_detection": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "palm_detection_full": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmark_full": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}


def folder() -> Path:
    """Where networks are kept: `$DEVI_JAX_CACHE`, else `~/.cache/devi_jax`, and there `landmarks`."""
    return Path(os.environ.get("DEVI_JAX_CACHE", Path.home() / ".cache" / "devi_jax")) / "landmarks"


def network_path(name: NetworkName) -> Path:
    """The file of a network, fetched if it is not there yet.

    Raises:
        DeviceError: the installer cannot fetch the wheel, or a file is not the published one.
    """
    path = folder() / f"{name}.tflite"
    if not path.is_file():
        fetch()
    _check(path, _FILES[name][1])
    return path


def fetch() -> Path:
    """Fetch all networks with their licence into the cache, all or none; the folder.

    Raises:
        DeviceError: see `network_path`.
    """
    target = folder()
    with tempfile.TemporaryDirectory() as scratch, filling(target) as fresh:
        wheel = _download(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            for name, (inside, digest) in _FILES.items():
                path = fresh / f"{name}.tflite"
                path.write_bytes(archive.read(inside))
                _check(path, digest)
            licence = next(n for n in archive.namelist() if n.endswith(".dist-info/LICENSE"))
            (fresh / "LICENSE").write_bytes(archive.read(licence))
        origin = {"release": RELEASE, "licence": LICENCE, "wheel": wheel.name, "files": _FILES}
        (fresh / "provenance.json").write_text(json.dumps(origin, indent=1))
    return target


def _download(scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", *_WHEEL, f"--dest={scratch}", RELEASE]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines()
        raise DeviceError(
            f"the landmark networks cannot be fetched ({said[-1] if said else 'pip said nothing'})",
            where=f"{folder()} has no networks, and this command failed: {shlex.join(command)}",
            valid=f"the {len(_FILES)} .tflite files of {RELEASE} ({LICENCE}) in that folder",
            fix="run once where a package index is reached, or copy that folder from such a machine",
        )
    return wheels[0]


def _check(path: Path, digest: str) -> None:
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise DeviceError(
            f"{path.name} is not the published network",
            where=str(path),
            valid=f"SHA-256 {digest}",
            fix=f"delete {path.parent} and run again: the files are fetched anew",
        )
