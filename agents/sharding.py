"""Sharding: environments are divided among the devices of a mesh with the one axis `env`, all else is replicated.

Without a mesh everything lies where JAX puts it, which is what one device and `vmap` over learners want.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from agents.state import TrainState
from devi_jax.core.errors import ConfigError

AXIS = "env"
REPLICATED = PartitionSpec()
"""A copy on every device."""
ENV_SHARDED = PartitionSpec(AXIS)
"""Arrays (N, ...) of N environments."""
TIME_ENV_SHARDED = PartitionSpec(None, AXIS)
"""Arrays (T, N, ...)."""

PER_ENVIRONMENT = ("environments", "observation", "carry", "episodes")
"""Fields of a `TrainState` with the environments as leading dimension."""


def env_mesh(devices: Sequence[Any]) -> Mesh:
    """These JAX devices, of one process or of many, along the axis `env`."""
    return Mesh(np.asarray(devices), (AXIS,))


def check_divisible(mesh: Mesh | None, environments: int, groups: int) -> None:
    """Raise `ConfigError` unless each device gets as many environments and as many samples of each minibatch."""
    if mesh is None or groups % mesh.size == 0:
        return
    valid = [n for n in range(1, min(groups, 4 * mesh.size) + 1) if groups % n == 0]
    raise ConfigError(
        f"{environments} environments and their minibatches cannot be shared out evenly among {mesh.size} devices",
        where="--devices, --ppo.environments, --ppo.minibatch",
        valid=f"a number of devices that divides both, such as {', '.join(map(str, valid))}",
    )


def state_sharding(mesh: Mesh) -> Any:
    """The sharding of each field of a `TrainState`, as a prefix of its pytree."""
    sharded, replicated = NamedSharding(mesh, ENV_SHARDED), NamedSharding(mesh, REPLICATED)
    by_field: dict[str, Any] = {
        f.name: sharded if f.name in PER_ENVIRONMENT else replicated for f in fields(TrainState)
    }
    return TrainState(**by_field)


def shard_map(mesh: Mesh | None, function: Callable, in_specs: Any, out_specs: Any) -> Callable:
    """`jax.shard_map`: each device runs `function` on its own shard, without communication; no mesh: `function`."""
    if mesh is None:
        return function
    # engines begin loops with constants, which would have to be marked as different on each device
    return jax.shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)


def replicate(tree: Any, mesh: Mesh | None) -> Any:
    """A copy of `tree`, which all processes hold alike, on every device of the mesh."""
    if mesh is None:
        return tree
    sharding = NamedSharding(mesh, REPLICATED)

    def copies(x):
        if isinstance(x, Tracer):
            return x
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(copies(jax.random.key_data(x)), impl=jax.random.key_impl(x))
        # what lies on a device of this process alone cannot be put on another's
        return jax.device_put(np.asarray(x), sharding)

    return jax.tree.map(copies, tree)


def to_local(tree: Any) -> Any:
    """This process's copy, on its first device, of replicated arrays."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)
