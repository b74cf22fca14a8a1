"""From errors to a reward: each error is shaped into a factor in (0, 1], factors are combined by product or by sum.

A recipe binds a name to a `Term`; its `Weighting` is what a user changes from the command line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState

Shape = Literal["gaussian", "exponential", "half_exponential", "linear", "sigmoid", "half_sigmoid"]


@dataclass(frozen=True)
class Weighting:
    """How much a term counts.

    `weight`: exponent of the factor in a product, weight in a sum; 0 switches the term off. `sharpness`: lambda, per
    unit (squared for gaussian and sigmoid shapes).
    """

    weight: float = 1.0
    sharpness: float = 1.0


@dataclass(frozen=True)
class Term:
    """An error in a physical unit and the shape of its factor.

    `gate`: where it is false the factor is 1. `needs`: the target's field without which the term does not apply.
    """

    fn: Callable[[SimState, ReferenceState], Float[Array, "..."]]
    unit: str
    shape: Shape = "gaussian"
    gate: Callable[[ReferenceState], Array] | None = None
    needs: str | None = None

    def applies(self, target: ReferenceState) -> bool:
        """Whether the target has what the term compares with."""
        return self.needs is None or getattr(target, self.needs) is not None


@dataclass(frozen=True, eq=False)
class Rewards:
    """The reward of a recipe: its terms, how much each counts, and how they combine."""

    terms: Mapping[str, Term]
    weightings: Mapping[str, Weighting]
    how: Literal["product", "sum"]

    def __call__(self, frame: SimState, target: ReferenceState) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Reward in [0, 1], and every term's error in its unit."""
        factors, errors = evaluate_terms(self.terms, self.weightings, frame, target)
        return combine(self.how, factors, self.weightings), errors


def shape_factor(shape: Shape, error: Float[Array, "..."], sharpness: float) -> Float[Array, "..."]:
    """exp(-s e^2), exp(-s e), (1 + exp(-s e)) / 2, 1 - e, 2 sigma(-s e^2), or sigma(-s e^2): Eq. 21 as printed, at most
    one half."""
    if shape == "gaussian":
        return jnp.exp(-sharpness * error**2)
    if shape == "exponential":
        return jnp.exp(-sharpness * error)
    if shape == "half_exponential":
        return 0.5 * (1.0 + jnp.exp(-sharpness * error))
    if shape == "linear":
        return 1.0 - error
    return (2.0 if shape == "sigmoid" else 1.0) * jax.nn.sigmoid(-sharpness * error**2)


def evaluate_terms(
    terms: Mapping[str, Term], weightings: Mapping[str, Weighting], frame: SimState, target: ReferenceState
) -> tuple[dict[str, Float[Array, ""]], dict[str, Float[Array, ""]]]:
    """All terms that apply: factors in (0, 1] and errors in their units, by name.

    An error of several parts (hands) is reported as the mean over the gated parts; its factor is the parts' product.
    """
    factors, errors = {}, {}
    for name, term in terms.items():
        if not term.applies(target):
            continue
        error = term.fn(frame, target)
        factor = shape_factor(term.shape, error, weightings[name].sharpness)
        if term.gate is not None:
            on = term.gate(target)
            factor = jnp.where(on, factor, 1.0)
            count = jnp.maximum(jnp.sum(jnp.asarray(on, jnp.float32)), 1.0)
            error = jnp.sum(jnp.where(on, error, 0.0)) / count
        factors[name], errors[name] = jnp.prod(factor), error
    return factors, errors


def combine(
    how: Literal["product", "sum"], factors: Mapping[str, Float[Array, ""]], weightings: Mapping[str, Weighting]
) -> Float[Array, ""]:
    """Reward in [0, 1]: product of factors to the power of their weights (DeVI Eq. 15), or their weighted mean."""
    if how == "product":
        logs = [
            weightings[n].weight * jnp.log(jnp.maximum(f, 1e-20)) for n, f in factors.items() if weightings[n].weight
        ]
        return jnp.exp(sum(logs, start=jnp.zeros(())))
    total = sum(weightings[n].weight for n in factors)
    return sum((weightings[n].weight * f for n, f in factors.items()), start=jnp.zeros(())) / max(total, 1e-12)
