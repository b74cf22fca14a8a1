"""Comparisons of a policy with what is none, as an evaluation has them."""

_NUMBERS = {"better": (12, 0, 0.0005), "worse": (0, 12, 0.0005), "no different": (3, 2, 1.0)}


def compared(word: str, p: float | None = None) -> dict:
    """One that ended in `better`, `worse` or `no different`."""
    won, lost, chance = _NUMBERS[word]
    return {"verdict": word, "policy_only": won, "other_only": lost, "p": chance if p is None else p}
