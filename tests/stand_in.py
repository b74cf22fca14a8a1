"""A stand-in that passes for a class: an instance of it with some attributes, and without its constructor."""

from typing import Any, TypeVar

T = TypeVar("T")


def stand_in(cls: type[T], **attributes: Any) -> T:
    """An object of class `cls`, whatever that asks of its fields, that has these attributes alone."""
    kind = type(cls.__name__, (cls,), {name: value for name, value in attributes.items()})
    return object.__new__(kind)
