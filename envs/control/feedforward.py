"""Feed-forward PD targets: the inverse dynamics of the reference over kp, so that PD tracks it without lag or sag.

A free root cannot pull itself: the ground's part of the torque, as forces at the soles' corners, is taken off first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import mujoco
import numpy as np
from scipy.optimize import nnls

from devi_jax.core.skeleton import JOINTS
from envs.control.controller import Controller, Prepared, ReferenceMotion, TargetOffsets, ground_is_shared
from envs.physics.simulation import Physics

LIMIT_RAD = 0.5
"""Largest offset of a joint: a glitch in a reference must not become a kick."""
LIMIT_M = 0.1
"""Largest offset of a pinned root."""


@dataclass(frozen=True)
class FeedForward(Controller):
    """Targets lead the reference by its inverse dynamics over kp, so that PD tracks it without lag or sag."""

    on: bool = True
    """Whether to shift the targets that residual actions turn around."""

    def offsets(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> TargetOffsets:
        """Turns of all joints, and shifts of a pinned root."""
        if not self.on:
            return TargetOffsets()
        whole = whole_body_offsets(physics, motion)
        return TargetOffsets(whole.groundless if ground_is_shared(prepared) else whole.turns, whole.shifts)


@dataclass(frozen=True)
class Offsets:
    """What to add to the reference's PD targets, and what the ground has to do.

    `turns` (T, 52, 3): rotation vectors in the joints' frames, `groundless` those without what the ground does for a
    free body. `shifts` (T, 3): of a pinned root, metres. `wrench` (T, 6): what holds and moves a free body, force and
    moment about its centre of mass, N and N m; zero if pinned. `share` (T, 2): of the weight on each foot.
    """

    turns: np.ndarray
    groundless: np.ndarray
    shifts: np.ndarray
    wrench: np.ndarray
    share: np.ndarray


@lru_cache(maxsize=2)
def whole_body_offsets(physics: Physics, motion: ReferenceMotion) -> "Offsets":
    """`feedforward_offsets` of a motion; computed once for all controllers that ask."""
    return feedforward_offsets(physics, motion.qpos, motion.qvel, motion.fps)


def feedforward_offsets(physics: Physics, qpos: np.ndarray, qvel: np.ndarray, fps: float) -> Offsets:
    """Offsets of the reference motion `qpos` (T, nq), `qvel` (T, nv) in MuJoCo's coordinates. A free root gets none."""
    model = physics.model.__copy__()
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    data = mujoco.MjData(model)
    acceleration = np.gradient(qvel, 1 / fps, axis=0)
    free = physics.scene.embodiment.root == "free"
    joints, root = physics.layout.rotation_qvel, physics.layout.root.qvel
    stiffness = np.array([model.joint(_joint(i)).stiffness.ravel()[0] or np.inf for i in range(len(JOINTS))])
    turns, groundless, shifts = np.zeros((len(qpos), 52, 3)), np.zeros((len(qpos), 52, 3)), np.zeros((len(qpos), 3))
    wrench, share = np.zeros((len(qpos), 6)), np.full((len(qpos), 2), 0.5)
    for t in range(len(qpos)):
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos[t], qvel[t], acceleration[t]
        model.qpos_spring[:] = qpos[t]
        mujoco.mj_inverse(model, data)
        torque = data.qfrc_inverse.copy()
        if free:
            wrench[t] = _about_centre(model, data, torque[root])
            pushed, share[t] = _ground_torque(model, data, torque[root], root, physics.scene.embodiment.feet)
        else:
            pulled = torque[physics.layout.root_position.qvel]
            pushed, shifts[t] = np.zeros(model.nv), pulled / model.joint("root_x").stiffness.ravel()[0]
        groundless[t] = torque[joints] / stiffness[:, None]
        turns[t] = (torque - pushed)[joints] / stiffness[:, None]
    turns, groundless = (np.clip(x, -LIMIT_RAD, LIMIT_RAD) for x in (turns, groundless))
    return Offsets(turns, groundless, np.clip(shifts, -LIMIT_M, LIMIT_M), wrench, share)


def _about_centre(model: mujoco.MjModel, data: mujoco.MjData, root: np.ndarray) -> np.ndarray:
    """A free joint's generalised force (6,) as force and moment about the centre of mass, world axes."""
    pelvis = model.body("pelvis").id
    mujoco.mj_comPos(model, data)
    moment = data.xmat[pelvis].reshape(3, 3) @ root[3:]
    return np.concatenate([root[:3], moment + np.cross(data.xpos[pelvis] - data.subtree_com[pelvis], root[:3])])


def _joint(index: int) -> str:
    """The MuJoCo joint that turns a body: its namesake, or the root's."""
    return JOINTS[index] if index else "root"


def _ground_torque(
    model: mujoco.MjModel, data: mujoco.MjData, root_wrench: np.ndarray, root: slice, feet: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Generalised force (nv,) of sole-corner forces that best produce the root wrench, and the share (2,) of each foot
    in them; normals push only. `root`: its place in `qvel`; `feet`: boxes with soles, left ones first."""
    jacobians = []
    for name in feet:
        geom = data.geom(name)
        size, body = model.geom(name).size, model.body(name).id
        for sx in (-1, 1):
            for sy in (-1, 1):
                corner = geom.xpos + geom.xmat.reshape(3, 3) @ (size * np.array([sx, sy, -1.0]))
                jacobian = np.zeros((3, model.nv))
                mujoco.mj_jac(model, data, jacobian, None, corner, body)
                jacobians.append(jacobian)
    stacked = np.concatenate(jacobians)
    normal, tangent = stacked[2::3], np.delete(stacked, np.s_[2::3], axis=0)
    columns = np.concatenate([normal, tangent, -tangent])
    # a small cost on every force, three times as much on friction, makes the split unique
    cost = np.concatenate([np.full(len(normal), 1e-3), np.full(2 * len(tangent), 3e-3)])
    force, _ = nnls(np.vstack([columns[:, root].T, np.diag(cost)]), np.concatenate([root_wrench, np.zeros(len(cost))]))
    borne = force[: len(normal)].reshape(2, -1).sum(axis=1)
    return columns.T @ force, borne / borne.sum() if borne.sum() > 0 else np.full(2, 0.5)
