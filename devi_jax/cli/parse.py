"""A command line read into a frozen dataclass."""

import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import tyro

from devi_jax.cli.groups import TABLE_ROW, DescribeRow, groups, rules
from devi_jax.cli.old_flags import with_new_flags

HELP_ALL = "--help-all"


T = TypeVar("T")


def parse(
    kind: type[T],
    arguments: Sequence[str],
    *,
    prog: str,
    default: T | None = None,
    renamed: Mapping[str, str] | None = None,
    describe_row: DescribeRow | None = None,
) -> T:
    """The options that a command line says. `--help` and wrong flags end the program, with exit code 0 and 2.

    Args:
        kind: a frozen dataclass; each of its fields is a flag, and the text below a field is the flag's help.
        arguments: the command line, without the program.
        prog: how the command is called, for messages.
        default: options where the command line says nothing. Nested settings of it get one line each in `--help`, and
            all of their flags in `--help-all`.
        renamed: old to new names (see `with_new_flags`).
        describe_row: help for each row of a table of settings.
    """
    arguments = with_new_flags(arguments, renamed or {})
    nested = list(groups(default)) if default is not None else []
    everything = HELP_ALL in arguments
    short = not everything and any(word in ("-h", "--help") for word in arguments) and bool(nested)
    given: dict[str, Any] = {} if default is None else {"default": default}
    try:
        options = tyro.cli(
            kind,
            args=["--help"] if everything else arguments,
            prog=prog,
            registry=rules(describe_row, collapse=short),
            **given,
        )
    except SystemExit:
        if short:
            print(_table(nested, prog))
        raise
    return cast(T, options)


def _table(nested: Sequence[tuple[str, str]], prog: str) -> str:
    """Nested settings: a line each, and the names of a table's rows in full."""
    width = min(shutil.get_terminal_size().columns, 120)
    column = max(len(pattern) for pattern, _ in nested) + 2
    lines = [f"settings in groups, whose flags `{prog} {HELP_ALL}` lists:"]
    for pattern, text in nested:
        room = width - column - 2
        if TABLE_ROW in pattern:
            first, *more = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        else:
            first, more = textwrap.shorten(_first_sentence(text), room, placeholder=" ..."), []
        lines += [f"  {pattern:{column}}{first}", *(f"  {'':{column}}{line}" for line in more)]
    return "\n".join(lines)


def _first_sentence(text: str) -> str:
    # a stop within a sentence, as in "Eq. 10", has no capital after it
    return re.split(r"\. (?=[A-Z])", " ".join(text.split()))[0].rstrip(".")
