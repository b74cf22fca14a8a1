"""The policy that a run keeps: the best judged one, which is the targets' own replay until a better one is learned."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType

from agents import Learner, Ppo, TrainState
from devi_jax.runs.checkpoint import Checkpoints, OlderPaths
from devi_jax.runs.hosts import agree, leads
from devi_jax.runs.json_io import write_json
from devi_jax.runs.run_dir import RunDir

UNLEARNED = 0.15
"""A policy whose rate is this much below that of the targets it turns around has unlearned them."""
PATIENCE = 4
"""So many judgements in a row have to find that: a fall may mend itself, and smaller steps take longer to."""
SETBACKS = 3
"""How often learning goes back to the best policy; each time its steps become smaller."""
SLOWER = 0.4
"""Factor of the actor's learning rate and of its KL divergence after a setback."""


@dataclass(frozen=True)
class Standing:
    """How a policy was judged after so many iterations: mean of its rates over easy and hard starts, and its reward."""

    iteration: int
    rate: float
    reward: float

    @property
    def rank(self) -> tuple[float, float]:
        """The higher the better."""
        return self.rate, self.reward


def standing(iteration: int, scalars: Mapping[str, float]) -> Standing:
    """From the scalars of a quick evaluation; clips without an object's poses are ranked by reward alone."""
    named = (f"evaluation/{key}" for key in ("perturbed_success", "hard_success"))
    rates = [scalars[name] for name in named if name in scalars]
    rate = sum(rates) / len(rates) if rates else 0.0
    return Standing(iteration, rate, scalars.get("evaluation/perturbed_reward", 0.0))


class BestPolicy:
    """The best judged state of a run, in its folder `best`, with `best.json` on how it was judged. A context manager.

    `setbacks`: how often learning went back to it so far; `below`: how many judgements in a row found it lost.
    """

    def __init__(self, run: RunDir):
        self._file: Path = run.path / "best.json"
        self._states = Checkpoints(run.path / "best", keep=1)
        stored = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.first, self.best = (Standing(**stored[k]) if k in stored else None for k in ("first", "best"))
        if self.best is not None and self._states.latest() != self.best.iteration:
            self.best = None  # killed between the two: what was judged best is not on disk
        self.setbacks: int = stored.get("setbacks", 0)
        self.below: int = stored.get("below", 0)

    def __enter__(self) -> "BestPolicy":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._states.__exit__(kind, error, at)

    def offer(self, iteration: int, scalars: Mapping[str, float], state: TrainState) -> None:
        """Keep the state if it is judged better than all before. Every process of a job has to call it."""
        found = standing(iteration, scalars)
        better = self.best is None or found.rank > self.best.rank
        if agree(better):
            self.first, self.best = self.first or found, found
            self._states.save(iteration, state)
            self._write()

    def lost(self, iteration: int, scalars: Mapping[str, float]) -> bool:
        """Whether learning has for long unlearned what it began with, and may go back once more; counts judgements."""
        if self.first is None or self.setbacks >= SETBACKS:
            return False
        before, below = self.below, agree(standing(iteration, scalars).rate < self.first.rate - UNLEARNED)
        self.below = before + 1 if below else 0
        if self.below != before:
            self._write()
        return self.below >= PATIENCE

    def go_back(self, learner: Learner, iteration: int) -> TrainState:
        """The best state, from which to learn on in smaller steps, counting iterations on."""
        self.setbacks, self.below = self.setbacks + 1, 0
        self._write()
        state = self._states.restore(None, learner.shapes())
        return replace(state, iteration=state.iteration * 0 + iteration)

    def _write(self) -> None:
        if leads() and self.first and self.best:
            counts = {"setbacks": self.setbacks, "below": self.below}
            write_json(self._file, {"first": asdict(self.first), "best": asdict(self.best), **counts})


def slowed(learner: Learner, setbacks: int) -> Learner:
    """The learner with smaller steps of its actor, after so many setbacks."""
    ppo, factor = learner.algorithm, SLOWER**setbacks
    if not isinstance(ppo, Ppo) or not setbacks:
        return learner
    kl = None if ppo.target_kl is None else factor * ppo.target_kl
    return replace(learner, algorithm=replace(ppo, actor_learning_rate=factor * ppo.actor_learning_rate, target_kl=kl))


def load_best(run: RunDir, learner: Learner, older: OlderPaths) -> TrainState | None:
    """The best judged state, None in runs that kept none."""
    with Checkpoints(run.path / "best", keep=1) as states:
        return None if states.latest() is None else states.restore(None, learner.shapes(), older)
