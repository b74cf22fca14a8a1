"""Nested settings of a command: one line each in the short help, and rows of tables described one by one."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

from devi_jax.cli.field_docs import field_docs

DescribeRow = Callable[[str, Any], str | None]
"""From a row's name and value to the help of its group, or None for none of its own."""


TABLE_ROW = "ROW"
"""Stands for the name of any row in the pattern of a table's flags."""


def groups(options: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Flag patterns and meanings of nested settings: `--ppo.*`, or `--rewards.ROW.*` for a table of them."""
    if isinstance(options, dict):
        for name, part in options.items():
            yield from _group(part, f"{prefix}{_dashed(name)}.", "")
        return
    for field in fields(options):
        value, doc = getattr(options, field.name), field_docs(type(options)).get(field.name, "")
        if is_nested(value):
            name = _flag_name(type(options), field.name)
            yield from groups(value, prefix) if not name else _group(value, f"{prefix}{_dashed(name)}.", doc)


def _group(value: Any, prefix: str, doc: str) -> Iterator[tuple[str, str]]:
    if value == {}:
        return
    if isinstance(value, dict) and all(is_dataclass(row) for row in value.values()):
        rows = ", ".join(map(_dashed, value))
        yield f"--{prefix}{TABLE_ROW}.*", f"{doc.rstrip('.')}: {rows}" if doc else rows
        return
    if not isinstance(value, dict) and any(not is_nested(getattr(value, f.name)) for f in fields(value)):
        yield f"--{prefix}*", doc or type(value).__doc__ or ""
    yield from groups(value, prefix)


def is_nested(value: Any) -> bool:
    """Whether a value is settings or a table of them, whose flags form a group."""
    if isinstance(value, dict):
        return bool(value) and all(is_nested(item) or item == {} for item in value.values())
    return is_dataclass(value) and not isinstance(value, type)


def rules(describe_row: DescribeRow | None, collapse: bool) -> ConstructorRegistry:
    """How tyro takes settings apart: with help for each row of a table, or with nested settings hidden in the help."""
    registry = ConstructorRegistry()

    @registry.struct_rule
    def table(info: StructTypeInfo) -> StructConstructorSpec | None:
        table = isinstance(info.default, dict) and (is_nested(info.default) or not info.default)
        if not table or describe_row is None:
            return None
        rows = [StructFieldSpec(k, type(v), v, describe_row(k, v), _call_argname=k) for k, v in info.default.items()]
        return StructConstructorSpec(dict, tuple(rows))

    @registry.struct_rule
    def settings(info: StructTypeInfo) -> StructConstructorSpec | None:
        kind: Any = info.type
        if not collapse or not (isinstance(kind, type) and is_dataclass(kind)):
            return None
        hints, docs, parts = get_type_hints(kind, include_extras=True), field_docs(kind), []
        for field in fields(kind):
            value = getattr(info.default, field.name, field.default)
            hidden = is_nested(value) and _flag_name(kind, field.name)
            hint: Any = Annotated[hints[field.name], tyro.conf.Suppress] if hidden else hints[field.name]
            parts.append(StructFieldSpec(field.name, hint, _default(value), _one_line(docs.get(field.name))))
        return StructConstructorSpec(kind, tuple(parts))

    return registry


def _one_line(doc: str | None) -> str | None:
    """A text without the source's line breaks, which tyro would keep."""
    return None if doc is None else " ".join(doc.split())


def _default(value: Any) -> Any:
    return tyro.MISSING if value is MISSING else value


def _flag_name(kind: type, field: str) -> str:
    """What a field is called on the command line; nothing where `tyro.conf.arg(name="")` leaves it out."""
    annotations = getattr(get_type_hints(kind, include_extras=True)[field], "__metadata__", ())
    names = [a.name for a in annotations if getattr(a, "name", None) is not None]
    return names[0] if names else field


def _dashed(name: str) -> str:
    return name.replace("_", "-")
