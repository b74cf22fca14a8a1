"""The machine is described in numbers that other tools agree with."""

import os

import jax
import numpy as np

from devi_jax.runtime.devices import describe, enable_compilation_cache, machine, peak_memory_mb


def test_the_machine_is_the_one_jax_sees():
    found = machine()
    assert found.devices == len(jax.devices()) == 2
    assert 1 <= found.cpus <= (os.cpu_count() or 1)
    assert describe() == f"2 x cpu (cpu), {found.cpus} CPU cores"


def test_peak_memory_counts_megabytes():
    before = peak_memory_mb()
    block = np.ones(int(before * 1e6 / 8) + 25_000_000)
    assert peak_memory_mb() - before > 150
    assert block[0] == 1.0


def test_the_compilation_cache_goes_where_the_variable_says(tmp_path, monkeypatch):
    before = jax.config.values["jax_compilation_cache_dir"]
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "cache"))
    try:
        assert enable_compilation_cache() == tmp_path / "cache"
        assert (tmp_path / "cache").is_dir()
        assert jax.config.values["jax_compilation_cache_dir"] == str(tmp_path / "cache")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
