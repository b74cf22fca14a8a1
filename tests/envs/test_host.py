"""NumPy called from compiled code: batches under vmap, a call of its own for each device under shard_map."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from envs.physics.host import host_call

SPREAD = PartitionSpec("env")


class Doubler:
    """Twice its first argument and the sum of its second; remembers the shapes it was called with."""

    def __init__(self, meet: int = 1):
        self.shapes, self._meeting = [], threading.Barrier(meet)

    def __call__(self, x, y):
        self._meeting.wait(timeout=60)  # all devices call before any of them gets its answer
        self.shapes.append(x.shape)
        return 2 * x, y.sum(-1, keepdims=True)


def both(function):
    return lambda x, y: host_call(function, (3, 1), x, y)


def test_one_call_for_a_whole_batch_however_deep(rng):
    function = Doubler()
    x, y = (rng.normal(size=(4, 5, n)).astype(np.float32) for n in (3, 2))
    run = jax.jit(jax.vmap(jax.vmap(both(function)), in_axes=(1, 1), out_axes=1))
    doubled, total = run(x, y)
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_allclose(total[..., 0], y.sum(-1), rtol=1e-6)
    assert function.shapes == [(5, 4, 3)]


def test_what_is_not_batched_is_repeated(rng):
    x, y = rng.normal(size=(4, 3)).astype(np.float32), np.ones(2, np.float32)
    doubled, total = jax.vmap(both(Doubler()), in_axes=(0, None))(x, y)
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_array_equal(total, np.full((4, 1), 2.0))


def test_each_device_calls_with_its_own_shard_at_the_same_time(rng):
    """Arguments of this size would lock up `jax.pure_callback`, which copies them on the threads that wait for it."""
    function, mesh = Doubler(meet=2), Mesh(np.asarray(jax.devices()[:2]), ("env",))
    x, y = (rng.normal(size=(4096, n)).astype(np.float32) for n in (3, 200))
    local = jax.shard_map(jax.vmap(both(function)), mesh=mesh, in_specs=SPREAD, out_specs=SPREAD, check_vma=False)
    doubled, total = jax.jit(local)(x, y)
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_allclose(total[:, 0], y.sum(-1), rtol=1e-3, atol=1e-3)
    assert function.shapes == [(2048, 3)] * 2


def test_physics_of_two_devices_is_that_of_one(pinned):
    """Bit for bit: each simulation is a function of its own arguments."""
    environment = pinned.environment
    mesh = Mesh(np.asarray(jax.devices()[:2]), ("env",))
    starts = jax.vmap(environment.start)(jnp.arange(6) * 10).physics
    control = jax.vmap(lambda t: environment.control(environment.start(t), jnp.zeros(environment.action_size)))
    step = jax.vmap(environment.physics.step)
    local = jax.shard_map(step, mesh=mesh, in_specs=SPREAD, out_specs=SPREAD, check_vma=False)
    inputs = (starts, control(jnp.arange(6) * 10))
    one, two = jax.jit(step)(*inputs), jax.jit(local)(*inputs)
    assert len(two.qpos.sharding.device_set) == 2 and not np.array_equal(one.qpos, starts.qpos)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(a, b)
