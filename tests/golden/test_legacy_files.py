"""Files written by version 0.1 before the modules were reorganised: they load, and mean what they meant.

`data/README.md` says how each was made. They are never made again: what a later version writes is not what they guard.
"""

import json

import numpy as np
import pytest

from tests.golden import entry, ledger

STARTS = [0, 20]
CLOSE = 1e-4
"""By so much actions may differ, in radians: processors round an observation of a simulated state otherwise."""


@pytest.fixture(scope="module")
def acts(tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    """Observations and actions of both run folders."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: entry.acts_of_run(entry.unpacked(name, folder), STARTS) for name in ("run", "planned")}


@pytest.mark.parametrize("name", ["run", "planned"])
def test_a_run_folder_still_loads_and_acts_as_it_did(name, acts):
    """Guards config.json, clip.npz, plan.npz and the checkpoint: the same observations, the same actions."""
    assert np.abs(acts[name]["action"]).max() > 0.01
    ledger.check(f"legacy/{name}", acts[name], acts[name], dict.fromkeys(acts[name], CLOSE))


def test_a_policy_file_still_loads_and_acts_as_it_did(acts):
    """Guards the file of `export`: it acts as the run that it was written from, bit for bit."""
    found = entry.acts_of_policy(entry.DATA / "policy.npz", STARTS)
    assert ledger.digest(found) == ledger.digest(acts["planned"])
    ledger.check("legacy/policy", found, found, dict.fromkeys(found, CLOSE))


def test_a_clip_file_still_loads_as_the_same_arrays():
    """Guards the clip format: each array that was in the clip is in it today, whatever it is called."""
    recorded = set(json.loads((entry.DATA / "clip.json").read_text()))
    found = {ledger.digest({"": array}) for array in entry.clip_arrays(entry.DATA / "clip.npz").values()}
    assert recorded <= found
