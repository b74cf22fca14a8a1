"""Perturbed starts that a person could begin from: the object stands clear of everything and on what bears it."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key, PRNGKeyArray

from envs.physics import Physics
from envs.physics.overlap import overlap_m
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import Randomization, randomize
from envs.tracking.state import TrackingState

DEPTH_M = 0.002
"""The object may overlap other things by this much more than it does in the clip."""
TRIES = 10
"""Draws of a start, after which its object stands where the clip has it."""


def perturbed_starts(
    environment: TrackingEnvironment, states: TrackingState, keys: Key[Array, " N"], by: Randomization
) -> tuple[TrackingState, int]:
    """States (N, ...) at frame 0 with another object each, drawn again while it stands in something or off its table;
    and in how many of them it had to stay where the clip has it."""
    drawn = _drawn(environment.physics, by, states, keys)
    if not environment.physics.has_object or not (by.object_m or by.object_rad):
        return drawn, 0
    thing = int(environment.library.thing[0])
    usual = overlap_m(environment.physics, np.asarray(states.physics.qpos[:1]), thing)[0]
    good = np.zeros(len(keys), bool)
    for attempt in range(1, TRIES + 1):
        tried = np.flatnonzero(~good)
        qpos = np.asarray(drawn.physics.qpos)[tried]
        clear = overlap_m(environment.physics, qpos, thing) < usual + DEPTH_M
        good[tried] = clear & borne(environment.physics, qpos)
        if good.all():
            break
        others = jax.vmap(jax.random.fold_in, (0, None))(keys, attempt)
        again = states if attempt == TRIES else _drawn(environment.physics, by, states, others)
        drawn = _chosen(jnp.asarray(good), drawn, again)
    return drawn, int((~good).sum())


def borne(physics: Physics, qpos: Float[np.ndarray, "N nq"]) -> np.ndarray:
    """Whether the object's origin is above the table, or, in a scene without one, anywhere; (N,)."""
    table = physics.scene.spec.table
    if table is None:
        return np.ones(len(qpos), bool)
    place = qpos[:, physics.layout.object(OBJECT_NAME).qpos][:, :2]
    inside = np.abs(place - np.array(table.centre)) < np.array(table.size[:2]) / 2
    lies_below = qpos[:, physics.layout.object(OBJECT_NAME).qpos][:, 2] < table.size[2]
    return inside.all(axis=1) | lies_below


@partial(jax.jit, static_argnums=(0, 1))
def _drawn(physics: Physics, by: Randomization, states: TrackingState, keys: Key[Array, " N"]) -> TrackingState:
    def one(state: TrackingState, key: PRNGKeyArray) -> TrackingState:
        return replace(state, physics=randomize(physics, state.physics, key, by))

    return jax.vmap(one)(states, keys)


@jax.jit
def _chosen(good: Bool[Array, " N"], old: TrackingState, new: TrackingState) -> TrackingState:
    return jax.tree.map(lambda a, b: jnp.where(good.reshape(-1, *[1] * (a.ndim - 1)), a, b), old, new)
