"""MJX engines: pure JAX (any device, the one for TPU) and Warp (NVIDIA; also compiles on a CPU, slowly)."""

from typing import Literal

import jax
import mujoco

from devi_jax.core.errors import DeviceError
from envs.physics.advance import Advance, Coordinates


def advance_mjx(model: mujoco.MjModel, substeps: int, impl: Literal["jax", "warp"]) -> Advance:
    """`Advance` on MJX. Raises `DeviceError` if Warp is asked for and not installed."""
    from mujoco import mjx

    try:
        template = mjx.make_data(model, impl=impl)
        on_device = mjx.put_model(model, impl=impl)
    except (ImportError, RuntimeError) as error:
        raise DeviceError(
            f"the {impl} engine does not start: {error}",
            where="--physics=warp" if impl == "warp" else "--physics=mjx",
            valid="--physics=auto picks one that does",
            mend="pip install -e '.[gpu]' (or '.[warp]' on a CPU)"
            if impl == "warp"
            else "pip install --upgrade mujoco-mjx",
        ) from error

    def advance(now: Coordinates, spring):
        with_targets = on_device.replace(qpos_spring=spring)
        data = template.replace(qpos=now.qpos, qvel=now.qvel, qacc_warmstart=now.warmstart)
        data = jax.lax.fori_loop(0, substeps, lambda _, d: mjx.step(with_targets, d), data)
        return Coordinates(data.qpos, data.qvel, data.qacc_warmstart), data.sensordata

    return advance
