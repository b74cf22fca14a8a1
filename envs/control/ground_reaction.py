"""Standing and stepping by ground forces: what the soles must push for the body to go where its reference goes.

The reference's own wrench, and what brings centre of mass and pelvis back, is shared among those corners of the soles
that are near the floor; the legs' targets are these forces over kp. Recomputed in every step, for one foot or two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Array, Float
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.core.skeleton import INDEX, SIDES
from envs.control.centre_of_mass import centre_of_mass, centre_velocity, segments
from envs.control.controller import Controller, Prepared, ReferenceMotion
from envs.control.feedforward import whole_body_offsets
from envs.physics import Control, Physics

LEGS = np.array([INDEX[f"{side}_{joint}"] for side in SIDES for joint in ("hip", "knee", "ankle", "foot")])
"""The eight joints that ground forces load, from each hip down to its toes."""
FRICTION = 0.7
"""Largest share of a corner's normal force along each horizontal axis."""
NEAR_M = 0.015
"""A corner this high costs e times as much as one on the floor; three times as high it pushes no longer."""
TILT, SPIN = 100.0, 30.0
"""N m a radian, and a radian a second, by which the pelvis turns otherwise than the reference's."""
LIMIT_RAD = 0.7
"""Largest turn of a joint."""
ONE_FOOT = 0.9
"""A foot that carries more than this share of the weight stands alone: the body steps."""
_SHARE_FRAMES = 2.0  # over which weight goes from one foot to the other
_FEET = np.array([[INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]] for side in SIDES])
_LEVER = 3.0  # moments count this much more than forces, 1/m: half a foot's length matters as much as the weight
_LEAST = 1e-4  # what a force on the floor costs beside a part of the wrench that is not met
_ROUNDS = 10
_STEPS = np.array([1.0, 0.5, 0.2, 0.05], np.float32)
_RAYS = np.array([[FRICTION, 0, 1], [-FRICTION, 0, 1], [0, FRICTION, 1], [0, -FRICTION, 1]], np.float32)


