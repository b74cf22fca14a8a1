"""How much room a scene needs in MJX-Warp: contacts and rows of a replay's states, counted by Warp itself."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import mujoco
import numpy as np

from envs.physics.engines.mjx import advance_mjx
from envs.physics.engines.warp_buffers import margin
from envs.physics.simulation import Physics
from envs.physics.solver import Settings
from envs.physics.state import Control, PhysicsState

GENEROUS = (256, 1024)
"""Contacts and rows of an environment while counting."""
_STEP = 8  # sizes are rounded up to multiples of it


@dataclass(frozen=True)
class Need:
    """The most that one environment needed at any time; `candidates`: pairs of geoms near enough to look at."""

    contacts: int
    candidates: int
    rows: int


def count_need(physics: Physics, states: PhysicsState, controls: Control, steps: int = 4) -> Need:
    """What `steps` control steps of N environments need, each from its state under its own constant control.

    `physics`: on MJX-Warp, whatever its room. Contacts of the physics steps between control steps are not seen.
    """
    settings = replace(physics.settings, contacts=GENEROUS[0], rows=GENEROUS[1])
    seen: list[Need] = []

    def keep(owner, contacts, candidates, rows):
        # Warp keeps all environments' contacts in one list; batching may repeat it for each of them
        owner, contacts, candidates, rows = (np.ravel(x) for x in (owner, contacts, candidates, rows))
        of_each = np.bincount(owner[: contacts[0]], minlength=1)
        seen.append(Need(int(of_each.max()), -(-int(candidates[0]) // len(rows)), int(rows.max())))

    def watch(_: Settings, data: Any) -> None:
        i = data._impl
        jax.debug.callback(keep, i.contact__worldid, i.nacon, i.ncollision, i.nefc)

    counted = replace(physics, advance=advance_mjx(physics.models, settings, physics.substeps, "warp", watch))

    @jax.jit
    def run(states: PhysicsState) -> PhysicsState:
        return jax.lax.fori_loop(0, steps, lambda _, s: jax.vmap(counted.step)(s, controls), states)

    jax.block_until_ready(run(states))
    jax.effects_barrier()
    return Need(*(max(getattr(n, name) for n in seen) for name in ("contacts", "candidates", "rows")))


def sized(settings: Settings, need: Need) -> Settings:
    """The same settings with buffers for what is needed times the margin, which share one size where Warp does."""
    contacts, rows = (_rounded(margin() * n) for n in (max(need.contacts, need.candidates), need.rows))
    return replace(settings, contacts=contacts, rows=rows)


def fit(physics: Physics, states: PhysicsState, controls: Control) -> Physics:
    """Warp physics with room for what follows from these states (N, ...), and for as much again."""
    settings = sized(physics.settings, count_need(physics, states, controls))
    return replace(physics, settings=settings, advance=advance_mjx(physics.models, settings, physics.substeps, "warp"))


def candidate_pairs(model: mujoco.MjModel) -> int:
    """Pairs of geoms of different bodies that the contact bits let meet, whatever their distance."""
    a, b = np.triu_indices(model.ngeom, 1)
    types, affinities, root = model.geom_contype, model.geom_conaffinity, model.body_weldid[model.geom_bodyid]
    allowed = ((types[a] & affinities[b]) | (types[b] & affinities[a])) != 0
    return int((allowed & (root[a] != root[b])).sum())


def _rounded(size: float) -> int:
    return int(np.ceil(max(size, 1) / _STEP) * _STEP)
