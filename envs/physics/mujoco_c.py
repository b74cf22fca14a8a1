"""C MuJoCo's batched simulation as a pure function: the fastest engine on a CPU, 20 to 60 times MJX there.

`vmap` reaches the host as one call with the whole batch, which runs on all cores.
"""

import hashlib
import math
import os
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import batch

from envs.physics.engine import Advance, Coordinates
from envs.physics.host_callback import host_call
from envs.physics.model_randomization import varied_fields
from envs.physics.state import Variation


def advance_c(model: mujoco.MjModel, substeps: int) -> Advance:
    """`Advance` on C MuJoCo. State crosses in float32; each control step is a function of its arguments alone.

    Under `jax.shard_map` each device calls with its own environments, on its share of the cores.
    """
    # a diverged environment must show as such: it is terminated and counted, not silently put back to zero
    model = model.__copy__()
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    sims = lru_cache(lambda threads: _Simulations(model, substeps, threads))
    sizes = (model.nq, model.nv, model.nv, model.nsensordata)

    def advance(now: Coordinates, spring, variation: Variation):
        objects = jnp.stack([jnp.asarray(variation.mass), jnp.asarray(variation.friction)])
        state = (now.qpos, now.qvel, now.warmstart, spring, objects)
        of_device = sims(_share_of_cores())
        *after, sensors = host_call(of_device.name, of_device.step, sizes, *state)
        return Coordinates(*after), sensors

    return advance


def _share_of_cores() -> int:
    """Cores for each of this process's devices that call at the same time, as seen while `shard_map` is traced."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    mesh = jax.sharding.get_abstract_mesh()
    calling = 1 if mesh.empty else math.prod(mesh.axis_sizes) // jax.process_count()
    return max(1, cores // max(1, calling))


class _Simulations:
    """Scratch batches, as many of each size as are in use at once. What a call finds in them it overwrites."""

    def __init__(self, model: mujoco.MjModel, substeps: int, threads: int):
        self._model, self._substeps, self._threads = model, substeps, threads
        self.name = _digest(_bytes(model), substeps, threads)
        self._free: dict[int, list[_Scratch]] = defaultdict(list)
        self._varied = varied_fields(model)

    def step(self, qpos, qvel, warmstart, spring, objects) -> tuple[np.ndarray, ...]:
        """`substeps` physics steps of every simulation: arrays (..., n) in, the same and sensor readings out."""
        lead = qpos.shape[:-1]
        count = math.prod(lead)
        free = self._free[count]
        try:
            scratch = free.pop()  # the devices of a process call from threads of their own
        except IndexError:
            scratch = self._create(count)
        sims = scratch.sims
        sims.qpos = qpos.reshape(count, -1)
        sims.qvel = qvel.reshape(count, -1)
        sims.qacc_warmstart = warmstart.reshape(count, -1)
        sims.expand("qpos_spring")[:] = spring.reshape(count, -1)
        self._vary(scratch, objects.reshape(count, 2).T.astype(float))
        failed = np.zeros(count, bool)
        try:
            sims.step(nstep=self._substeps)
        except batch.SimulationError as error:
            failed[error.ids] = True
        with np.errstate(over="ignore"):  # what outgrows float32 becomes infinite, and has failed
            out = [sims.bind(k).astype(np.float32) for k in ("qpos", "qvel", "qacc_warmstart", "sensordata")]
        free.append(scratch)
        failed |= ~np.isfinite(np.concatenate(out[:2], axis=1)).all(axis=1)
        out[0][failed] = np.nan  # the environment terminates and counts them
        return tuple(x.reshape(*lead, -1) for x in out)

    def _vary(self, scratch: "_Scratch", factors: np.ndarray) -> None:
        """Give each simulation its object; nothing to do, usually, as the last call's objects are still the same."""
        if np.array_equal(factors, scratch.factors):
            return
        for varied in self._varied:
            scratch.sims.expand(varied.field)[(slice(None), *varied.index)] = varied.values(*factors)
        scratch.factors = factors

    def _create(self, count: int) -> "_Scratch":
        sims = batch.Batch(self._model, count, min(self._threads, count))
        sims.reset(stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        sims.bind("sensordata")
        return _Scratch(sims, np.ones((2, count)))


def _bytes(model: mujoco.MjModel) -> bytes:
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def _digest(model: bytes, *numbers: int) -> int:
    """63 bits that are the same for what computes the same, in every process."""
    return int.from_bytes(hashlib.blake2b(model + repr(numbers).encode(), digest_size=8).digest()) >> 1


@dataclass
class _Scratch:
    """A batch, and the factors (2, count) on mass and friction that its simulations have now."""

    sims: batch.Batch
    factors: np.ndarray
