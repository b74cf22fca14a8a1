"""Annotations hold at run time: jaxtyping with beartype over all four packages, installed before they are imported."""

from collections.abc import Callable
from typing import Any

import beartype
import jax
import numpy as np
from jaxtyping import install_import_hook

PACKAGES = ("devi_jax", "envs", "agents", "perception")

UNCHECKED: dict[str, str] = {
    "perception.contracts": "what estimators' files say: validate() refuses it in words",
    "devi_jax.extract.Extract.__init__": "the default of a positional flag is tyro.MISSING",
    "devi_jax.scene.FilmScene.__init__": "the default of a positional flag is tyro.MISSING",
    "devi_jax.core.scene.ObjectSpec.__init__": "what a user writes: validate() refuses it in words",
    "devi_jax.core.scene.Prop.__init__": "what a user writes: validate() refuses it in words",
    "devi_jax.core.scene.Table.__init__": "what a user writes: validate() refuses it in words",
    "devi_jax.core.safe_load.pickles.PlainUnpickler.__init__": "beartype asks a name and a mode of IO[bytes]",
}
"""Packages, modules, classes and functions whose arguments and results are not checked."""

# an int is a float, as for pyright, and NumPy's numbers are numbers
_NUMBERS = beartype.FrozenDict({int: int | np.integer, float: float | int | np.floating | np.integer})
_TYPES = beartype.beartype(conf=beartype.BeartypeConf(hint_overrides=_NUMBERS))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its annotations checked at every call, unless it is among the `UNCHECKED`."""
    name = f"{function.__module__}.{function.__qualname__}."
    return function if any(name.startswith(f"{known}.") for known in UNCHECKED) else _TYPES(function)


def install() -> None:
    """Check what is imported from now on. Dataclasses that JAX takes apart and puts together are made unchecked: it
    fills them with batches, shardings and None. Functions that take or return them are checked as all others are."""
    register = jax.tree_util.register_dataclass

    def unchecked(cls: type, *arguments: Any, **options: Any) -> type:
        cls.__no_type_check__ = True
        return register(cls, *arguments, **options)

    jax.tree_util.register_dataclass = unchecked
    install_import_hook(PACKAGES, "tests.type_checks.check")
