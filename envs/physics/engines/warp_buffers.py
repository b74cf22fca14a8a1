"""MJX-Warp's buffers have fixed sizes, and it drops what does not fit: here that stops the run with one clear error."""

import logging
import os
from typing import Any

import jax

from devi_jax.core.errors import ConfigError, DeviceError, raise_in_callback
from envs.physics.solver import Settings

VARIABLE = "DEVI_JAX_WARP_ROOM"
"""Environment variable: how many times what a clip's replay needs the buffers hold."""
MARGIN = 2.0
"""What it is unless set: a policy that explores touches more than a replay."""

# mujoco_warp's OverflowType; its other bits tell of solvers that did not converge, which drops nothing
_BUFFERS = {1: "njmax", 2: "njmax_nnz", 4: "naconmax", 8: "naconmax", 16: "naccdmax", 64: "contact sensor matches"}
_DROPPED = sum(_BUFFERS)


def margin() -> float:
    """The factor on what the probe finds. Raises `ConfigError` for one that is no number of 1 or more."""
    given = os.environ.get(VARIABLE, str(MARGIN))
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not value >= 1:
        raise ConfigError(f"{VARIABLE} is '{given}'", where=VARIABLE, valid="a number of 1 or more")
    return value


def stop_where_full(settings: Settings, data: Any) -> None:
    """Raise, from within a compiled program, once any environment's step has dropped a contact or a row.

    `data`: MJX data with leading dimension N. The `DeviceError` arrives by `raise_in_callback`.
    """
    dropped = data._impl.overflow & _DROPPED

    def complain(bits):
        full = {name for mask in set(bits.ravel().tolist()) for bit, name in _BUFFERS.items() if mask & bit}
        if not full:
            return
        # JAX logs the traceback of what it is about to raise
        logging.getLogger("jax._src.debugging").disabled = True
        error = DeviceError(
            f"MJX-Warp ran out of room and dropped contacts: {', '.join(sorted(full))}",
            where=f"--physics=warp, with room for {settings.contacts} contacts and {settings.rows} rows an environment",
            valid="buffers that hold all that touches",
            fix=f"{VARIABLE}={2 * margin():g} python -m devi_jax.train ..., or --physics=mjx",
        )
        raise_in_callback(error)

    jax.lax.cond(dropped.any(), lambda: jax.debug.callback(complain, dropped), lambda: None)
