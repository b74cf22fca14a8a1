"""From errors to a reward: each error is shaped into a factor in (0, 1], factors are combined by product or by sum."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from tyro.conf import Fixed, Suppress

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.measured import ErrorFunction, MeasureInfo, measure_info

Shape = Literal["gaussian", "exponential", "half_exponential", "linear", "sigmoid", "half_sigmoid"]
"""How an error e becomes a factor, s being the sharpness: exp(-s e^2); exp(-s e); (1 + exp(-s e)) / 2; 1 - e;
2 sigma(-s e^2); sigma(-s e^2), which is DeVI's Eq. 21 as printed, at most one half."""
Combine = Literal["product", "sum"]


@dataclass(frozen=True)
class Reward:
    """A row of a system's rewards: an error, the shape of its factor, and how much that counts.

    `sharpness`: per unit of the error, squared for gaussian and sigmoid shapes. `weight`: exponent of the factor in a
    product, weight in a sum; 0 switches the row off, its error is still reported.
    """

    error: Suppress[Fixed[ErrorFunction]]
    shape: Shape = "gaussian"
    sharpness: float = 1.0
    weight: float = 1.0

    @property
    def measure(self) -> MeasureInfo:
        """Unit, need and gate of the error."""
        return measure_info(self.error)

    def applies(self, reference: ReferenceState) -> bool:
        """Whether the reference has what the error compares with."""
        needs = self.measure.needs
        return needs is None or getattr(reference, needs) is not None


@dataclass(frozen=True, eq=False)
class Rewards:
    """The reward of a system: its rows, and how their factors combine."""

    rows: Mapping[str, Reward]
    combine: Combine

    def __call__(
        self, state: SimState, reference: ReferenceState
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Reward in [0, 1], and every row's error in its unit."""
        factors, errors = evaluate_rows(self.rows, state, reference)
        return combine(self.combine, factors, self.rows), errors


def shape_factor(shape: Shape, error: Float[Array, "..."], sharpness: float) -> Float[Array, "..."]:
    """The factor of an error: see `Shape`."""
    if shape == "gaussian":
        return jnp.exp(-sharpness * error**2)
    if shape == "exponential":
        return jnp.exp(-sharpness * error)
    if shape == "half_exponential":
        return 0.5 * (1.0 + jnp.exp(-sharpness * error))
    if shape == "linear":
        return 1.0 - error
    return (2.0 if shape == "sigmoid" else 1.0) * jax.nn.sigmoid(-sharpness * error**2)


def halved(error: ErrorFunction, at: float, shape: Shape = "exponential", weight: float = 1.0) -> Reward:
    """A row whose factor is one half of its best where the error is `at`, in its unit."""
    return Reward(error, shape, half_at(shape, at), weight)


def half_at(shape: Shape, error: float) -> float:
    """The sharpness at which a factor is one half of its best at this error, in the error's unit.

    An exponential that is one half at a fifth of a bound is 1/32 there, and 1/10 at two thirds of it; a gaussian that
    is one half at a fifth is 3e-8 at the bound, where nothing tells a policy any more which way to go.

    Raises:
        ValueError: the shape has no such sharpness.
    """
    if shape == "exponential":
        return math.log(2.0) / error
    if shape == "gaussian":
        return math.log(2.0) / error**2
    if shape in ("sigmoid", "half_sigmoid"):
        return math.log(3.0) / error**2
    raise ValueError(f"a {shape} factor has no half that its sharpness sets")


def evaluate_rows(
    rows: Mapping[str, Reward], state: SimState, reference: ReferenceState
) -> tuple[dict[str, Float[Array, ""]], dict[str, Float[Array, ""]]]:
    """All rows that apply: factors in (0, 1] and errors in their units, by name.

    An error of several parts (hands) is reported as the mean over the gated parts; its factor is the parts' product.
    """
    factors, errors = {}, {}
    for name, row in rows.items():
        if not row.applies(reference):
            continue
        error = row.error(state, reference)
        factor = shape_factor(row.shape, error, row.sharpness)
        if row.measure.gate is not None:
            on = row.measure.gate(reference)
            factor = jnp.where(on, factor, 1.0)
            count = jnp.maximum(jnp.sum(jnp.asarray(on, jnp.float32)), 1.0)
            error = jnp.sum(jnp.where(on, error, 0.0)) / count
        factors[name], errors[name] = jnp.prod(factor), error
    return factors, errors


def combine(how: Combine, factors: Mapping[str, Float[Array, ""]], rows: Mapping[str, Reward]) -> Float[Array, ""]:
    """Reward in [0, 1]: product of factors to the power of their weights (DeVI Eq. 15), or their weighted mean."""
    if how == "product":
        logs = [rows[n].weight * jnp.log(jnp.maximum(f, 1e-20)) for n, f in factors.items() if rows[n].weight]
        return jnp.exp(sum(logs, start=jnp.zeros(())))
    total = sum(rows[n].weight for n in factors)
    return sum((rows[n].weight * f for n, f in factors.items()), start=jnp.zeros(())) / max(total, 1e-12)
