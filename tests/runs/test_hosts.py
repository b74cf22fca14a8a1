"""A process alone agrees with itself; flags that do not say who is who are refused before anything is waited for."""

import jax
import pytest

from devi_jax.core.errors import ConfigError, DeviceError
from devi_jax.runs import hosts
from devi_jax.runs.hosts import Hosts, agree, agree_text, join, leads, only_the_leader_prints, wait_for_all


@pytest.mark.parametrize(
    ("wrong", "where", "valid"),
    [
        (Hosts(count=2, index=0), "--hosts", "all three"),
        (Hosts(coordinator="node0:1234"), "--hosts", "all three"),
        (Hosts(auto=True, count=2), "--hosts", "--hosts.auto alone"),
        (Hosts("node0:1234", 2, 2), "--hosts.index", "0 to 1"),
        (Hosts("node0:1234", 2, -1), "--hosts.index", "0 to 1"),
        (Hosts("node0:1234", 0, 0), "--hosts.count", "1 or more"),
        (Hosts("node0", 2, 0), "--hosts.coordinator", "HOST:PORT"),
        (Hosts(":1234", 2, 0), "--hosts.coordinator", "HOST:PORT"),
        (Hosts("node0:0", 2, 0), "--hosts.coordinator", "HOST:PORT"),
        (Hosts("node0:65536", 2, 0), "--hosts.coordinator", "HOST:PORT"),
        (Hosts("node0:1234", 2, 0, timeout_s=0), "--hosts.timeout-s", "1 or more"),
    ],
)
def test_flags_that_do_not_say_who_is_who_are_refused(wrong, where, valid):
    with pytest.raises(ConfigError) as caught:
        join(wrong)
    assert caught.value.where == where and valid in caught.value.valid


def test_a_process_alone_joins_nobody_and_agrees_with_itself(capsys):
    join(Hosts())
    assert not jax.distributed.is_initialized()
    assert leads() and agree(True) is True and agree(False) is False and agree_text("here") == "here"
    wait_for_all("nothing")
    with only_the_leader_prints():
        print("said")
    assert capsys.readouterr().out == "said\n"


def test_surroundings_that_do_not_tell_are_one_error(monkeypatch):
    monkeypatch.setattr(hosts, "tell_of_aborts", lambda index: None)
    with pytest.raises(DeviceError) as caught:  # JAX runs already
        join(Hosts(auto=True))
    assert caught.value.where == "--hosts.auto" and "--hosts.coordinator" in caught.value.valid
