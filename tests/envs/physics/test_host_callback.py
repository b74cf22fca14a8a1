"""NumPy called from compiled code: batches under vmap, each device's own call under shard_map, known by name."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from envs.physics.engines.host_callback import host_call

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
    return lambda x, y: host_call(id(function), function, (3, 1), x, y)


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


def test_a_program_knows_a_function_by_its_name_alone(rng):
    """So it can be kept on disk; of two functions of one name the first is called."""
    x = rng.normal(size=(2, 3)).astype(np.float32)
    first, second = (lambda x, factor=factor: (factor * x,) for factor in (2, 3))
    programs = [jax.jit(lambda x, f=f: host_call(11, f, (3,), x)[0]) for f in (first, second)]
    one, other = (program.lower(x).as_text() for program in programs)
    assert one.split("{", 1)[1] == other.split("{", 1)[1] and "name = 11" in one
    for program in programs:
        np.testing.assert_array_equal(program(x), 2 * x)


def test_what_a_function_raises_is_told_and_the_next_call_works(rng):
    x = rng.normal(size=(2, 3)).astype(np.float32)

    def picky(x):
        if x[0, 0] > 1e6:
            raise ValueError("too large for me")
        return (x[:1] if x[0, 0] < -1e6 else x,)

    run = jax.jit(lambda x: host_call(12, picky, (3,), x)[0])
    for wrong, words in ((x + 2e6, "too large for me"), (x - 2e6, r"shape \(1, 3\), not \(2, 3\)")):
        with pytest.raises(jax.errors.JaxRuntimeError, match=words):
            run(wrong).block_until_ready()
    with pytest.raises(jax.errors.JaxRuntimeError, match="only float32 may cross"):
        run(jnp.ones((2, 3), jnp.int32)).block_until_ready()
    np.testing.assert_array_equal(run(x), x)
    assert run(x[:0]).shape == (0, 3)


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
