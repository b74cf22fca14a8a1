"""Intent of two hands that hold a thing between their palms: each arm pushes towards the other palm.

A palm that only touches holds nothing, and has no fingers around the thing to squeeze with.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core.skeleton import JOINTS, SIDES
from envs.control.controller import Controller, Prepared, ReferenceMotion, TargetOffsets
from envs.control.grasp_closure import RAMP_FRAMES
from envs.physics.simulation import Physics

PALM_NORMAL = np.array([0.0, 0.0, -1.0])
"""Where the palm faces, in the wrist's frame."""


@dataclass(frozen=True)
class PalmForce(Controller):
    """Arms press two palms together that both touch the object."""

    force_n: float = 50.0
    """Force of each palm, newtons."""

    def offsets(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> TargetOffsets:
        """Turns of the arms."""
        if not self.force_n or not physics.has_object:
            return TargetOffsets()
        return TargetOffsets(palm_offsets(physics, motion.qpos, motion.contact, self.force_n))


def palm_offsets(physics: Physics, qpos: np.ndarray, contact: np.ndarray, force_n: float) -> np.ndarray:
    """Rotation vectors (T, 52, 3) of PD targets, in the joints' frames, that press the palms together: J^T f over kp.

    `qpos` (T, nq): the reference in MuJoCo's coordinates; `contact` (T, 2). Both forces lie on the line between the
    palms, so that trunk and legs feel none; they fade as a palm turns away from that line, or leaves the object.
    """
    turns = np.zeros((len(qpos), len(JOINTS), 3))
    both = gaussian_filter1d(contact.min(axis=1).astype(float), RAMP_FRAMES, mode="nearest")
    model, data = physics.model, mujoco.MjData(physics.model)
    joints = physics.layout.rotation_qvel[1:]
    stiffness = np.array([model.joint(name).stiffness.ravel()[0] for name in JOINTS[1:]])
    palms = [model.geom(f"{side}_wrist") for side in SIDES]
    for t in np.flatnonzero(both > _LEAST):
        data.qpos[:] = qpos[t]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        between = data.geom(palms[1].id).xpos - data.geom(palms[0].id).xpos
        between /= np.linalg.norm(between)
        inward = (between, -between)
        facing = [
            max(0.0, float(data.body(palm.bodyid[0]).xmat.reshape(3, 3) @ PALM_NORMAL @ way))
            for palm, way in zip(palms, inward, strict=True)
        ]
        torque = np.zeros(model.nv)
        for palm, way in zip(palms, inward, strict=True):
            jacobian = np.zeros((3, model.nv))
            mujoco.mj_jac(model, data, jacobian, None, data.geom(palm.id).xpos, palm.bodyid[0])
            torque += both[t] * np.prod(facing) * force_n * jacobian.T @ way
        turns[t, 1:] = torque[joints] / stiffness[:, None]
    return turns


_LEAST = 1e-3
