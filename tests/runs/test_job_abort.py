"""When one of several processes fails, it leaves at once; a process alone fails in the ordinary way."""

import os
import subprocess
import sys
import textwrap

import jax
import pytest

from devi_jax.runs.job_abort import end_together, is_broken_exchange


class Left(BaseException):
    """Stands for the process being gone."""


@pytest.fixture
def together(monkeypatch):
    """As if this process were one of several; what it leaves with is the argument of `Left`."""

    def leave(code):
        raise Left(code)

    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(os, "_exit", leave)


def leaves_with(error: BaseException) -> int:
    with pytest.raises(Left) as left, end_together():
        raise error
    return left.value.args[0]


def test_alone_every_error_stays_what_it_is():
    for error in (ValueError("gloo"), SystemExit(2), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, end_together():
            raise error
        assert caught.value is error
    with end_together():
        pass


def test_an_exchange_that_broke_is_one_message_and_code_2(together, capsys):
    told = "UNKNOWN: Gloo all-reduce failed: Read error [127.0.0.1]:23451: Connection reset by peer\nmore"
    assert leaves_with(ValueError(told)) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: process 0 cannot go on") and "--resume=RUN" in message
    assert "more" not in message and "Traceback" not in message


def test_an_error_of_its_own_is_told_whole_and_ends_all_the_same(together, capsys):
    assert leaves_with(ValueError("shapes (3,) and (4,)")) == 1
    assert "Traceback" in (message := capsys.readouterr().err) and "shapes (3,) and (4,)" in message
    assert [leaves_with(SystemExit(code)) for code in (2, 130, 0, None, "said")] == [2, 130, 0, 0, 1]


def test_only_runtime_errors_that_speak_of_others_are_broken_exchanges():
    assert is_broken_exchange(jax.errors.JaxRuntimeError("UNAVAILABLE: Connection closed"))
    assert is_broken_exchange(jax.errors.JaxRuntimeError("INTERNAL: NCCL operation ncclAllReduce() failed"))
    assert not is_broken_exchange(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"))
    assert not is_broken_exchange(KeyError("connection"))


def test_an_abort_of_the_runtime_is_one_message_and_code_2():
    """From a thread that is not Python's main one, while that one computes."""
    code = """
        import os, threading, time
        from devi_jax.runs.job_abort import tell_of_aborts
        tell_of_aborts(3)
        threading.Thread(target=os.abort).start()
        while True:
            sum(range(1000))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: process 3 cannot go on") and "--resume=RUN" in done.stderr
