"""Starts that one could begin from: an object that would stand in something, or off its table, is put elsewhere."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.datasets.load import resolve
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
    return np.asarray(perturbed_starts(environment, first, keys, by).physics.qpos)


def test_no_object_stands_in_the_tray_or_beside_the_table(crowded):
    by = replace(STILL, object_m=0.35)
    qpos = _starts(crowded, by)
    assert (overlap_m(crowded.physics, qpos) < 0.0021).all() and borne(crowded.physics, qpos).all()
    at = crowded.physics.layout.object().qpos
    moved = qpos[:, at][:, :2] - np.asarray(crowded.reference.object_start)[:2]
    assert (np.abs(moved).max(axis=1) > 0).mean() > 0.9 and np.abs(moved).max() > 0.1


def test_overlap_is_how_deep(crowded):
    """The box pushed into the tray from the side: by as much as it goes in."""
    at = crowded.physics.layout.object().qpos
    start = np.asarray(crowded.start(jnp.zeros((), jnp.int32)).physics.qpos)
    assert overlap_m(crowded.physics, start[None])[0] == 0.0
    tray = np.asarray(crowded.physics.scene.spec.prop_poses).reshape(-1, 7)[0]
    inside = start.copy()
    inside[at] = np.concatenate([tray[:3], start[at][3:]])
    assert overlap_m(crowded.physics, inside[None])[0] > 0.005


def test_draws_that_are_fine_are_kept(crowded):
    by = replace(STILL, object_m=0.01, mass=(0.5, 2.0))
    one, again = _starts(crowded, by), _starts(crowded, by)
    np.testing.assert_array_equal(one, again)
    assert len(np.unique(one[:, crowded.physics.layout.object().qpos.start])) == COUNT
