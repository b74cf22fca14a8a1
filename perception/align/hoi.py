"""Visual HOI alignment (DeVI 4.2, Eq. 10-14, A.6): upper body and hands moved until they agree with the video and
reach the object. All frames at once, by Adam, on corrections `R exp(w)` of the estimator's rotations.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from devi_jax.core import rotations as rot
from devi_jax.core.errors import ClipError, ConfigError
from perception.align.calibrate import calibrate
from perception.align.config import AlignConfig
from perception.align.objective import AlignmentProblem, corrected, make_problem, weighted_terms
from perception.human.evidence import Evidence
from perception.human.motion import SkeletonMotion
from perception.human.one_thread import one_thread


@dataclass(frozen=True)
class AlignmentRecord:
    """How an alignment went. `losses`: weighted value of each term at each step (S,). `stopped`: by what."""

    losses: dict[str, np.ndarray]
    steps: int
    seconds: float
    stopped: str


def align_hoi(
    motion: SkeletonMotion,
    evidence: Evidence,
    config: AlignConfig | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> tuple[SkeletonMotion, AlignmentRecord]:
    """The motion after visual HOI alignment, and what it took.

    Args:
        motion: in the world, first frame aligned.
        evidence: 2D joints, camera, and optionally the scene's first pose and the object to be touched.
        config: weights and options.
        progress: called with step and total after each step.

    Raises:
        ConfigError: the configuration has no meaning, or the motion is not in the world.
        ClipError: the motion or a part of the evidence is not usable.
    """
    config = config or AlignConfig()
    config.validate()
    motion.validate()
    evidence.validate(motion.frames)
    if motion.frames < 2:
        raise ClipError("one frame is no motion", where="align_hoi", valid="two frames or more")
    if motion.frame != "world_zup":
        raise ConfigError(
            "the motion is in the camera's frame", where="align_hoi", valid="the world: align_first_frame"
        )
    start = time.perf_counter()
    problem = make_problem(motion, calibrate(evidence, config.calibrate_frames), config)
    with one_thread():
        tangent, history, stopped = _descend(problem, config, progress)
    record = AlignmentRecord(history, len(history["body"]), time.perf_counter() - start, stopped)
    note = {"steps": record.steps, "stopped": stopped, "config": asdict(config)}
    moved = rot.matrix_to_quat(corrected(problem, tangent).double().numpy())
    return (
        replace(
            motion,
            rotations=moved,
            root=problem.root.double().numpy(),
            provenance={**motion.provenance, "align_hoi": note},
        ),
        record,
    )


def _descend(
    problem: AlignmentProblem, config: AlignConfig, progress: Callable[[int, float], None] | None
) -> tuple[Tensor, dict[str, np.ndarray], str]:
    """Corrections (T, V, 3) after Adam without decay (A.6), each term's history, and why it stopped."""
    tangent = torch.zeros((len(problem.local), len(problem.moving), 3), requires_grad=True)
    adam = torch.optim.Adam([tangent], lr=config.learning_rate, eps=config.epsilon)
    history: dict[str, list[float]] = {}
    totals: list[float] = []
    stopped = "steps"
    for step in range(config.iterations):
        adam.zero_grad()
        parts = weighted_terms(problem, tangent, config)
        total = torch.stack(list(parts.values())).sum()
        total.backward()
        adam.step()
        for name, value in parts.items():
            history.setdefault(name, []).append(float(value.detach()))
        totals.append(float(total.detach()))
        if progress is not None:
            progress(step, totals[-1])
        if _settled(totals, config):
            stopped = "settled"
            break
    return tangent.detach(), {name: np.array(values) for name, values in history.items()}, stopped


def _settled(totals: list[float], config: AlignConfig) -> bool:
    n = config.patience
    if config.tolerance == 0 or len(totals) < 2 * n:
        return False
    before, now = np.mean(totals[-2 * n : -n]), np.mean(totals[-n:])
    return bool(before - now < config.tolerance * before)
