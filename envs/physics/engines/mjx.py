"""MJX engines: pure JAX (any device, the one for TPU) and Warp (NVIDIA; also compiles on a CPU, slowly)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import mujoco

from devi_jax.core.errors import DeviceError
from envs.physics.engine import Advance, Coordinates
from envs.physics.engines.warp_buffers import stop_where_full
from envs.physics.model_randomization import varied_fields
from envs.physics.shelf import richest
from envs.physics.solver import Settings
from envs.physics.state import Variation

Watch = Callable[[Settings, Any], None]
"""What looks at Warp's data of a whole batch after every control step."""


def advance_mjx(
    models: Sequence[mujoco.MjModel],
    settings: Settings,
    substeps: int,
    impl: Literal["jax", "warp"],
    watch: Watch = stop_where_full,
) -> Advance:
    """`Advance` on MJX, `substeps` at a time, of the scene's model with each of its things present.

    Raises `DeviceError` if Warp is asked for and not installed.
    """
    from mujoco import mjx

    model = richest(models)

    def make_data(environments: int):
        # Warp shares one contact buffer among all environments of a batch
        room = {"njmax": settings.rows, "naconmax": settings.contacts * environments} if impl == "warp" else {}
        return mjx.make_data(model, impl=impl, **room)

    try:
        template = make_data(1)
        on_device = mjx.put_model(model, impl=impl)
        if impl == "warp":  # would print from its kernels what `watch` looks at
            on_device = on_device.tree_replace({"opt._impl.warn_overflow": 0})
    except (ImportError, RuntimeError) as error:
        raise DeviceError(
            f"the {impl} engine does not start: {error}",
            where="--physics=warp" if impl == "warp" else "--physics=mjx",
            valid="--physics=auto picks one that does",
            fix="pip install -e '.[gpu]'" if impl == "warp" else "pip install --upgrade mujoco-mjx",
        ) from error

    fields = varied_fields(models, "margin")

    def advance(data, now: Coordinates, spring, variation: Variation):
        factors = variation.mass, variation.friction, variation.thing
        objects = {f.field: getattr(on_device, f.field).at[f.index].set(f.values(*factors)) for f in fields}
        with_targets = on_device.replace(qpos_spring=spring, **objects)
        data = data.replace(qpos=now.qpos, qvel=now.qvel, qacc_warmstart=now.warmstart)
        return jax.lax.fori_loop(0, substeps, lambda _, d: mjx.step(with_targets, d), data)

    if impl == "jax":
        return lambda now, spring, variation: _read(advance(template, now, spring, variation))
    return _sized(advance, make_data, partial(watch, settings))


def _read(data: Any) -> tuple[Coordinates, jax.Array]:
    return Coordinates(data.qpos, data.qvel, data.qacc_warmstart), data.sensordata


def _sized(advance: Callable, make_data: Callable[[int], Any], watch: Callable[[Any], None]) -> Advance:
    """`advance` on data made for the size of the batch that `vmap` asks for, watched as a whole."""

    def whole(size: int, *inputs):
        data = jax.vmap(partial(advance, make_data(size)))(*inputs)
        watch(data)
        return _read(data)

    @jax.custom_batching.custom_vmap
    def single(*inputs):
        return jax.tree.map(lambda x: x[0], whole(1, *jax.tree.map(lambda x: jnp.asarray(x)[None], inputs)))

    @single.def_vmap
    def batched(size, mapped, *inputs):
        given = jax.tree.map(lambda x, has: x if has else jnp.broadcast_to(x, (size, *x.shape)), inputs, tuple(mapped))
        out = whole(size, *given)
        return out, jax.tree.map(lambda _: True, out)

    return single
