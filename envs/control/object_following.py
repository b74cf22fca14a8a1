"""Targets that follow the object: where it stands otherwise than in the clip, the hand that is to touch it goes there.

Until shortly before contact a palm's place and turn are carried along with the object; from then on the displacement is
kept, and while the hand carries the object it fades, as the clip's own path has an absolute end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.core.skeleton import SIDES
from envs.control.arm_ik import ARMS, CHEST, PALMS, arm_joints, displaced_arms, turned_arms
from envs.control.controller import Controller, Prepared, ReferenceMotion
from envs.physics import Control, Physics

LEAD_S, APPROACH_S, CARRY_S, LEAVE_S = 4 / 30, 0.8, 1.0, 0.5
"""Seconds before contact at which a displacement is kept; in which a hand comes to follow; in which what it carries is
brought to the clip's path; and in which a hand that has let go returns to the clip."""
CARRIED_M = 0.03
"""A palm this far from where it first touched carries."""
LIMIT_M, LIMIT_RAD = 0.12, 0.8
"""Largest displacement that is followed: what lies on the floor is not."""


@dataclass(frozen=True)
class ObjectFollowing(Controller):
    """Hands about to touch the object are carried along with where it stands."""

    on: bool = False
    """Whether targets follow."""
    fade: bool = True
    """Whether the displacement fades while the hand carries, so that the object ends where the clip has it."""

    def prepare(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> dict[str, np.ndarray] | None:
        """`watch` (T, 2): whether a hand still looks where the object stands; `weight` (T, 2): how much of its
        displacement is followed; `place` (T, 7): the object's in the clip; `turns` (T,): whether its turn matters."""
        if not (self.on and physics.has_object and motion.object_pose is not None):
            return None
        contact, palm, fps, posed = motion.contact, motion.position[:, PALMS], motion.fps, motion.object_posed
        watch, weight = schedule(contact, palm, fps, posed, self.fade)
        turns = np.full(len(watch), float(not motion.object_round))
        return {"watch": watch, "weight": weight, "place": motion.object_pose, "turns": turns}

    def remember(
        self, state: SimState, noted: Mapping[str, Array], before: Float[Array, "2 6"] | None
    ) -> Float[Array, "2 6"]:
        """Displacement of the object that each hand follows: metres, and a rotation vector about its place."""
        assert state.object_position is not None and state.object_rotation is not None
        place = noted["place"]
        turn = rot.quat_log(rot.quat_mul(state.object_rotation, rot.quat_conj(place[3:]))) * noted["turns"]
        now = jnp.concatenate([_limited(state.object_position - place[:3], LIMIT_M), _limited(turn, LIMIT_RAD)])
        kept = jnp.zeros((2, 6)) if before is None else before
        return jnp.where(noted["watch"][:, None] > 0.5, now[None], kept)

    def command(
        self,
        physics: Physics,
        state: SimState,
        reference: ReferenceState,
        noted: Mapping[str, Array],
        memory: Float[Array, "2 6"] | None = None,
    ) -> dict[str, Array]:
        """What `correct` turns the arms by: the reference's arms, and the displacement that each hand follows."""
        assert memory is not None
        return {
            "joints": arm_joints(reference.position),
            "rotation": reference.rotation[ARMS],
            "chest": reference.rotation[CHEST],
            "origin": noted["place"][:3],
            "followed": noted["weight"][:, None] * memory,
        }

    def correct(self, control: Control, command: Any) -> Control:
        """Turn the arms' targets, after the action's turns."""
        joints, origin, followed = ARMS.reshape(-1), command["origin"][None], command["followed"]
        local = control.rotation[joints].reshape(2, 4, 4)
        at, turned = turned_arms(command["joints"], command["rotation"], command["chest"], local)
        turn = rot.quat_exp(followed[:, 3:])
        palm = rot.rotate(turn, at[:, -1] - origin) + origin + followed[:, :3]
        turns = displaced_arms(at, turned, palm, rot.quat_mul(turn, turned[:, -1]))
        local = rot.quat_mul(local, rot.quat_exp(turns))
        return replace(control, rotation=control.rotation.at[joints].set(local.reshape(8, 4)))


def schedule(
    contact: np.ndarray, palm: np.ndarray, fps: float, posed: bool, fade: bool
) -> tuple[np.ndarray, np.ndarray]:
    """`watch` and `weight` (T, 2) from contact labels (T, 2) and palms (T, 2, 3).

    `posed`: the object's pose is known in every frame of the clip; else only until something touches it.
    """
    frames = len(contact)
    watch, weight = np.zeros((frames, len(SIDES))), np.zeros((frames, len(SIDES)))
    touched = contact.max(axis=1) > 0.5
    first = int(touched.argmax()) if touched.any() else frames
    lead = round(LEAD_S * fps)
    for s in range(len(SIDES)):
        before = 0
        for begin, end in _intervals(contact[:, s] > 0.5):
            until = max(begin - lead, 0)
            # what is held from the first frame on is followed from where it stands then
            seen = until if posed else min(until, max(first - lead, 0))
            watch[before : seen + 1, s] = 1.0
            weight[:, s] = np.maximum(weight[:, s], _weight(palm[:, s], before, until, begin, end, fps, fade))
            before = end
    return watch, weight


def _weight(palm: np.ndarray, before: int, until: int, begin: int, end: int, fps: float, fade: bool) -> np.ndarray:
    """How much of a displacement is followed for one contact, (T,)."""
    t = np.arange(len(palm))
    start = max(before, until - round(APPROACH_S * fps))
    up = _smooth((t - start) / max(until - start, 1))
    leave = end, end + round(LEAVE_S * fps)
    if fade:
        moved = np.linalg.norm(palm[begin:end] - palm[begin], axis=-1) > CARRIED_M
        carried = begin + int(moved.argmax()) if moved.any() else end
        leave = min(leave, (carried, min(carried + round(CARRY_S * fps), max(end - round(LEAD_S * fps), carried + 1))))
    return np.where(t < begin, up, 1.0 - _smooth((t - leave[0]) / max(leave[1] - leave[0], 1))) * (t >= before)


def _intervals(on: np.ndarray) -> list[tuple[int, int]]:
    """First frame and frame after the last of each run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _limited(vector: Float[Array, "3"], limit: float) -> Float[Array, "3"]:
    return vector * jnp.minimum(1.0, limit / jnp.maximum(jnp.linalg.norm(vector), 1e-6))
