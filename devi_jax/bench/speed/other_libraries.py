"""What a user would take instead: the same model in gymnasium's vector environments, learned by Stable-Baselines3.

Plain MuJoCo and NumPy, one environment an object, as such environments are written. JAX has no part in it.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

Kind = Literal["sync", "async", "sb3-dummy", "sb3-subproc"]
REACH_RAD, FALL_M = 0.2, 0.3


class MujocoTracking(gymnasium.Env):
    """Follow a clip: residual PD targets, kinematic observation, one reward term; less of each than the recipe has.

    `folder` holds `model.mjb` and `clip.npz`: `qpos` (T, nq), `qvel` (T, nv), `spring` (T, nq), `position` (T, 52, 3),
    `bodies` (52,) and `substeps`; and where things are in them: `joints` (51, 4), `thing_qpos`, `thing_qvel`.
    """

    def __init__(self, folder: Path):
        self.model = mujoco.MjModel.from_binary_path(str(folder / "model.mjb"))
        self.data = mujoco.MjData(self.model)
        with np.load(folder / "clip.npz", allow_pickle=False) as file:
            self.clip = {name: file[name] for name in file.files}
        self.t = 0
        self.action_space = spaces.Box(-1, 1, (3 * 51,), np.float32)
        self.reset(seed=0)
        self.observation_space = spaces.Box(-np.inf, np.inf, self._observe().shape, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """A random frame of the clip."""
        super().reset(seed=seed)
        self.t = int(self.np_random.integers(len(self.clip["qpos"]) // 2))
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.qvel[:] = self.clip["qpos"][self.t], self.clip["qvel"][self.t]
        mujoco.mj_forward(self.model, self.data)
        return self._observe(), {}

    def step(self, action):
        """One control interval."""
        spring = self.clip["spring"][self.t].copy()
        joints = self.clip["joints"]
        spring[joints] = _turned(spring[joints], REACH_RAD * np.asarray(action, float).reshape(len(joints), 3))
        self.model.qpos_spring[:] = spring
        mujoco.mj_step(self.model, self.data, nstep=int(self.clip["substeps"]))
        self.t += 1
        error = np.linalg.norm(self.data.xpos[self.clip["bodies"]] - self.clip["position"][self.t], axis=1).mean()
        truncated = self.t >= len(self.clip["qpos"]) - 2
        return self._observe(), float(np.exp(-20 * error)), bool(error > FALL_M), truncated, {}

    def _observe(self) -> np.ndarray:
        bodies, data = self.clip["bodies"], self.data
        place, turn = data.xpos[bodies], data.xmat[bodies].reshape(-1, 3, 3)
        root = place[0]
        parts = (place - root, turn[:, :, :2], data.cvel[bodies], self.clip["position"][self.t + 1] - place)
        thing = data.qpos[self.clip["thing_qpos"]], data.qvel[self.clip["thing_qvel"]]
        return np.concatenate([*(p.ravel() for p in parts), *thing]).astype(np.float32)


def measure(folder: str, kind: Kind, environments: int, steps: int, ppo: dict[str, Any]) -> dict[str, Any]:
    """Steps a second: of random actions through gymnasium's vectors, or of whole training through Stable-Baselines3.

    `ppo`: `n_steps`, `batch_size`, `n_epochs`, `net_arch`, as Stable-Baselines3 means them.
    """
    make = [partial(MujocoTracking, Path(folder))] * environments
    if kind in ("sync", "async"):
        vector = (SyncVectorEnv if kind == "sync" else AsyncVectorEnv)(make, autoreset_mode=AutoresetMode.SAME_STEP)
        vector.reset(seed=0)
        actions = np.zeros(vector.action_space.shape or (), np.float32)
        vector.step(actions)
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            vector.step(actions)
        return _rates(environments * steps, began, cpu, alone=kind == "sync", vector=vector)
    return _train(make, kind, ppo)


def _rates(steps: int, began: float, cpu: float, alone: bool, vector: Any) -> dict[str, Any]:
    """Steps a second; and of one core, where no other process takes part."""
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    vector.close()
    return {"rate": steps / wall, **({"cpu_rate": steps / cpu} if alone else {})}


def _train(make: list, kind: Kind, ppo: dict[str, Any]) -> dict[str, Any]:
    """Of the second iteration; the first one warms up."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

    vector = DummyVecEnv(make) if kind == "sb3-dummy" else SubprocVecEnv(make)
    given = {k: v for k, v in ppo.items() if k != "net_arch"}
    model = PPO("MlpPolicy", vector, policy_kwargs={"net_arch": ppo["net_arch"]}, device="cpu", seed=0, **given)
    once = ppo["n_steps"] * len(make)
    model.learn(once)
    began, cpu = time.perf_counter(), time.process_time()
    model.learn(once, reset_num_timesteps=False)
    return _rates(once, began, cpu, alone=kind == "sb3-dummy", vector=vector)


def _turned(quaternions: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Quaternions (J, 4) times the exponentials of rotation vectors (J, 3)."""
    angle = np.linalg.norm(turns, axis=1, keepdims=True)
    scale = 0.5 * np.sinc(angle / (2 * np.pi))
    w2, v2 = np.cos(angle / 2), scale * turns
    w1, v1 = quaternions[:, :1], quaternions[:, 1:]
    w = w1 * w2 - (v1 * v2).sum(axis=1, keepdims=True)
    return np.concatenate([w, w1 * v2 + w2 * v1 + np.cross(v1, v2)], axis=1)
