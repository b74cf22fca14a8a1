"""Fetching networks: what is said when it fails, and files that are not the published ones."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from devi_jax.core.errors import DeviceError
from perception.landmarks import weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEVI_JAX_CACHE", str(tmp_path))
    return tmp_path


def installer(monkeypatch: pytest.MonkeyPatch, code: int, write=lambda folder: None) -> list[list[str]]:
    calls = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        calls.append(command)
        write(Path(next(part for part in command if part.startswith("--dest=")).removeprefix("--dest=")))
        return subprocess.CompletedProcess(command, code, "", "ERROR: no route\nERROR: nothing found\n")

    monkeypatch.setattr(weights.subprocess, "run", run)
    return calls


def test_without_an_index_the_command_is_named_and_nothing_is_left(cache: Path, monkeypatch: pytest.MonkeyPatch):
    calls = installer(monkeypatch, 1)
    with pytest.raises(DeviceError, match=r"nothing found[\s\S]*pip download[\s\S]*mediapipe==0\.10\.21"):
        weights.network_path("pose_detection")
    assert "--no-deps" in calls[0] and "--only-binary=:all:" in calls[0]
    assert not list(cache.rglob("*"))


def test_a_wheel_with_other_files_is_refused_and_nothing_is_left(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def write(folder: Path) -> None:
        with zipfile.ZipFile(folder / "mediapipe.whl", "w") as archive:
            archive.writestr("mediapipe/modules/pose_detection/pose_detection.tflite", b"something else")

    installer(monkeypatch, 0, write)
    with pytest.raises(DeviceError, match="not the published network"):
        weights.network_path("hand_landmark_full")
    assert not list(cache.rglob("*"))


def test_a_damaged_file_in_the_cache_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch):
    calls = installer(monkeypatch, 1)
    path = weights.folder() / "pose_detection.tflite"
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    with pytest.raises(DeviceError, match="SHA-256"):
        weights.network_path("pose_detection")
    assert not calls


def test_what_is_fetched_has_its_licence_beside_it(networks):
    assert networks is not None
    assert "Apache License" in (weights.folder() / "LICENSE").read_text()
    assert weights.RELEASE in (weights.folder() / "provenance.json").read_text()
