"""How a job of several processes ends when one of them does: all others too, with one message and exit code 2.

Nothing in here does anything to a process alone.
"""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import jax

from devi_jax.core.errors import DeviceError

BROKEN = (
    "gloo", "nccl", "connection", "socket", "peer", "unavailable", "deadline", "heartbeat", "coordination", "barrier",
)  # fmt: skip
"""What the errors of a broken exchange speak of: collectives on CPUs and GPUs, and the service that counts heads."""


@contextmanager
def end_together() -> Iterator[None]:
    """Leave at once when something goes wrong in one of several processes, so that it goes wrong in all of them.

    A process that ends in the ordinary way waits for the others, which would wait for it.
    """
    try:
        yield
    except BaseException as error:
        if not jax.distributed.is_initialized():
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif is_broken_exchange(error):
            code = 2
            print(f"error: {_lost(jax.process_index(), str(error).splitlines()[0][:300])}", file=sys.stderr)
        else:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def is_broken_exchange(error: BaseException) -> bool:
    """Whether what failed is an exchange: a runtime error of JAX's, or a `ValueError` where its result was read."""
    told = str(error).lower()
    return isinstance(error, (RuntimeError, ValueError)) and any(word in told for word in BROKEN)


def tell_of_aborts(index: int | None) -> None:
    """Where JAX's runtime aborts this process, number `index`, say what that means and leave with code 2.

    It does so from a thread of its own, when others do not come in time or are lost while this process computes: there
    is nothing to catch, and a handler of Python's `signal` would never run.
    """
    told = f"error: {_lost(index, 'the lines of JAX above')}\n".encode()

    @ctypes.CFUNCTYPE(None, ctypes.c_int)
    def tell(_: int) -> None:
        os.write(2, told)
        os._exit(2)

    libc = ctypes.CDLL(None)
    libc.signal.argtypes, libc.signal.restype = (ctypes.c_int, type(tell)), ctypes.c_void_p
    libc.signal(signal.SIGABRT, tell)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(tell))  # it is called when all else is over


def _lost(index: int | None, where: str) -> DeviceError:
    return DeviceError(
        f"process {'?' if index is None else index} cannot go on: another has stopped or not come, or is out of reach",
        where=where,
        valid="all processes running",
        fix="--resume=RUN goes on from the last checkpoint, on any number of processes and devices",
    )
