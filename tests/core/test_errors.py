import contextlib

import jax
import pytest

from devi_jax.core import errors
from devi_jax.core.errors import DeviError, exit_on_error, raise_in_callback


def test_a_message_says_what_where_valid_and_fix_in_this_order():
    error = DeviError("it broke", where="a.npz: fps", valid="1 to 1000", fix="convert again")
    assert str(error) == "it broke\n  where: a.npz: fps\n  valid: 1 to 1000\n  fix:   convert again"
    assert str(DeviError("it broke")) == "it broke"
    assert (error.what, error.where) == ("it broke", "a.npz: fps")
    assert (error.valid, error.fix) == ("1 to 1000", "convert again")


@pytest.mark.parametrize("kind", DeviError.__subclasses__())
def test_a_command_ends_with_one_message_and_exit_code_2(kind, capsys):
    with pytest.raises(SystemExit) as caught, exit_on_error():
        raise kind("it broke", where="here")
    out = capsys.readouterr()
    assert caught.value.code == 2 and out.out == "" and out.err == "error: it broke\n  where: here\n"


def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), exit_on_error():
        _ = 1 // 0


def test_every_kind_of_error_is_the_users():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert len(kinds) >= 6 and all(issubclass(k, DeviError) for k in kinds)


def test_an_interrupted_command_says_so(capsys):
    with pytest.raises(SystemExit) as caught, exit_on_error():
        raise KeyboardInterrupt
    assert caught.value.code == 130 and capsys.readouterr().err == "interrupted\n"


def test_an_error_raised_in_a_compiled_program_is_told_whole(capsys):
    def complain(x):
        raise_in_callback(DeviError(f"it broke at {x}", valid="2: to 9\n  mend:  no label of ours"))

    with pytest.raises(SystemExit) as caught, exit_on_error():
        jax.block_until_ready(jax.jit(lambda x: (jax.debug.callback(complain, x), x + 1)[1])(1))
        jax.effects_barrier()
    said = capsys.readouterr().err
    assert caught.value.code == 2 and said.endswith(
        "error: it broke at 1\n  valid: 2: to 9\n  mend:  no label of ours\n"
    )


def test_whatever_the_runtime_makes_of_its_text(capsys):
    """Which a regular expression over the text would not survive."""
    with pytest.raises(SystemExit) as caught, exit_on_error():
        for what in ("first", "second"):
            with contextlib.suppress(DeviError):
                raise_in_callback(DeviError(what))
        raise RuntimeError("INTERNAL: a host callback failed")
    assert caught.value.code == 2 and capsys.readouterr().err == "error: first\n"


def test_errors_of_the_runtime_pass_through_and_are_not_taken_for_an_earlier_commands(capsys):
    with contextlib.suppress(DeviError):
        raise_in_callback(DeviError("earlier"))
    with pytest.raises(RuntimeError, match="where: inside"), exit_on_error():
        raise RuntimeError("INTERNAL: devi_jax.core.errors.DeviceError: out of memory\n  where: inside")
    assert capsys.readouterr().err == ""
