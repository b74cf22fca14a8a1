"""The doctor finds what is broken, names the command that fixes it, and exits accordingly."""

import subprocess
import sys
from pathlib import Path

import pytest

from devi_jax import doctor
from devi_jax.core.errors import DeviceError
from devi_jax.doctor import Finding
from devi_jax.rendering import gl


def test_this_installation_is_sound():
    findings = doctor.examine()
    assert [f for f in findings if f.state == "missing"] == []
    states = {f.name: f.state for f in findings}
    assert states["engine c"] == states["engine mjx"] == "ok"


def test_command_exits_with_zero_here():
    done = subprocess.run([sys.executable, "-m", "devi_jax.doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--physics=auto" in done.stdout


def test_something_missing_exits_with_two_and_prints_the_fixing_command(monkeypatch, capsys):
    broken = Finding("engine warp", "missing", "no module", "pip install -e '.[warp]'")
    monkeypatch.setattr(doctor, "examine", lambda: [broken])
    with pytest.raises(SystemExit) as stop:
        doctor.main()
    assert stop.value.code == 2
    assert "pip install -e '.[warp]'" in capsys.readouterr().out


def test_a_warning_alone_exits_with_zero(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("renderer", "warn", "no OpenGL")])
    doctor.main()


def test_another_package_named_agents_is_found_out(tmp_path: Path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").touch()
    home = Path(doctor.__file__).parent.parent
    paths = [str(tmp_path), str(home)]
    code = f"import sys; sys.path[:0] = {paths}; from devi_jax import doctor; print(doctor.rooms())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "state='missing'" in done.stdout and str(tmp_path / "agents") in done.stdout
    assert "openai-agents" in done.stdout


def test_mujoco_and_mjx_of_different_minor_versions_do_not_pass(monkeypatch):
    versions = {"mujoco": "3.17.0", "mujoco-mjx": "3.16.2"}
    monkeypatch.setattr(doctor, "_version", lambda name: versions.get(name, "1.0"))
    found = doctor.packages()
    assert found.state == "missing" and "differ" in found.found


def test_an_absent_package_does_not_pass(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "flax" else "1.0")
    found = doctor.packages()
    assert found.state == "missing" and "flax absent" in found.found


def test_a_machine_without_a_renderer_gets_a_warning(monkeypatch):
    def broken() -> str:
        raise DeviceError("this machine cannot render", fix="apt-get install libegl1")

    monkeypatch.setattr(gl, "backend", broken)
    found = doctor.renderer()
    assert (found.state, found.fix) == ("warn", "apt-get install libegl1")


def test_a_check_that_crashes_is_a_finding():
    def broken_driver() -> Finding:
        raise RuntimeError("driver too old")

    (found,) = doctor.examine((broken_driver,))
    assert (found.name, found.state) == ("broken driver", "missing") and "driver too old" in found.found
