"""Call a NumPy function from compiled code, with NumPy views of XLA's memory.

`jax.pure_callback` copies its arguments to a JAX device on the very threads that wait for it, and locks up with several
CPU devices in one process. It also keeps a program out of the compilation cache on disk, which a name does not.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from envs.physics.engines import xla_ffi

HostFunction = Callable[..., Sequence[np.ndarray]]
"""Arrays with equal leading dimensions to arrays with the same ones. They may be views that die with the call."""

TARGET = "devi_jax_host_call"


def host_call(
    name: int, function: HostFunction, sizes: tuple[int, ...], *arguments: Array | np.ndarray
) -> Sequence[Array]:
    """`function` of float32 `arguments`, as float32 vectors of these lengths; `vmap` makes it one call with the batch.

    Args:
        name: a number below 2^63 for what `function` computes: of two functions of one name the first is called. A
            compiled program knows it by that alone, in this process or from the cache on disk in the next one.
        function: pure. Under `jax.shard_map` each device calls with its own shard.
        sizes: of the results.
        arguments: of the first the last dimension is a vector, all before it are the batch.
    """
    _functions()[0].setdefault(name, function)
    lead = arguments[0].shape[:-1]
    results = [jax.ShapeDtypeStruct((*lead, size), jnp.float32) for size in sizes]
    return jax.ffi.ffi_call(TARGET, results, vmap_method="broadcast_all")(*arguments, name=np.int64(name))


@lru_cache(maxsize=1)
def _functions() -> tuple[dict[int, HostFunction], Any]:
    """The functions of this process by name, and where XLA enters, which it learns when the first one asks.

    Both stay for good, as the programs that call them may.
    """
    functions: dict[int, HostFunction] = {}
    entry = xla_ffi.handler(functions.__getitem__)
    jax.ffi.register_ffi_target(TARGET, jax.ffi.pycapsule(entry), platform="cpu")
    return functions, entry
