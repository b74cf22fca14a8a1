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
_SCALAR = (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE)


@dataclass(frozen=True)
class JointSlices:
    """Where a joint, or a row of them, is in `qpos` (nq,) and in `qvel` (nv,)."""

    qpos: slice
    qvel: slice


@dataclass(frozen=True, eq=False)
class Layout:
    """Coordinates of an articulated body and of free objects.

    `joints`: every joint of the model by name. `root_position`: three numbers in metres; `rotations`: a quaternion and
    an angular velocity for the root and each body on a ball joint, in the order of the coordinates; `order` (R,): which
    of them, the root first and the others as the bodies are, each is. `scalars`: positions and rates of hinges and
    slides, `scalar_order` (n,) likewise. `objects`: names of the free bodies, in the order of the coordinates. `base`
    (7,): pose of a root without a joint, which has no coordinates.
    """

    nq: int
    nv: int
    joints: Mapping[str, JointSlices]
    root_position: JointSlices
    rotations: JointSlices
    order: np.ndarray
    scalars: JointSlices
    scalar_order: np.ndarray
    objects: tuple[str, ...]
    base: np.ndarray | None = None

    def joint(self, name: str) -> JointSlices:
        """Where a joint of the model is. Raises `KeyError` where there is none of the name."""
        return self.joints[name]

    def object(self, which: int | str = 0) -> JointSlices:
        """Where a free body is, by name or place in `objects`: position and quaternion; velocities, linear in the world
        and angular in its own frame."""
        return self.joints[which if isinstance(which, str) else self.objects[which]]

    @property
    def root(self) -> JointSlices:
        """Where position and rotation of the root are, 7 and 6 numbers; nowhere for a fixed one."""
        at = self.root_position
        if self.base is not None:
            return at
        return JointSlices(slice(at.qpos.start, at.qpos.stop + 4), slice(at.qvel.start, at.qvel.stop + 3))

    @cached_property
    def rotation_qpos(self) -> np.ndarray:
        """Places (R, 4) in `qpos` of the quaternions of root and ball joints, in the order of the bodies."""
        return np.arange(self.nq)[self.rotations.qpos].reshape(-1, 4)[np.argsort(self.order)]

    @cached_property
    def rotation_qvel(self) -> np.ndarray:
        """Places (R, 3) in `qvel` of their angular velocities, in the order of the bodies."""
        return np.arange(self.nv)[self.rotations.qvel].reshape(-1, 3)[np.argsort(self.order)]

    def pack_qpos(self, root_position: Array, rotation: Array, objects: Array, scalars: Array | None = None) -> Array:
        """`qpos` (..., nq) of root positions (..., 3), rotations (..., R, 4) in the order of the bodies, each relative
        to its parent's, poses (..., K, 7) of the objects, and positions (..., n) of hinges and slides."""
        return self._packed("qpos", root_position, rotation, objects, scalars)

    def pack_qvel(self, root_linear: Array, angular: Array, objects: Array, scalars: Array | None = None) -> Array:
        """`qvel` (..., nv) of the root's linear velocities (..., 3), angular velocities (..., R, 3) in the bodies' own
        frames, velocities (..., K, 6) of the objects, and rates (..., n) of hinges and slides."""
        return self._packed("qvel", root_linear, angular, objects, scalars)

    def unpack_qpos(self, qpos: Array) -> tuple[Array, Array, Array]:
        """Inverse of `pack_qpos`, without the scalar joints: see `scalar_qpos`."""
        return self._unpacked("qpos", qpos, 4, 7)

    def unpack_qvel(self, qvel: Array) -> tuple[Array, Array, Array]:
        """Inverse of `pack_qvel`, without the scalar joints: see `scalar_qvel`."""
        return self._unpacked("qvel", qvel, 3, 6)

    def scalar_qpos(self, qpos: Array) -> Array | None:
        """Positions (..., n) of hinges and slides, rad or m; None for a body without any."""
        return self._scalars("qpos", qpos)

    def scalar_qvel(self, qvel: Array) -> Array | None:
        """Rates (..., n) of hinges and slides, rad/s or m/s; None for a body without any."""
        return self._scalars("qvel", qvel)

    def _packed(self, where: str, root: Array, rotation: Array, objects: Array, scalars: Array | None) -> Array:
        xp, lead = root.__array_namespace__(), root.shape[:-1]
        flat = objects.reshape(*objects.shape[:-2], -1)
        parts = {}
        if self.base is None:
            parts[getattr(self.root_position, where).start] = root
            parts[getattr(self.rotations, where).start] = rotation[..., self.order, :].reshape(*lead, -1)
        if scalars is not None:
            parts[getattr(self.scalars, where).start] = scalars[..., self.scalar_order]
        if self.objects:
            parts[getattr(self.object(), where).start] = xp.broadcast_to(flat, (*lead, flat.shape[-1]))
        return xp.concatenate([parts[start] for start in sorted(parts)], axis=-1)

    def _unpacked(self, where: str, x: Array, of_rotation: int, of_object: int) -> tuple[Array, Array, Array]:
        lead = x.shape[:-1]
        count, first = len(self.objects), getattr(self.object(), where).start if self.objects else 0
        things = x[..., first : first + of_object * count].reshape(*lead, count, of_object)
        if self.base is not None:
            held = self.base if where == "qpos" else np.zeros(6)
            held = x.__array_namespace__().broadcast_to(held.astype(x.dtype), (*lead, len(held)))
            return held[..., :3], held[..., None, 3:], things
        turned = x[..., getattr(self.rotations, where)].reshape(*lead, -1, of_rotation)
        return x[..., getattr(self.root_position, where)], turned[..., np.argsort(self.order), :], things

    def _scalars(self, where: str, x: Array) -> Array | None:
        return (
            x[..., getattr(self.scalars, where)][..., np.argsort(self.scalar_order)] if len(self.scalar_order) else None
        )


