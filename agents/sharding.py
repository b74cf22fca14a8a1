"""Where arrays lie: environments spread over the devices of a mesh with the one axis `env`, all else on each of them.

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
EVERYWHERE = PartitionSpec()
"""A copy on every device."""
SPREAD = PartitionSpec(AXIS)
"""Arrays (N, ...) of N environments."""
SPREAD_IN_TIME = PartitionSpec(None, AXIS)
"""Arrays (T, N, ...)."""

OF_ENVIRONMENTS = ("environments", "observation", "episodes")
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


def state_placement(mesh: Mesh) -> Any:
    """The sharding of each field of a `TrainState`, as a prefix of its pytree."""
    spread, everywhere = NamedSharding(mesh, SPREAD), NamedSharding(mesh, EVERYWHERE)
    of_field: dict[str, Any] = {f.name: spread if f.name in OF_ENVIRONMENTS else everywhere for f in fields(TrainState)}
    return TrainState(**of_field)


def on_each(mesh: Mesh | None, function: Callable, in_specs: Any, out_specs: Any) -> Callable:
    """`function` run by each device on its own shard, without a word to the others."""
    if mesh is None:
        return function
    # engines begin loops with constants, which would have to be marked as different on each device
    return jax.shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)


def everywhere(tree: Any, mesh: Mesh | None) -> Any:
    """A copy of `tree`, which all processes hold alike, on every device of the mesh."""
    if mesh is None:
        return tree
    sharding = NamedSharding(mesh, EVERYWHERE)

    def copies(x):
        if isinstance(x, Tracer):
            return x
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(copies(jax.random.key_data(x)), impl=jax.random.key_impl(x))
        # what lies on a device of this process alone cannot be put on another's
        return jax.device_put(np.asarray(x), sharding)

    return jax.tree.map(copies, tree)


def here(tree: Any) -> Any:
    """This process's copy, on its first device, of arrays that lie `everywhere`."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)
