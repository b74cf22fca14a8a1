"""The clips that an environment imitates: their references, padded to one length, and which of them a state follows.

Everything that differs from clip to clip is an array, so that another clip is no other program.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from devi_jax.core.errors import ConfigError
from devi_jax.core.sim_state import ReferenceState
from envs.physics import Control, Pose, Velocity
from envs.tracking.reference import Reference

TIMELESS = ("object_start", "points_object", "view", "second_view", "object_round")
"""Parts of a reference that are of a clip as a whole: no time axis."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MotionLibrary:
    """C clips of at most T frames.

    `reference`: leaves (C, T, ...), after a clip's end its last frame; (C, ...) where they have no time. `length`:
    frames of each. `onset`: first frame of contact; `pre_contact`: last frame before it. `thing`: which of the shelf's
    things each clip moves.
    """

    reference: Reference
    length: Int[Array, " C"]
    onset: Int[Array, " C"]
    pre_contact: Int[Array, " C"]
    thing: Int[Array, " C"]

    @property
    def clips(self) -> int:
        """Number of clips C."""
        return self.reference.local.shape[0]

    @property
    def frames(self) -> int:
        """Frames T of the longest clip."""
        return self.reference.local.shape[1]

    def last(self, clip: Int[Array, ""]) -> Int[Array, ""]:
        """Last frame of a clip."""
        return self.length[clip] - 1

    def at(self, clip: Int[Array, ""], t: Int[Array, ""]) -> ReferenceState:
        """What a clip shows at frame t; beyond its end the last frame holds, standing still."""
        last = self.last(clip)
        i = jnp.clip(t, 0, last)
        moving = jnp.asarray(t <= last, jnp.float32)
        of = self.reference

        def now(x: Array | None) -> Any:
            return None if x is None else x[clip, i]

        def whole(x: Any) -> Any:
            return jax.tree.map(lambda leaf: leaf[clip], x)

        speed = now(of.object_linear_velocity)
        return ReferenceState(
            position=now(of.position),
            rotation=now(of.rotation),
            linear_velocity=now(of.linear_velocity) * moving,
            angular_velocity=now(of.angular_velocity) * moving,
            tips=now(of.tips),
            contact=now(of.contact),
            points_px=now(of.points_px),
            visible=now(of.visible),
            points_object=whole(of.points_object),
            view=whole(of.view),
            object_position=now(of.object_position),
            object_rotation=now(of.object_rotation),
            object_linear_velocity=None if speed is None else speed * moving,
            object_distance=now(of.object_distance),
            scalars=now(of.scalars),
            second_view=whole(of.second_view),
        )

    def noted(self, clip: Int[Array, ""], t: Int[Array, ""]) -> dict[str, dict[str, Array]]:
        """What each controller reads at frame t."""
        i = jnp.clip(t, 0, self.last(clip))
        return jax.tree.map(lambda x: x[clip, i], self.reference.noted)

    def action(self, clip: Int[Array, ""], t: Int[Array, ""]) -> dict[str, Array]:
        """What the action reads at frame t."""
        i = jnp.clip(t, 0, self.last(clip))
        return jax.tree.map(lambda x: x[clip, i], self.reference.action)

    def target(self, clip: Int[Array, ""], t: Int[Array, ""]) -> Control:
        """PD targets for the step from frame t."""
        i, of = jnp.minimum(t, self.last(clip)), self.reference
        return Control(of.target[clip, i], of.target_root[clip, i], _at(of.target_scalars, clip, i))

    def pose(self, clip: Int[Array, ""], t: Int[Array, ""]) -> Pose:
        """Configuration at frame t, with the object at its start: its later poses are not assumed known."""
        of = self.reference
        return Pose(
            of.local[clip, t],
            of.position[clip, t, 0],
            None if of.object_start is None else of.object_start[clip],
            _at(of.scalars, clip, t),
        )

    def velocity(self, clip: Int[Array, ""], t: Int[Array, ""]) -> Velocity:
        """Rates at frame t, with the object at rest."""
        of = self.reference
        still = None if of.object_start is None else jnp.zeros(6)
        return Velocity(of.angular[clip, t], of.linear_velocity[clip, t, 0], still, _at(of.scalar_rates, clip, t))

    def only(self, clip: int) -> "MotionLibrary":
        """A library of one of the clips, as long as before: what was compiled for one clip serves every other."""
        return jax.tree.map(lambda x: x[clip : clip + 1], self)

    def with_targets(self, target: Float[Array, "T R 4"]) -> "MotionLibrary":
        """The library of one clip with other PD targets of the joints; after their end the last ones hold."""
        more = self.frames - target.shape[0]
        held = jnp.concatenate([target, jnp.repeat(target[-1:], more, axis=0)]) if more else target
        return replace(self, reference=replace(self.reference, target=held[None]))

    def standing(self) -> "MotionLibrary":
        """The library of the same clips whose targets stay those of their first frames: what doing nothing is."""
        of = self.reference
        names = ("target", "target_root", "target_scalars", "noted")
        first = {n: jax.tree.map(lambda x: jnp.broadcast_to(x[:, :1], x.shape), getattr(of, n)) for n in names}
        return replace(self, reference=replace(of, **first))

    def without(self, controller: str, quantity: str) -> "MotionLibrary":
        """The library in which a quantity that a controller reads is zero, where there is such a controller."""
        noted = dict(self.reference.noted)
        if controller in noted:
            noted[controller] = {**noted[controller], quantity: jnp.zeros_like(noted[controller][quantity])}
        return replace(self, reference=replace(self.reference, noted=noted))

    def single(self, clip: int = 0) -> Reference:
        """The reference of one clip, without padding."""
        length = int(np.asarray(self.length)[clip])
        of = self.reference
        fixed = {name: jax.tree.map(lambda x: x[clip], getattr(of, name)) for name in TIMELESS}
        timed = jax.tree.map(lambda x: x[clip, :length], replace(of, **dict.fromkeys(TIMELESS)))
        return replace(timed, **fixed)


