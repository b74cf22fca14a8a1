"""Checkpoints come back bit for bit, refuse what does not fit, and survive SIGKILL."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.errors import RunError
from devi_jax.runs.checkpoint import Checkpoints, OlderPaths


class Moments(NamedTuple):
    steps: jax.Array
    mu: dict[str, jax.Array]


def some_state(seed: int = 0, width: int = 5) -> dict:
    bits = np.random.default_rng(seed).integers(0, 2**32, (3, width), dtype=np.uint32)
    return {
        "params": {"w": jnp.asarray(bits.view(np.float32)), "empty": jnp.zeros((0, 4))},
        "optimiser": (Moments(jnp.int32(-7), {"w": jnp.asarray(bits)}), ()),
        "done": jnp.array([True, False, True]),
        "key": jax.random.key(seed),
        "keys": jax.random.split(jax.random.key(seed, impl="rbg"), 4),
        "clock": np.array([0.1, 0.2]),
        "absent": None,
    }


def raw_bytes(tree) -> list[bytes]:
    def data(x):
        return jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x

    return [np.asarray(data(leaf)).tobytes() for leaf in jax.tree.leaves(tree)]


def test_a_state_comes_back_bit_for_bit(tmp_path):
    state = some_state(1)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(3, state)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest() == 3
        back = checkpoints.restore(None, like=some_state(2))
    assert jax.tree.structure(back) == jax.tree.structure(state)
    assert raw_bytes(back) == raw_bytes(state)
    assert [x.dtype for x in jax.tree.leaves(back)] == [x.dtype for x in jax.tree.leaves(state)]
    assert jax.random.uniform(back["key"]) == jax.random.uniform(state["key"])
    assert isinstance(back["clock"], np.ndarray)


def test_a_state_is_restored_from_shapes_alone(tmp_path):
    state = some_state()
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, state)
        back = checkpoints.restore(
            0, like=jax.eval_shape(lambda: {k: v for k, v in state.items() if k != "clock"}) | {"clock": state["clock"]}
        )
    assert raw_bytes(back) == raw_bytes(state)


def test_sharded_leaves_keep_their_placement(tmp_path):
    mesh = jax.make_mesh((2,), ("env",))
    placed = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("env"))
    state = {
        "x": jax.device_put(jnp.arange(8.0), placed),
        "key": jax.device_put(jax.random.split(jax.random.key(0), 2), placed),
    }
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, state)
        back = checkpoints.restore(0, like=state)
    assert raw_bytes(back) == raw_bytes(state)
    assert back["x"].sharding == placed
    assert len(back["key"].sharding.device_set) == 2


def test_the_newest_two_are_kept_and_steps_only_grow(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.latest() is None
        for step in (1, 4, 9):
            checkpoints.save(step, {"x": jnp.full(3, float(step))})
        checkpoints.save(9, {"x": jnp.zeros(3)})
        with pytest.raises(ValueError, match="checkpoint 4 would come after checkpoint 9"):
            checkpoints.save(4, {"x": jnp.zeros(3)})
        like = {"x": jnp.zeros(3)}
        assert [float(checkpoints.restore(step, like)["x"][0]) for step in (None, 9, 4)] == [9.0, 9.0, 4.0]
        with pytest.raises(RunError, match="no checkpoint of step 1\n.*\n.*4, 9"):
            checkpoints.restore(1, like)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["4", "9"]


def test_a_state_that_does_not_fit_is_refused_by_path_and_shape(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, some_state(width=5))
        with pytest.raises(RunError, match=r"'optimiser/0/mu/w' is uint32\[3, 5\] there and uint32\[3, 6\] here") as e:
            checkpoints.restore(0, like=some_state(width=6))
        assert e.value.where == str(tmp_path / "0") and "--out" in e.value.fix
        wrong = some_state()
        wrong["params"]["w"] = wrong["params"]["w"].astype(jnp.int32)
        with pytest.raises(RunError, match=r"'params/w' is float32\[3, 5\] there and int32\[3, 5\] here"):
            checkpoints.restore(0, like=wrong)
        with pytest.raises(RunError, match=r"'extra' is absent there and float32\[2\] here"):
            checkpoints.restore(0, like=some_state() | {"extra": jnp.zeros(2)})
        with pytest.raises(RunError, match=r"'params/w' is float32\[3, 5\] there and absent here"):
            checkpoints.restore(0, like=some_state() | {"params": {}})


def test_parts_that_were_renamed_are_found_under_their_old_paths(tmp_path):
    old = some_state(1)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, old)
        like = {"model": {"weights": some_state(2)["params"], "optimiser": some_state(2)["optimiser"]}}
        like |= {name: part for name, part in some_state(2).items() if name not in ("params", "optimiser")}
        renamed = {"model/weights": "params", "model/optimiser": "optimiser"}
        back = checkpoints.restore(1, like, OlderPaths(renamed))
        assert raw_bytes((back["model"]["weights"], back["model"]["optimiser"])) == raw_bytes(
            (old["params"], old["optimiser"])
        )
        with pytest.raises(RunError, match="'model/optimiser/0/mu/w' is absent there"):
            checkpoints.restore(1, like, OlderPaths({"model/weights": "params"}))


def test_a_damaged_checkpoint_is_one_error(tmp_path):
    state = {"x": jnp.arange(1000.0)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, state)
        checkpoints.save(1, state)
        checkpoints.wait()
        for file in (tmp_path / "1").rglob("*"):
            if file.is_file() and file.parent.name == "d":
                file.unlink()
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(RunError, match="checkpoint 1 cannot be read"):
            checkpoints.restore(1, state)
        assert float(checkpoints.restore(0, state)["x"][7]) == 7.0


def test_a_state_may_be_donated_while_it_is_saved(tmp_path):
    overwrite = jax.jit(lambda x: x * 0 - 1, donate_argnums=0)
    state = {"x": jnp.arange(2e6)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, state)
        later = overwrite(state["x"])
        assert state["x"].is_deleted() and (later == -1).all()
        back = checkpoints.restore(0, {"x": later})
    np.testing.assert_array_equal(back["x"], np.arange(2e6))


def test_a_state_holds_arrays_only(tmp_path):
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(TypeError, match="config/rate is float"):
        checkpoints.save(0, {"config": {"rate": 0.5}})


SAVER = """
    import sys
    import jax, jax.numpy as jnp
    from devi_jax.runs.checkpoint import Checkpoints

    def state(step):
        big = {f"w{i}": jnp.full((200, 100), step, jnp.int32) for i in range(8)}
        return {"step": jnp.int32(step), "key": jax.random.fold_in(jax.random.key(0), step), **big}

    checkpoints = Checkpoints(sys.argv[1])
    start = checkpoints.latest()
    if start is not None:
        back = checkpoints.restore(None, state(0))
        same = jax.tree.map(lambda a, b: bool((a == b).all()), back, state(start))
        print(start, all(jax.tree.leaves(same)), flush=True)
    for step in range(0 if start is None else start + 1, 10**6):
        checkpoints.save(step, state(step))
        checkpoints.wait()
        print(step, True, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_latest_checkpoint(tmp_path):
    moments = random.Random(0)
    reached = -1
    for _ in range(5):
        saver = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SAVER), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert saver.stdout is not None
        step, consistent = saver.stdout.readline().split()
        assert consistent == "True"
        assert int(step) >= reached
        step, _ = saver.stdout.readline().split()  # at least one more, however slow the machine
        time.sleep(moments.uniform(0.05, 0.4))
        saver.send_signal(signal.SIGKILL)
        printed = [line.split() for line in saver.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        saver.wait()
        reached = max([int(step), *(int(s) for s, _ in printed)])
    with Checkpoints(tmp_path) as checkpoints:
        latest = checkpoints.latest()
        assert latest in (reached, reached + 1)
        like = {
            "step": jnp.int32(0),
            "key": jax.random.key(0),
            **{f"w{i}": jnp.zeros((200, 100), jnp.int32) for i in range(8)},
        }
        back = checkpoints.restore(None, like)
        assert {int(x.ravel()[0]) for name, x in back.items() if name != "key"} == {latest}
        checkpoints.save(latest + 1, back)
        checkpoints.wait()
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted([str(latest), str(latest + 1)])
    assert reached >= 5


def test_paths_of_older_states():
    """What a leaf was called, one that is gone, and one that is younger than the file."""
    older = OlderPaths({"algorithm/actor": "actor"}, {"ankles": "commands/ankles", "own": "visited"}, ("clip",))
    found = {"actor/w": 0, "environments/ankles": 0, "curriculum/own/t": 0}
    assert older.stored("algorithm/actor/w", found) == "actor/w"
    assert older.stored("environments/commands/ankles", found) == "environments/ankles"
    assert older.stored("curriculum/visited/t", found) == "curriculum/own/t"
    assert older.stored("algorithm/actor/w", {"algorithm/actor/w": 0}) == "algorithm/actor/w"


def test_an_older_state_lacks_what_is_new_and_has_what_is_gone(tmp_path):
    older = OlderPaths(parts={"ankles": "commands/ankles"}, added=("clip",))
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": jnp.arange(3.0), "ankles": jnp.ones(2)})
        like = {"x": jnp.zeros(3), "clip": jnp.ones(2, jnp.int32)}
        back = checkpoints.restore(1, like, older)
        assert back["x"].tolist() == [0, 1, 2] and back["clip"].tolist() == [0, 0] and set(back) == {"x", "clip"}
        with pytest.raises(RunError, match="ankles"):
            checkpoints.restore(1, like)