def make_layout(model: mujoco.MjModel, bodies: Sequence[str] = JOINTS) -> Layout:
    """Layout of a model with the bodies of an embodiment, its root first, each moved by a ball, a hinge or a slide.

    The root has a free joint, or three slides and a ball, or none. Every other free joint is an object's. Raises
    `ValueError` for a model of which these are not all joints, each kind in a row.
    """
    kind = mujoco.mjtJoint
    joints = {model.joint(i).name: _slices(model, i) for i in range(model.njnt)}
    of_body = [int(model.body_jntadr[model.body(name).id]) for name in bodies]
    if min(of_body[1:], default=0) < 0:
        raise ValueError(f"the body {bodies[1 + of_body[1:].index(-1)]} has no joint")
    root, fixed = of_body[0], of_body[0] < 0
    q, v = (0, 0) if fixed else (int(model.jnt_qposadr[root]), int(model.jnt_dofadr[root]))
    balls = [int(model.jnt_qposadr[i]) for i in of_body[1:] if model.jnt_type[i] == kind.mjJNT_BALL]
    turned = [] if fixed else [q + 3, *balls]
    scalar = [i for i in of_body[1:] if mujoco.mjtJoint(int(model.jnt_type[i])) in _SCALAR]
    free = [i for i in range(model.njnt) if model.jnt_type[i] == kind.mjJNT_FREE and i != root]
    at_root = JointSlices(slice(q, q), slice(v, v)) if fixed else JointSlices(slice(q, q + 3), slice(v, v + 3))
    after_root = JointSlices(
        slice(at_root.qpos.stop, at_root.qpos.stop + 4 * len(turned)),
        slice(at_root.qvel.stop, at_root.qvel.stop + 3 * len(turned)),
    )
    places = [int(model.jnt_qposadr[i]) for i in scalar]
    rows = {4: turned, 1: places, 7: [int(model.jnt_qposadr[i]) for i in free]}
    in_a_row = all((np.diff(np.sort(starts)) == width).all() for width, starts in rows.items())
    counted = 3 * (not fixed) + sum(width * len(starts) for width, starts in rows.items())
    if not in_a_row or model.nq != counted or (fixed and balls):
        raise ValueError(
            f"the joints of {model.nq} coordinates are not a root, {len(balls)} balls, {len(scalar)} scalar joints and "
            f"{len(free)} objects, each kind in a row"
        )
    return Layout(
        nq=int(model.nq),
        nv=int(model.nv),
        joints=joints,
        root_position=at_root,
        rotations=after_root,
        order=np.argsort(turned),
        scalars=_row([joints[model.joint(i).name] for i in scalar]),
        scalar_order=np.argsort(places),
        objects=tuple(model.joint(i).name for i in free),
        base=_world_pose(model, bodies[0]) if fixed else None,
    )


def _world_pose(model: mujoco.MjModel, body: str) -> np.ndarray:
    """Where a body (7,) that nothing moves is in the world."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return np.concatenate([data.body(body).xpos, data.body(body).xquat])


def _row(joints: Sequence[JointSlices]) -> JointSlices:
    """Where a row of joints is, from its first to its last."""
    if not joints:
        return JointSlices(slice(0, 0), slice(0, 0))
    return JointSlices(
        slice(min(j.qpos.start for j in joints), max(j.qpos.stop for j in joints)),
        slice(min(j.qvel.start for j in joints), max(j.qvel.stop for j in joints)),
    )


def _slices(model: mujoco.MjModel, joint: int) -> JointSlices:
    kind = mujoco.mjtJoint(int(model.jnt_type[joint]))
    q, v = int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint])
    return JointSlices(slice(q, q + _POSITIONS[kind]), slice(v, v + _VELOCITIES[kind]))