def _at(x: Array | None, clip: Int[Array, ""], t: Int[Array, ""]) -> Array | None:
    return None if x is None else x[clip, t]


def make_library(
    references: Sequence[Reference],
    onset: Sequence[int],
    pre_contact: Sequence[int],
    thing: Sequence[int] | None = None,
) -> MotionLibrary:
    """Stack the references of clips. Raises `ConfigError` where one holds what another lacks."""
    first = jax.tree.structure(references[0])
    for i, reference in enumerate(references):
        if jax.tree.structure(reference) != first:
            raise ConfigError(
                f"clip {i + 1} of the set holds {_held(reference)}, the first one {_held(references[0])}",
                where="--clip",
                valid="clips that all know their object by poses, or all by 2D tracks, and that all step or all stand",
                fix="python -m devi_jax.clips show CLIP says what a clip holds",
            )
    frames = max(reference.frames for reference in references)
    points = max((r.points_object.shape[0] for r in references if r.points_object is not None), default=0)
    padded = [_padded(reference, frames, points) for reference in references]
    number = [np.asarray(x, np.int32) for x in (onset, pre_contact, thing or [0] * len(references))]
    return MotionLibrary(
        jax.tree.map(lambda *x: jnp.stack(x), *padded),
        jnp.asarray([r.frames for r in references], jnp.int32),
        *(jnp.asarray(x) for x in number),
    )


def _padded(reference: Reference, frames: int, points: int) -> Reference:
    more = frames - reference.frames
    fixed = {name: getattr(reference, name) for name in TIMELESS}
    timed = replace(reference, **dict.fromkeys(TIMELESS))
    if more:
        timed = jax.tree.map(lambda x: jnp.concatenate([x, jnp.repeat(x[-1:], more, axis=0)]), timed)
    lacking = 0 if fixed["points_object"] is None else points - fixed["points_object"].shape[0]
    if lacking:  # repeated, but never seen: they count in no mean over visible points
        fixed["points_object"] = jnp.pad(jnp.asarray(fixed["points_object"]), ((0, lacking), (0, 0)), mode="edge")
        if timed.points_px is not None and timed.visible is not None:
            timed = replace(
                timed,
                points_px=jnp.pad(timed.points_px, ((0, 0), (0, lacking), (0, 0)), mode="edge"),
                visible=jnp.pad(timed.visible, ((0, 0), (0, lacking))),
            )
    return replace(timed, **fixed)


def _held(reference: Reference) -> str:
    parts = {
        "an object": reference.object_start is not None,
        "2D tracks": reference.points_px is not None,
        "object poses": reference.object_position is not None,
        **{f"data of {name}": True for name in reference.noted},
    }
    return ", ".join(name for name, there in parts.items() if there) or "a human alone"
