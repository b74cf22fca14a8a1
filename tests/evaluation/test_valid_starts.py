"""Starts that one could begin from: an object that would stand in something, or off its table, is put elsewhere."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.datasets.load import resolve
from devi_jax.evaluation import valid_starts
from devi_jax.evaluation.valid_starts import borne, perturbed_starts
from devi_jax.systems import assemble
from envs.physics.overlap import overlap_m
from envs.tracking.config import STILL
from tests.envs.replay import recipe

COUNT = 24


@pytest.fixture(scope="module")
def crowded():
    """A box beside the tray that it is to be put on."""
    return assemble(recipe(), resolve("carton_tray"), "c", "pinned").environment


def _starts(environment, by, seed=0):
    first = jax.vmap(lambda _: environment.start(jnp.zeros((), jnp.int32)))(jnp.arange(COUNT))
    keys = jax.random.split(jax.random.key(seed), COUNT)
    return perturbed_starts(environment, first, keys, by)


def test_no_object_stands_in_the_tray_or_beside_the_table(crowded):
    by = replace(STILL, object_m=0.35)
    states, unmoved = _starts(crowded, by)
    qpos = np.asarray(states.physics.qpos)
    assert unmoved == 0 and (overlap_m(crowded.physics, qpos) < 0.0021).all() and borne(crowded.physics, qpos).all()
    at = crowded.physics.layout.object().qpos
    moved = qpos[:, at][:, :2] - np.asarray(crowded.reference.object_start)[:2]
    assert (np.abs(moved).max(axis=1) > 0).mean() > 0.9 and np.abs(moved).max() > 0.1


def test_overlap_is_how_deep(crowded):
    """The box let down onto the middle of the tray, millimetre by millimetre, and on into it."""
    at = crowded.physics.layout.object().qpos
    start = np.asarray(crowded.start(jnp.zeros((), jnp.int32)).physics.qpos, float)
    assert overlap_m(crowded.physics, start[None])[0] == 0.0
    tray = np.asarray(crowded.physics.scene.spec.prop_poses).reshape(-1, 7)[0]
    lower = np.repeat(start[None], 200, axis=0)
    lower[:, at.start : at.start + 2] = tray[:2]
    lower[:, at.start + 2] = tray[2] + 0.15 - 1e-3 * np.arange(200)
    found = overlap_m(crowded.physics, lower)
    first = int((found > 0).argmax())
    assert 0 < first < 190 and not found[:first].any() and found[first] <= 1e-3
    np.testing.assert_allclose(np.diff(found[first : first + 6]), 1e-3, atol=1e-4)


def test_where_nothing_else_is_free_the_object_stays_and_that_is_told(crowded, monkeypatch):
    """As if a wall stood wherever the object is put."""
    monkeypatch.setattr(
        valid_starts, "overlap_m", lambda physics, qpos, thing: np.full(len(qpos), float(len(qpos) > 1))
    )
    states, unmoved = _starts(crowded, replace(STILL, object_m=0.02))
    assert unmoved == COUNT
    at = crowded.physics.layout.object().qpos
    np.testing.assert_array_equal(
        states.physics.qpos[:, at][:, :3], np.tile(crowded.reference.object_start[:3], (COUNT, 1))
    )


def test_draws_that_are_fine_are_kept(crowded):
    by = replace(STILL, object_m=0.01, mass=(0.5, 2.0))
    one, again = (np.asarray(_starts(crowded, by)[0].physics.qpos) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert len(np.unique(one[:, crowded.physics.layout.object().qpos.start])) == COUNT
