"""Several processes as one job: how they find each other and agree. JAX's distributed runtime does it.

Process 0 leads: it alone writes files, prints and judges. A single process leads itself.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all, sync_global_devices

from devi_jax.core.errors import ConfigError, DeviceError
from devi_jax.runs.job_abort import tell_of_aborts

LONGEST_WAIT_S = 24 * 3600
"""How long processes wait at the end for the one that evaluates and films."""
LONGEST_TEXT = 4096
"""Bytes of a text that processes can agree on."""


@dataclass(frozen=True)
class Hosts:
    """Processes that train one run together, usually one a machine; by default this one alone."""

    coordinator: str | None = None
    """HOST:PORT of process 0, where all find each other; with --hosts.count and --hosts.index."""
    count: int | None = None
    """How many processes there are."""
    index: int | None = None
    """Which of them this is, from 0."""
    auto: bool = False
    """Take all three from the surroundings: a TPU pod, Slurm, Open MPI, or Kubernetes."""
    timeout_s: int = 60
    """The job ends when one of them has not been heard of for so long; for the first to come, five times as long."""

    @property
    def together(self) -> bool:
        """Whether there is more to this job than this process."""
        return self.auto or self.coordinator is not None


def join(hosts: Hosts) -> None:
    """Meet the other processes; nothing to do for a process alone. Must come before JAX is asked for its devices.

    Where the others do not come in time, the process ends with one message and code 2.

    Raises:
        ConfigError: when the flags do not say who is who.
        DeviceError: when the surroundings do not, or JAX has started already.
    """
    _check(hosts)
    if not hosts.together:
        return
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    tell_of_aborts(hosts.index)
    try:
        jax.distributed.initialize(
            hosts.coordinator,
            hosts.count,
            hosts.index,
            initialization_timeout=5 * hosts.timeout_s,
            heartbeat_timeout_seconds=hosts.timeout_s,
            shutdown_timeout_seconds=LONGEST_WAIT_S,
        )
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"the processes do not find each other ({str(error).splitlines()[0][:200]})",
            where="--hosts.auto" if hosts.auto else "--hosts",
            valid="a TPU pod, Slurm, Open MPI or Kubernetes for --hosts.auto; anywhere, the same --hosts.coordinator "
            "and --hosts.count for all, and --hosts.index from 0",
            fix="look whether the coordinator's port is free there and open to the others",
        ) from error


def leads() -> bool:
    """Whether this process is the one that writes, prints and judges."""
    return jax.process_index() == 0


def agree(value: bool) -> bool:
    """What the leading process holds true."""
    return value if jax.process_count() == 1 else bool(broadcast_one_to_all(np.asarray(value)))


def agree_text(text: str) -> str:
    """The leading process's text, of at most `LONGEST_TEXT` bytes."""
    if jax.process_count() == 1:
        return text
    coded = np.zeros(LONGEST_TEXT, np.uint8)
    data = text.encode()
    coded[: len(data)] = np.frombuffer(data, np.uint8)
    return bytes(np.asarray(broadcast_one_to_all(coded))).rstrip(b"\0").decode()


def wait_for_all(what: str) -> None:
    """Go on when all processes have come here."""
    if jax.process_count() > 1:
        sync_global_devices(what)


@contextmanager
def only_the_leader_prints() -> Iterator[None]:
    """Silence standard output in all other processes; errors are always told."""
    if leads():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


def _check(hosts: Hosts) -> None:
    parts = (hosts.coordinator, hosts.count, hosts.index)
    given = [part is not None for part in parts]
    if hosts.auto and any(given):
        raise ConfigError(
            "--hosts.auto takes coordinator, count and index from the surroundings",
            where="--hosts",
            valid="--hosts.auto alone, or the other three",
        )
    if any(given) and not all(given):
        raise ConfigError(
            "processes need to know the coordinator, how many they are, and which each is",
            where="--hosts",
            valid="--hosts.coordinator=HOST:PORT --hosts.count=N --hosts.index=I, all three",
        )
    if hosts.count is not None and hosts.count < 1:
        raise ConfigError("a job of no process", where="--hosts.count", valid="1 or more")
    if hosts.count is not None and hosts.index is not None and not 0 <= hosts.index < hosts.count:
        raise ConfigError(
            f"there is no process {hosts.index} among {hosts.count}",
            where="--hosts.index",
            valid=f"0 to {hosts.count - 1}",
        )
    if hosts.coordinator is not None and not _is_address(hosts.coordinator):
        raise ConfigError(
            f"the coordinator '{hosts.coordinator}' is not a host with a port",
            where="--hosts.coordinator",
            valid="HOST:PORT, such as node0:12345",
        )
    if hosts.timeout_s < 1:
        raise ConfigError("a timeout of less than a second", where="--hosts.timeout-s", valid="1 or more")


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16