@dataclass(frozen=True)
class GroundReaction(Controller):
    """Ground forces shared among the feet anew in every step, where the clip ever stands on one foot. It replaces ankle
    balance there, and costs more. Of a free root."""

    rate: float = 0.0
    """Rate in 1/s at which the centre of mass comes back; 0 never shares forces."""

    def prepare(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> dict[str, np.ndarray] | None:
        """`wrench` (T, 6) of the ground in a frame's step, `share` (T, 2) of the weight on each foot, `centre` (T, 3)
        of mass and its `centre_velocity` (T, 3)."""
        if self.rate <= 0:
            return None
        whole = whole_body_offsets(physics, motion)
        share = gaussian_filter1d(whole.share, _SHARE_FRAMES, axis=0, mode="nearest")
        if share.max() <= ONE_FOOT:
            return None
        centre = np.asarray(centre_of_mass(segments(physics.model), motion.position, motion.rotation))
        after = np.minimum(np.arange(len(share)) + 1, len(share) - 1)
        return {
            "wrench": (whole.wrench + whole.wrench[after]) / 2,
            "share": share,
            "centre": centre,
            "centre_velocity": np.gradient(centre, 1 / motion.fps, axis=0),
        }

    def command(
        self,
        physics: Physics,
        state: SimState,
        reference: ReferenceState,
        noted: Mapping[str, Array],
        memory: Array | None = None,
    ) -> Float[Array, "8 3"]:
        """Rotation vectors of `LEGS`."""
        goal = Goal(
            **noted,
            position=reference.position,
            rotation=reference.rotation,
            spin=reference.angular_velocity[0],
        )
        return footing_turns(physics, state, goal, self.rate)

    def correct(self, control: Control, command: Any) -> Control:
        """Turn the legs' targets, after the action's turns, which a plan folds into them: large turns do not add."""
        legs = rot.quat_mul(control.rotation[LEGS], rot.quat_exp(command))
        return replace(control, rotation=control.rotation.at[LEGS].set(legs))


@dataclass(frozen=True)
class Soles:
    """Corners of the feet's boxes: their `body` (16,) in `JOINTS`, `offset` (16, 3) in its frame, and for each of
    `LEGS` whether they hang on it, `below` (8, 16)."""

    body: np.ndarray
    offset: np.ndarray
    below: np.ndarray


def soles(model: mujoco.MjModel) -> Soles:
    """The soles of a compiled human."""
    body, offset, below = [], [], []
    for s, side in enumerate(SIDES):
        for toes, name in enumerate((f"{side}_ankle", f"{side}_foot")):
            geom = model.geom(name)
            for corner in ((x, y, -1.0) for x in (-1, 1) for y in (-1, 1)):
                body.append(INDEX[name])
                offset.append(geom.pos + geom.size * np.array(corner))
                below.append([k // 4 == s and (k % 4 < 3 or bool(toes)) for k in range(8)])
    return Soles(np.array(body), np.array(offset, np.float32), np.array(below, np.float32).T)


def corners(of: Soles, position: Float[Array, "52 3"], rotation: Float[Array, "52 4"]) -> Float[Array, "16 3"]:
    """Where the corners are in the world."""
    return position[of.body] + rot.rotate(rotation[of.body], jnp.asarray(of.offset))


@dataclass(frozen=True)
class Goal:
    """The reference at one frame: the ground's `wrench` (force; moment about the centre of mass, N and N m) and its
    `share` on each foot, centre of mass and its velocity, `position` and `rotation` of the joints and `spin` of the
    pelvis in the world."""

    wrench: Float[Array, "6"]
    share: Float[Array, "2"]
    centre: Float[Array, "3"]
    centre_velocity: Float[Array, "3"]
    position: Float[Array, "52 3"]
    rotation: Float[Array, "52 4"]
    spin: Float[Array, "3"]


def footing_turns(physics: Physics, frame: SimState, goal: Goal, rate: float) -> Float[Array, "8 3"]:
    """Rotation vectors of `LEGS` with which the soles push as well as they can what the goal asks for.

    `rate` in 1/s: the centre of mass comes back as critically damped. It is where the goal has it from the feet that
    carry the weight, wherever these have come to stand.
    """
    model = physics.model
    mass, of = segments(model), soles(model)
    centre = centre_of_mass(mass, frame.position, frame.rotation)
    velocity = centre_velocity(mass, frame.rotation, frame.linear_velocity, frame.angular_velocity)
    feet = (frame.position - goal.position)[_FEET].mean(axis=1)
    stray = centre - goal.centre - (goal.share @ feet).at[2].set(0.0)
    pull = rate**2 * stray + 2 * rate * (velocity - goal.centre_velocity)
    tilt = rot.quat_log(rot.quat_mul(frame.rotation[0], rot.quat_conj(goal.rotation[0])))
    twist = TILT * tilt + SPIN * (frame.angular_velocity[0] - goal.spin)
    weight = float(model.body("pelvis").subtreemass[0])
    wrench = goal.wrench - jnp.concatenate([weight * pull, twist])
    at = corners(of, frame.position, frame.rotation)
    # a foot that is about to leave, or that has landed too early, must not be pushed down
    height = jnp.maximum(at[:, 2], corners(of, goal.position, goal.rotation)[:, 2])
    torque = loads(of, at, share(at.at[:, 2].set(height), wrench, centre), frame.position[LEGS])
    stiffness = physics.joints.ball_stiffness[LEGS - 1]
    return jnp.clip(rot.rotate_inverse(frame.rotation[LEGS], torque) / stiffness[:, None], -LIMIT_RAD, LIMIT_RAD)


def loads(
    of: Soles, at: Float[Array, "16 3"], force: Float[Array, "16 3"], joints: Float[Array, "8 3"]
) -> Float[Array, "8 3"]:
    """Torques of `LEGS` in the world that pass ground forces at corners on to the pelvis: -(p - x) x f for each."""
    arm = at[None] - joints[:, None]
    return -jnp.einsum("jc,jck->jk", jnp.asarray(of.below), jnp.cross(arm, jnp.broadcast_to(force, arm.shape)))


def share(at: Float[Array, "C 3"], wrench: Float[Array, "6"], centre: Float[Array, "3"]) -> Float[Array, "C 3"]:
    """Forces on the floor below points that together give a wrench about `centre`: inside their friction pyramids,
    small, and none below points high above it. What they cannot give is left.

    Non-negative least squares by Newton's method on its dual of six numbers, which is piecewise quadratic.
    """
    scale = 1 / jnp.maximum(jnp.linalg.norm(wrench[:3]), 1.0)
    wanted = jnp.concatenate([wrench[:3], _LEVER * wrench[3:]]) * scale
    ground = at.at[:, 2].set(0.0)
    rays = jnp.broadcast_to(_RAYS, (len(at), 4, 3))
    moments = _LEVER * jnp.cross((ground - centre[None])[:, None], rays)
    columns = jnp.concatenate([rays, moments], axis=-1).reshape(-1, 6)
    ease = jnp.repeat(jnp.exp(-jnp.minimum((jnp.maximum(at[:, 2], 0.0) / NEAR_M) ** 2, 20.0)), 4)

    def solve(ease):
        return jnp.linalg.solve((columns.T * ease[None]) @ columns + _LEAST * jnp.eye(6), wanted)

    def cost(dual):
        return (ease * jnp.maximum(columns @ dual, 0.0) ** 2).sum() + _LEAST * dual @ dual - 2 * wanted @ dual

    def refine(dual, _):
        away = solve(ease * (columns @ dual > 0).astype(ease.dtype)) - dual
        tries = dual[None] + _STEPS[:, None] * away[None]
        return tries[jnp.argmin(jax.vmap(cost)(tries))], None

    dual, _ = jax.lax.scan(refine, solve(ease), None, length=_ROUNDS)
    size = ease * jnp.maximum(columns @ dual, 0.0) / scale
    return (size[:, None] * rays.reshape(-1, 3)).reshape(-1, 4, 3).sum(axis=1)
