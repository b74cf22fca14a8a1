"""A training of a toy by one of two processes with two devices each. Never ends.

`python -m tests.agents.together FOLDER PORT INDEX`
"""

import sys
import time
from pathlib import Path

import jax

from agents import Learner
from agents.sharding import env_mesh
from devi_jax.core.errors import exit_on_error
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.devices import choose_devices, offer_cpus
from devi_jax.runs.hosts import Hosts, agree, agree_text, join, leads
from devi_jax.runs.job_abort import end_together
from tests.agents.reach import Reach
from tests.agents.test_sharding import NETWORK, PPO

SAVED = 2
"""Iterations until the only checkpoint."""


def main(folder: Path, port: str, index: str) -> None:
    """Train, save once, say so, and go on."""
    with end_together(), exit_on_error():
        offer_cpus(2)
        join(Hosts(f"localhost:{port}", 2, int(index), timeout_s=30))
        assert agree_text(f"said by {index}") == "said by 0" and agree(leads())
        assert len(jax.devices()) == 4 and choose_devices(1) == [jax.devices()[0], jax.devices()[2]]
        learner = Learner(Reach(5), PPO, NETWORK, env_mesh(choose_devices("all")))
        state = learner.init(jax.random.key(0))
        with Checkpoints(folder / "checkpoints") as checkpoints:
            while True:
                state, _ = learner.update(state)
                if int(state.iteration) == SAVED:
                    checkpoints.save(SAVED, state)
                    checkpoints.wait()
                    (folder / f"saved-{index}").touch()
                time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
