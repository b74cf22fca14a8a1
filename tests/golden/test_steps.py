"""64 recorded steps of six clips, free and pinned, on the C engine: the environment's numbers, to the last bit.

Guards the human, scenes, contacts, springs, feed-forward, balance and footing, reward terms and observations. Two
environments a clip: one from frame 0, one from shortly before the hands touch. `-rough` has the noise of capture.
"""

import numpy as np
import pytest

from tests.golden import entry, ledger

STARTS = {
    "lift_can": [0, 32],
    "lift_can-rough": [0, 32],
    "pick_place": [0, 32],
    "push_box": [0, 32],
    "lift_box": [0, 32],
    "floor_box": [0, 48],
}
# a token's sum has 52 angular velocities, which contact makes differ between instruction sets: by up to 6.5 rad/s here
TOLERANCE = {"reward": 1.0, "qpos": 1.0, "observation": 20.0}


@pytest.mark.parametrize("root", ["free", "pinned"])
@pytest.mark.parametrize("clip", STARTS)
def test_steps_are_those_recorded(clip, root):
    """Every byte of rewards, positions, velocities and observations; elsewhere each 8th state, and all rewards."""
    played = entry.steps(clip, root, STARTS[clip], count=64, seed=sorted(STARTS).index(clip))
    assert all(np.isfinite(x).all() for x in played.values())
    tokens = [x.sum(-1) for name, x in sorted(played.items()) if name.startswith("observation")]
    kept = {"reward": played["reward"], "qpos": played["qpos"][7::8], "observation": np.stack(tokens)[:, 7::8]}
    ledger.check(f"steps/{clip}-{root}", played, kept, TOLERANCE)
