"""Broadcasting said out loud: strict tests forbid that an array gains axes unasked (`jax_numpy_rank_promotion`)."""

from typing import Any


def to_rank(x: Any, rank: int) -> Any:
    """An array (NumPy's or JAX's) with axes of length 1 in front until it has `rank` of them; the same if it has."""
    xp = x.__array_namespace__()
    return xp.reshape(x, (1,) * (rank - x.ndim) + x.shape)
