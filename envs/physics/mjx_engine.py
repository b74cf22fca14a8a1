"""MJX engines: pure JAX (any device, the one for TPU) and Warp (NVIDIA; also compiles on a CPU, slowly)."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import mujoco

from devi_jax.core.errors import DeviceError
from envs.physics.advance import Advance, Coordinates
from envs.physics.state import Variation
from envs.physics.vary import varied_fields

CONTACTS = 64
"""Contacts of one environment that Warp makes room for; a grasping human has up to 30. It drops what does not fit."""
ROWS = 4 * CONTACTS
"""Constraint rows of one environment that Warp makes room for: four an elliptic contact of condim 4."""


def advance_mjx(model: mujoco.MjModel, substeps: int, impl: Literal["jax", "warp"]) -> Advance:
    """`Advance` on MJX. Raises `DeviceError` if Warp is asked for and not installed."""
    from mujoco import mjx

    room = {} if impl == "jax" else {"njmax": ROWS}

    def make_data(environments: int):
        # Warp shares one contact buffer among all environments of a batch
        more = room and {"naconmax": CONTACTS * environments}
        return mjx.make_data(model, impl=impl, **room, **more)

    try:
        template = make_data(1)
        on_device = mjx.put_model(model, impl=impl)
    except (ImportError, RuntimeError) as error:
        raise DeviceError(
            f"the {impl} engine does not start: {error}",
            where="--physics=warp" if impl == "warp" else "--physics=mjx",
            valid="--physics=auto picks one that does",
            mend="pip install -e '.[gpu]'" if impl == "warp" else "pip install --upgrade mujoco-mjx",
        ) from error

    fields = varied_fields(model)

    def advance(data, now: Coordinates, spring, variation: Variation):
        factors = variation.mass, variation.friction
        objects = {f.field: getattr(on_device, f.field).at[f.index].set(f.values(*factors)) for f in fields}
        with_targets = on_device.replace(qpos_spring=spring, **objects)
        data = data.replace(qpos=now.qpos, qvel=now.qvel, qacc_warmstart=now.warmstart)
        data = jax.lax.fori_loop(0, substeps, lambda _, d: mjx.step(with_targets, d), data)
        return Coordinates(data.qpos, data.qvel, data.qacc_warmstart), data.sensordata

    return partial(advance, template) if impl == "jax" else _sized(advance, make_data, template)


def _sized(advance: Callable, make_data: Callable[[int], Any], template: Any) -> Advance:
    """`advance` on data made for the size of the batch that `vmap` asks for."""
    single = jax.custom_batching.custom_vmap(partial(advance, template))

    @single.def_vmap
    def batched(size, mapped, *inputs):
        whole = jax.tree.map(lambda x, has: x if has else jnp.broadcast_to(x, (size, *x.shape)), inputs, tuple(mapped))
        out = jax.vmap(partial(advance, make_data(size)))(*whole)
        return out, jax.tree.map(lambda _: True, out)

    return single
