"""A body as MuJoCo bodies, ball joints and geoms, added to a specification.

Ball-joint springs are the PD controller: the target quaternion is the joint's `qpos_spring`, which every engine
understands, so there are no actuators.
"""

import mujoco
import numpy as np

from devi_jax.core.skeleton import JOINTS, PARENTS
from envs.embodiments.embodiment import HumanRoot
from envs.embodiments.human.body import Body
from envs.embodiments.human.collision import Touch, contact_parameters, meets
from envs.embodiments.human.gains import Gains
from envs.embodiments.human.geoms import Shape, shapes
from envs.embodiments.human.mass import densities, segment

ROOT_SLIDE = (2e5, 7.5e3)
"""Stiffness N/m and damping N s/m of a pinned root's slides: critical for 70 kg."""
ROOT_BALL = (2e4, 1e3)
"""Stiffness N m/rad and damping N m s/rad of a pinned root's ball: critical for 12 kg m^2."""

_SKIN, _SHIRT = (0.87, 0.68, 0.56, 1.0), (0.36, 0.50, 0.66, 1.0)
_TROUSERS, _SHOES = (0.27, 0.29, 0.35, 1.0), (0.16, 0.16, 0.18, 1.0)


def add_body(
    spec: mujoco.MjSpec, body: Body, root: HumanRoot = "free", gains: Gains | None = None, *, touch: Touch = "hands"
) -> None:
    """Add the human: MuJoCo bodies, ball joints and geoms named exactly as the joints (a second geom `<name>_2`).

    In the T-pose all frames are aligned with the world and the pelvis is at the origin, so the first seven `qpos` are
    the world pose of the pelvis and each ball joint's `qpos` is its rotation relative to the parent. Both roots have
    7 `qpos` and 6 `qvel`: `free` is a free joint "root"; `pinned` is three slides "root_x", "root_y", "root_z" and a
    ball "root" on stiff springs, which follow a clip through `qpos_spring`. `touch`: see `collision.Touch`.
    """
    gains = gains or Gains()
    density = densities(body)
    added: list[mujoco.MjsBody] = []
    for i, name in enumerate(JOINTS):
        parent = spec.worldbody if i == 0 else added[PARENTS[i]]
        frame = parent.add_body(name=name, pos=body.offsets[i])
        if i == 0:
            _add_root(frame, root)
        else:
            _add_ball(frame, name, (gains.of(name).stiffness, gains.of(name).damping), gains.of(name).armature)
        for shape in shapes(body, name):
            _add_shape(frame, shape, name, touch, density[name])
        added.append(frame)


def _add_root(frame: mujoco.MjsBody, root: HumanRoot) -> None:
    if root == "free":
        frame.add_freejoint(name="root")
        return
    stiffness, damping = ROOT_SLIDE
    for letter, axis in zip("xyz", np.eye(3), strict=True):
        frame.add_joint(
            name=f"root_{letter}",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=axis,
            stiffness=[stiffness, 0, 0],
            damping=[damping, 0, 0],
        )
    _add_ball(frame, "root", ROOT_BALL, 0.0)


def _add_ball(frame: mujoco.MjsBody, name: str, spring: tuple[float, float], armature: float) -> None:
    frame.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_BALL,
        stiffness=[spring[0], 0, 0],
        damping=[spring[1], 0, 0],
        armature=armature,
    )


def _add_shape(frame: mujoco.MjsBody, shape: Shape, name: str, touch: Touch, density: float) -> None:
    common = {
        "name": shape.name,
        "density": density,
        "contype": 0,
        "conaffinity": meets(name, touch),
        "rgba": _colour(name),
        **contact_parameters(name),
    }
    kind = mujoco.mjtGeom
    if shape.kind == "box":
        frame.add_geom(type=kind.mjGEOM_BOX, pos=shape.centre, size=shape.half, **common)
    elif shape.kind == "sphere":
        frame.add_geom(type=kind.mjGEOM_SPHERE, pos=shape.centre, size=[shape.radius, 0, 0], **common)
    else:
        ends = np.concatenate([shape.centre - shape.half, shape.centre + shape.half])
        frame.add_geom(type=kind.mjGEOM_CAPSULE, fromto=ends, size=[shape.radius, 0, 0], **common)


def _colour(name: str) -> tuple[float, ...]:
    match "thigh" if name == "pelvis" else segment(name):
        case "trunk" | "upper_arm":
            return _SHIRT
        case "thigh" | "shank":
            return _TROUSERS
        case "foot":
            return _SHOES
        case _:
            return _SKIN
