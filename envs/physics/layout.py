"""Where everything is in a compiled scene's coordinates: nothing else knows a number of `qpos` or `qvel`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mujoco
import numpy as np

from devi_jax.core.skeleton import JOINTS

Array = Any  # a NumPy or a JAX array: shapes are stated in each docstring

_POSITIONS = {
    mujoco.mjtJoint.mjJNT_FREE: 7,
    mujoco.mjtJoint.mjJNT_BALL: 4,
    mujoco.mjtJoint.mjJNT_SLIDE: 1,
    mujoco.mjtJoint.mjJNT_HINGE: 1,
}
_VELOCITIES = {
    mujoco.mjtJoint.mjJNT_FREE: 6,
    mujoco.mjtJoint.mjJNT_BALL: 3,
    mujoco.mjtJoint.mjJNT_SLIDE: 1,
    mujoco.mjtJoint.mjJNT_HINGE: 1,
}


@dataclass(frozen=True)
class JointSlices:
    """Where a joint, or a row of them, is in `qpos` (nq,) and in `qvel` (nv,)."""

    qpos: slice
    qvel: slice


@dataclass(frozen=True, eq=False)
class Layout:
    """Coordinates of an articulated body with a position and a rotation of its root, its joints, and free objects.

    `joints`: every joint of the model by name. `root_position`: three numbers in metres. `rotations`: a quaternion and
    an angular velocity for each body, the root first, in the order of the coordinates; `order` (J,): which body of the
    skeleton each of them turns. `objects`: names of the free bodies, in the order of the coordinates.
    """

    nq: int
    nv: int
    joints: Mapping[str, JointSlices]
    root_position: JointSlices
    rotations: JointSlices
    order: np.ndarray
    objects: tuple[str, ...]

    def joint(self, name: str) -> JointSlices:
        """Where a joint of the model is. Raises `KeyError` where there is none of the name."""
        return self.joints[name]

    def object(self, which: int | str = 0) -> JointSlices:
        """Where a free body is, by name or place in `objects`: position and quaternion; velocities, linear in the world
        and angular in its own frame."""
        return self.joints[which if isinstance(which, str) else self.objects[which]]

    @property
    def root(self) -> JointSlices:
        """Where position and rotation of the root are, 7 and 6 numbers."""
        at = self.root_position
        return JointSlices(slice(at.qpos.start, at.qpos.stop + 4), slice(at.qvel.start, at.qvel.stop + 3))

    @cached_property
    def rotation_qpos(self) -> np.ndarray:
        """Places (J, 4) in `qpos` of the quaternion that turns each body, in the order of the skeleton."""
        return np.arange(self.nq)[self.rotations.qpos].reshape(-1, 4)[np.argsort(self.order)]

    @cached_property
    def rotation_qvel(self) -> np.ndarray:
        """Places (J, 3) in `qvel` of the angular velocity of each body, in the order of the skeleton."""
        return np.arange(self.nv)[self.rotations.qvel].reshape(-1, 3)[np.argsort(self.order)]

    def pack_qpos(self, root_position: Array, rotation: Array, objects: Array) -> Array:
        """`qpos` (..., nq) of root positions (..., 3), rotations (..., J, 4) in the skeleton's order, each relative to
        its parent's, and poses (..., K, 7) of the objects."""
        return self._packed("qpos", root_position, rotation, objects)

    def pack_qvel(self, root_linear: Array, angular: Array, objects: Array) -> Array:
        """`qvel` (..., nv) of the root's linear velocities (..., 3), angular velocities (..., J, 3) in the bodies' own
        frames, and velocities (..., K, 6) of the objects."""
        return self._packed("qvel", root_linear, angular, objects)

    def unpack_qpos(self, qpos: Array) -> tuple[Array, Array, Array]:
        """Inverse of `pack_qpos`."""
        return self._unpacked("qpos", qpos, 4, 7)

    def unpack_qvel(self, qvel: Array) -> tuple[Array, Array, Array]:
        """Inverse of `pack_qvel`."""
        return self._unpacked("qvel", qvel, 3, 6)

    def _packed(self, where: str, root: Array, rotation: Array, objects: Array) -> Array:
        xp, lead = root.__array_namespace__(), root.shape[:-1]
        flat = objects.reshape(*objects.shape[:-2], -1)
        parts = {
            getattr(self.root_position, where).start: root,
            getattr(self.rotations, where).start: rotation[..., self.order, :].reshape(*lead, -1),
        }
        if self.objects:
            parts[getattr(self.object(), where).start] = xp.broadcast_to(flat, (*lead, flat.shape[-1]))
        return xp.concatenate([parts[start] for start in sorted(parts)], axis=-1)

    def _unpacked(self, where: str, x: Array, of_rotation: int, of_object: int) -> tuple[Array, Array, Array]:
        lead = x.shape[:-1]
        turned = x[..., getattr(self.rotations, where)].reshape(*lead, -1, of_rotation)
        count, first = len(self.objects), getattr(self.object(), where).start if self.objects else 0
        things = x[..., first : first + of_object * count].reshape(*lead, count, of_object)
        return x[..., getattr(self.root_position, where)], turned[..., np.argsort(self.order), :], things


def make_layout(model: mujoco.MjModel, skeleton: Sequence[str] = JOINTS) -> Layout:
    """Layout of a model whose bodies `skeleton` turn by a ball joint each, the first one's namely as its root.

    The root has a free joint, or three slides and a ball. Every other free joint is an object's. Raises `ValueError`
    for a model of which these are not all joints, each kind in a row.
    """
    joints = {model.joint(i).name: _slices(model, i) for i in range(model.njnt)}
    root = int(model.body_jntadr[model.body(skeleton[0]).id])
    q, v = int(model.jnt_qposadr[root]), int(model.jnt_dofadr[root])
    bodies = [int(model.body_jntadr[model.body(name).id]) for name in skeleton[1:]]
    qpos = [q + 3, *(int(model.jnt_qposadr[i]) for i in bodies)]
    free = [i for i in range(model.njnt) if model.jnt_type[i] == mujoco.mjtJoint.mjJNT_FREE and i != root]
    layout = Layout(
        nq=int(model.nq),
        nv=int(model.nv),
        joints=joints,
        root_position=JointSlices(slice(q, q + 3), slice(v, v + 3)),
        rotations=JointSlices(slice(q + 3, q + 3 + 4 * len(skeleton)), slice(v + 3, v + 3 + 3 * len(skeleton))),
        order=np.argsort(qpos),
        objects=tuple(model.joint(i).name for i in free),
    )
    in_a_row = np.diff(np.sort(qpos)) == 4
    if not in_a_row.all() or model.nq != 3 + 4 * len(skeleton) + 7 * len(free):
        raise ValueError(f"the joints of {model.nq} coordinates are not {len(skeleton)} balls and {len(free)} objects")
    return layout


def _slices(model: mujoco.MjModel, joint: int) -> JointSlices:
    kind = mujoco.mjtJoint(int(model.jnt_type[joint]))
    q, v = int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint])
    return JointSlices(slice(q, q + _POSITIONS[kind]), slice(v, v + _VELOCITIES[kind]))
