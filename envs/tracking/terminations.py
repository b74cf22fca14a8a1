"""Early termination: an episode that lost the body, the fingertips or the object is not worth its time.

A system's table has a row a bound: those of DeVI A.10, and of the codes of PhysHOI, SkillMimic and InterMimic.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
from tyro.conf import Fixed, Suppress

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.contact import TOUCH_N, hand_contact
from envs.rewards.interaction import interaction_ratio, surface_distance
from envs.rewards.measured import measure_info, measured
from envs.rewards.object import object_2d_mean

Untouched = Int[Array, " H"]
"""For how many steps in a row each hand that should touch the object has felt nothing."""
Measure = Callable[[SimState, ReferenceState, Untouched], Float[Array, ""]]
"""What is bounded, in a unit."""

_BODY = slice(0, 22)


@dataclass(frozen=True)
class Termination:
    """A row of a system's terminations: an episode fails where the measure is `side` the bound, times the curriculum's
    scale. An infinite bound switches the row off."""

    measure: Suppress[Fixed[Measure]]
    bound: float
    side: Suppress[Fixed[Literal["above", "below"]]] = "above"

    @property
    def on(self) -> bool:
        """Whether anything is bounded."""
        return math.isfinite(self.bound)


@dataclass(frozen=True, eq=False)
class Terminations:
    """All rows of a system."""

    rows: Mapping[str, Termination]

    @property
    def counts_contact(self) -> bool:
        """Whether a row in force asks for how long hands have felt nothing."""
        return any(row.on and row.measure is steps_without_contact for row in self.rows.values())

    def __call__(
        self,
        state: SimState,
        reference: ReferenceState,
        scale: float | Float[Array, ""] = 1.0,
        untouched: Untouched | None = None,
    ) -> Bool[Array, ""]:
        """Whether any bound, times `scale`, is exceeded. A simulation that is not a number any more has failed."""
        untouched = jnp.zeros(len(state.contact_n), jnp.int32) if untouched is None else untouched
        within = jnp.isfinite(jnp.sum(state.position))
        if state.object_position is not None:
            within = within & jnp.isfinite(jnp.sum(state.object_position))
        for row in self.rows.values():
            if row.on and _applies(row, state, reference):
                value = row.measure(state, reference, untouched)
                inside = value <= scale * row.bound if row.side == "above" else scale * value >= row.bound
                within = within & inside
        return ~within


def _applies(row: Termination, state: SimState, reference: ReferenceState) -> bool:
    needs = measure_info(row.measure).needs
    return needs is None or (getattr(reference, needs) is not None and state.object_position is not None)


@measured("m")
def body_mean(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Mean distance of the 22 body joints from the reference. DeVI A.10."""
    return jnp.mean(_body(state, reference))


@measured("m")
def body_any(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Largest distance of a body joint from the reference. DeVI A.10."""
    return jnp.max(_body(state, reference))


@measured("m")
def fingertips(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Mean distance of the ten fingertips from the reference. DeVI A.10."""
    return jnp.mean(jnp.sqrt(jnp.sum((state.tips - reference.tips) ** 2, axis=-1)))


@measured("diag", needs="points_px")
def object_pixels(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Mean distance of projected object points, over the image diagonal. DeVI A.10, Eq. 22."""
    return object_2d_mean(state, reference)


@measured("m")
def pelvis_height(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Height of the pelvis. PhysHOI, SkillMimic and InterMimic end below 0.3."""
    return state.position[0, 2]


@measured("m", needs="object_position")
def object_distance(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Mean distance of object points in space. InterMimic ends above 0.5."""
    return surface_distance(state, reference)


@measured("", needs="object_position")
def interaction(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Largest change of a vector between joint and object point, over its length. InterMimic ends above 2."""
    return interaction_ratio(state, reference)


@measured("steps")
def steps_without_contact(state: SimState, reference: ReferenceState, untouched: Untouched) -> Float[Array, ""]:
    """Steps in a row for which a hand that should touch the object feels nothing. InterMimic ends above 10."""
    return jnp.asarray(jnp.max(untouched), jnp.float32)


OFF: dict[str, Termination] = {
    "body_mean": Termination(body_mean, math.inf),
    "body_any": Termination(body_any, math.inf),
    "fingertips": Termination(fingertips, math.inf),
    "object_pixels": Termination(object_pixels, math.inf),
    "pelvis_height": Termination(pelvis_height, -math.inf, "below"),
    "object_distance": Termination(object_distance, math.inf),
    "interaction": Termination(interaction, math.inf),
    "steps_without_contact": Termination(steps_without_contact, math.inf),
}
"""Every row, none in force: what a system's table begins with, so that each is a flag of every system."""


def count_untouched(before: Untouched, state: SimState, reference: ReferenceState) -> Untouched:
    """`Untouched` after another step. InterMimic: `contact_reset`."""
    nothing = hand_contact(reference) & ~jnp.any(state.contact_n > TOUCH_N, axis=-1)
    return jnp.where(nothing, before + 1, 0)


def _body(state: SimState, reference: ReferenceState) -> Float[Array, "22"]:
    return jnp.sqrt(jnp.sum((state.position[_BODY] - reference.position[_BODY]) ** 2, axis=-1))
