import pytest

from devi_jax.core import errors
from devi_jax.core.errors import DeviError, exit_on_error


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
