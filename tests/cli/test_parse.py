"""Dataclasses as command lines: nested settings are one line in the help, and all flags are in the long help."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest
import tyro

from devi_jax.cli import parse
from devi_jax.cli.field_docs import field_docs
from devi_jax.cli.groups import groups


@dataclass(frozen=True)
class Row:
    """How much it counts."""

    weight: float = 1.0


@dataclass(frozen=True)
class Inner:
    """Deep settings. Of no great interest."""

    depth_m: float = 2.0
    """Depth in metres."""


@dataclass(frozen=True)
class Printed:
    """As printed (Eq. 10-14). In two stages."""

    rate: float = 1.0


@dataclass(frozen=True)
class Outer:
    """All settings."""

    how: str = "well"
    """How it is done, in a text that goes on
    below."""
    inner: Inner = Inner()
    printed: Printed = Printed()
    rows: dict[str, Row] = field(default_factory=lambda: {"object_2d": Row(), "power": Row(3.0)})
    """Rows of a table."""


@dataclass(frozen=True)
class Told:
    """A command."""

    outer: Annotated[Outer, tyro.conf.arg(name="")]
    count: int = 3
    """How many."""


def read(*arguments: str, **more) -> Told:
    default = Told(Outer())
    return parse(Told, arguments, prog="tool", default=default, describe_row=lambda n, _: f"Row {n} in kW.", **more)


def help_of(word: str, capsys) -> str:
    with pytest.raises(SystemExit) as leaving:
        read(word)
    assert leaving.value.code == 0
    return capsys.readouterr().out


def test_every_leaf_is_a_flag_and_the_rest_stays():
    told = read("--count=4", "--how=badly", "--inner.depth-m=0.5", "--rows.object-2d.weight=0")
    assert (told.count, told.outer.how, told.outer.inner.depth_m) == (4, "badly", 0.5)
    assert told.outer.rows == {"object_2d": Row(0.0), "power": Row(3.0)}


def test_an_old_flag_still_works(capsys):
    assert read("--number=4", renamed={"number": "count"}).count == 4
    assert "--number is now called --count" in capsys.readouterr().err


def test_groups_are_one_line_each_and_named_after_their_flags():
    assert list(groups(Told(Outer()))) == [
        ("--inner.*", "Deep settings. Of no great interest."),
        ("--printed.*", "As printed (Eq. 10-14). In two stages."),
        ("--rows.ROW.*", "Rows of a table: object-2d, power"),
    ]


def test_the_help_has_a_line_a_group_and_the_long_help_every_flag(capsys):
    short, long = help_of("--help", capsys), help_of("--help-all", capsys)
    assert "--inner.*" in short and "Deep settings" in short and "object-2d, power" in short
    assert "--inner.depth-m" not in short and "--count" in short and "--how" in short and "--help-all" in short
    assert "As printed (Eq. 10-14)\n" in short and "in a text that goes on below." in short
    assert "--inner.depth-m" in long and "Depth in metres" in long and "Row object_2d in kW." in long


@pytest.mark.parametrize("wrong", [["--nonsense=1"], ["--count"], ["--count=many"], ["--inner.depth=1"], ["word"]])
def test_wrong_flags_are_one_error_with_exit_code_2(wrong, capsys):
    with pytest.raises(SystemExit) as leaving:
        read(*wrong)
    told = capsys.readouterr()
    assert leaving.value.code == 2 and told.out == "" and "tool --help" in told.err
    assert wrong[0].partition("=")[0] in told.err


def test_a_required_word_may_be_left_to_the_command_line(capsys):
    @dataclass(frozen=True)
    class Asks:
        file: tyro.conf.Positional[str]
        """What is read."""
        inner: Inner = Inner()

    def ask(*arguments: str) -> Asks:
        return parse(Asks, arguments, prog="tool", default=Asks(tyro.MISSING))

    assert ask("a.npz", "--inner.depth-m=1") == Asks("a.npz", Inner(1.0))
    for wrong, code in ([], 2), (["--help"], 0):
        with pytest.raises(SystemExit) as leaving:
            ask(*wrong)
        told = capsys.readouterr()
        assert leaving.value.code == code and "required" in (told.out + told.err).lower()


def test_the_text_below_a_field_is_its_help():
    assert field_docs(Outer) == {"how": "How it is done, in a text that goes on\nbelow.", "rows": "Rows of a table."}
    assert field_docs(int) == {}
