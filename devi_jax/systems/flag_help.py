"""What the help of a command says of each row of a system's tables."""

from typing import Any

from devi_jax.systems.reward_terms import TERMS
from envs.rewards import Shape, Weighting

FORMULAS: dict[Shape, str] = {
    "gaussian": "exp(-sharpness e^2)",
    "exponential": "exp(-sharpness e)",
    "half_exponential": "(1 + exp(-sharpness e)) / 2",
    "linear": "1 - e, whatever the sharpness",
    "sigmoid": "2 / (1 + exp(sharpness e^2))",
    "half_sigmoid": "1 / (1 + exp(sharpness e^2))",
}
"""The factor in [0, 1] that each shape makes of an error e."""

UNITS = {"diag": "share of the image diagonal", "share": "share from 0 to 1", "wrong": "1 if wrong, else 0"}
"""Units that are words."""


def describe_row(name: str, row: Any) -> str | None:
    """Unit of a reward's error, and its shape; None for other rows."""
    if not isinstance(row, Weighting) or name not in TERMS:
        return None
    term = TERMS[name]
    unit = UNITS.get(term.unit, f"{term.unit}")
    return f"Error e: {unit}; {term.shape.replace('_', ' ')} factor {FORMULAS[term.shape]}."
