"""The machine is described in numbers that other tools agree with."""

import os
from pathlib import Path

import jax
import pytest

from devi_jax.core.errors import ConfigError, DeviceError
from devi_jax.runs.devices import (
    choose_devices,
    describe,
    enable_compilation_cache,
    machine,
    offer_cpus,
    peak_memory_mb,
    use_older_fusion_emitters,
)


def test_the_machine_is_the_one_jax_sees():
    found = machine()
    assert found.devices == len(jax.devices()) == 2
    assert 1 <= found.cpus <= (os.cpu_count() or 1)
    assert describe() == f"2 x cpu (cpu), {found.cpus} CPU cores"


def test_devices_are_all_or_the_first_so_many():
    assert choose_devices("all") == choose_devices(2) == jax.devices()
    assert choose_devices(1) == jax.devices()[:1]
    offer_cpus(5)  # too late: JAX has started
    with pytest.raises(DeviceError, match="3 devices asked for, but there are 2"):
        choose_devices(3)
    with pytest.raises(ConfigError, match="training on 0 devices"):
        offer_cpus(0)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells it in a second way")
def test_peak_memory_is_the_kernels_in_megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    (kibibytes,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    assert peak_memory_mb() == pytest.approx(1024 * kibibytes / 1e6, rel=0.02)


@pytest.mark.parametrize(
    ("version", "flags", "after"),
    [
        ("0.10.2", "", "--xla_cpu_use_fusion_emitters=false"),
        ("0.8.0", "--xla_a=1", "--xla_a=1 --xla_cpu_use_fusion_emitters=false"),
        ("0.11.0", "--xla_a=1", "--xla_a=1"),
        ("0.10.2", "--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
    ],
)
def test_xla_gets_its_flag_where_it_is_known_and_nobody_set_it(version, flags, after, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.setattr("devi_jax.runs.devices.metadata.version", lambda _: version)
    use_older_fusion_emitters()
    assert os.environ["XLA_FLAGS"] == after


def test_the_compilation_cache_goes_where_the_variable_says(tmp_path, monkeypatch):
    before = jax.config.values["jax_compilation_cache_dir"]
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "cache"))
    try:
        assert enable_compilation_cache() == tmp_path / "cache"
        assert (tmp_path / "cache").is_dir()
        assert jax.config.values["jax_compilation_cache_dir"] == str(tmp_path / "cache")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
