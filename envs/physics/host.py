"""Call a NumPy function from compiled code: `jax.pure_callback` for batches, with NumPy arrays in and out.

`pure_callback` first copies its arguments to a JAX device, on the very threads that wait for the callback: with several
CPU devices in one process it locks up. What XLA hands over are NumPy arrays already.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jaxtyping import Array

HostFunction = Callable[..., Sequence[np.ndarray]]
"""Arrays with equal leading dimensions to arrays with the same ones. They may be views that die with the call."""


def host_call(function: HostFunction, sizes: tuple[int, ...], *arguments: Array) -> list[Array]:
    """`function` of `arguments`, as float32 vectors of these lengths; `vmap` makes it one call with the whole batch.

    `function` must be pure. Under `jax.shard_map` each device calls with its own shard.
    """
    return _host_call.bind(*arguments, function=function, sizes=sizes)


def _shapes(*arguments, function: HostFunction, sizes: tuple[int, ...]) -> list[ShapedArray]:
    # of the first argument the last dimension is a vector, all before it are the batch
    return [ShapedArray((*arguments[0].shape[:-1], size), jnp.float32) for size in sizes]


def _batched(arguments, axes, **parameters):
    size = next(x.shape[axis] for x, axis in zip(arguments, axes, strict=True) if axis is not None)
    whole = [
        jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(arguments, axes, strict=True)
    ]
    return _host_call.bind(*whole, **parameters), [0] * len(parameters["sizes"])


def _lowered(context, *operands, function: HostFunction, sizes: tuple[int, ...]):
    results, _, _ = mlir.emit_python_callback(
        context, function, None, list(operands), context.avals_in, context.avals_out, has_side_effect=False
    )
    return results


_host_call = Primitive("host_call")
_host_call.multiple_results = True
_host_call.def_abstract_eval(_shapes)
_host_call.def_impl(lambda *arguments, **parameters: jax.jit(lambda *x: _host_call.bind(*x, **parameters))(*arguments))
batching.primitive_batchers[_host_call] = _batched
mlir.register_lowering(_host_call, _lowered, platform="cpu", cacheable=False)
