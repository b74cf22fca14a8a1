"""C MuJoCo's batched simulation as a pure function: the fastest engine on a CPU, 20 to 60 times MJX there.

`vmap` reaches the host as one call with the whole batch, which runs on all cores.
"""

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import batch

from envs.physics.engine import Advance, Coordinates
from envs.physics.engines.host_callback import host_call
from envs.physics.model_randomization import varied_fields
from envs.physics.shelf import richest
from envs.physics.state import Variation


def advance_c(models: Sequence[mujoco.MjModel], substeps: int) -> Advance:
    """`Advance` on C MuJoCo. State crosses in float32; each control step is a function of its arguments alone.

    `models`: the scene's with each of its things present, mostly one. Under `jax.shard_map` each device calls with its
    own environments, on its share of the cores.
    """
    models = [model.__copy__() for model in models]
    for model in models:
        # a diverged environment must show as such: it is terminated and counted, not silently put back to zero
        model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
        if len(models) > 1:  # bounding volumes of a body's geoms are about its centre of mass, another for each thing
            model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_MIDPHASE)
    sims = lru_cache(lambda threads: _Simulations(models, substeps, threads))
    sizes = (models[0].nq, models[0].nv, models[0].nv, models[0].nsensordata)

    def advance(now: Coordinates, spring, variation: Variation):
        thing = (
            () if len(models) == 1 else (jnp.asarray(0 if variation.thing is None else variation.thing, jnp.float32),)
        )
        objects = jnp.stack([jnp.asarray(variation.mass), jnp.asarray(variation.friction), *thing])
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

    def __init__(self, models: Sequence[mujoco.MjModel], substeps: int, threads: int):
        self._model, self._substeps, self._threads = richest(models), substeps, threads
        self.name = _digest(b"".join(map(_bytes, models)), substeps, threads)
        self._free: dict[int, list[_Scratch]] = defaultdict(list)
        self._varied, self._things = varied_fields(models), len(models)

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
        self._vary(scratch, objects.reshape(count, -1).T.astype(float))
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

    def _vary(self, scratch: "_Scratch", objects: np.ndarray) -> None:
        """Give each simulation its object; nothing to do for those that still have the last call's, usually all."""
        others = np.flatnonzero((objects != scratch.objects).any(axis=0))
        if len(others) == 0:
            return
        mass, friction, *things = objects[:, others]
        thing = np.clip(things[0], 0, self._things - 1).astype(int) if things else None
        for varied in self._varied:
            scratch.sims.expand(varied.field)[(others[:, None], *varied.index)] = varied.values(mass, friction, thing)
        scratch.objects = objects

    def _create(self, count: int) -> "_Scratch":
        sims = batch.Batch(self._model, count, min(self._threads, count))
        sims.reset(stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        sims.bind("sensordata")
        # a shelf's model has the mass of one of its things: each simulation is yet to be given its own
        return _Scratch(sims, np.ones((2, count)) if self._things == 1 else np.full((3, count), np.nan))


def _bytes(model: mujoco.MjModel) -> bytes:
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def _digest(model: bytes, *numbers: int) -> int:
    """63 bits that are the same for what computes the same, in every process."""
    return int.from_bytes(hashlib.blake2b(model + repr(numbers).encode(), digest_size=8).digest()) >> 1


@dataclass
class _Scratch:
    """A batch, and what object its simulations have now: factors on mass and friction, and which thing of a shelf,
    (2 or 3, count)."""

    sims: batch.Batch
    objects: np.ndarray
