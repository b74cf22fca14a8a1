"""What the help of a command says of each row of a system's tables."""

from typing import Any

from envs.rewards import Reward, Shape, measure_info
from envs.tracking.terminations import Termination

FORMULAS: dict[Shape, str] = {
    "gaussian": "exp(-sharpness e^2)",
    "exponential": "exp(-sharpness e)",
    "half_exponential": "(1 + exp(-sharpness e)) / 2",
    "linear": "1 - e, whatever the sharpness",
    "sigmoid": "2 / (1 + exp(sharpness e^2))",
    "half_sigmoid": "1 / (1 + exp(sharpness e^2))",
}
"""The factor in [0, 1] that each shape makes of an error e."""

UNITS = {
    "diag": "share of the image diagonal",
    "share": "share from 0 to 1",
    "wrong": "1 if wrong, else 0",
    "log": "absolute logarithm of a ratio",
}
"""Units that are words."""


def describe_row(name: str, row: Any) -> str | None:
    """Unit of a reward's error, and its shape; unit of what a termination bounds; None for other rows."""
    if isinstance(row, Termination):
        unit = measure_info(row.measure).unit
        return f"An episode fails {row.side} it{f' ({unit})' if unit else ''}."
    if not isinstance(row, Reward):
        return None
    unit = UNITS.get(row.measure.unit, row.measure.unit)
    return f"Error e: {unit}; {row.shape.replace('_', ' ')} factor {FORMULAS[row.shape]}."
