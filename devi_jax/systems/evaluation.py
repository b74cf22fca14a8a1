"""How well a policy imitates its clip: from the exact start, from perturbed starts, and beside open-loop replay."""

from dataclasses import asdict
from typing import Any

import jax
import numpy as np

from devi_jax.systems.assemble import Assembly
from devi_jax.systems.metrics import score, summary
from devi_jax.systems.rollouts import Perturbation, Policy, Rollouts, roll, zero_policy
from envs.physics import CONTROL_HZ

ROLLOUTS = 64
"""Perturbed rollouts of one evaluation."""

PAPER_ROW = {"mpjpe_body_mm": 29.7, "mpjpe_hand_mm": 22.2, "mpjpe_all_mm": 25.4, "t_root_mm": 40.0, "t_obj_mm": 21.4}
"""DeVI's own row of its Table 1 (first line), printed beside ours; other clips, so for orientation only."""


def evaluate(
    assembly: Assembly, policy: Policy, seed: int = 0, count: int = ROLLOUTS
) -> tuple[dict[str, Any], Rollouts]:
    """The content of `evaluation.json`, and the exact rollout for a film.

    `exact`: deterministic policy from frame 0. `perturbed`: `count` disturbed rollouts. `reference`: what zero action
    scores by itself, which in residual mode replays the reference: it is no policy, and never reported as one.
    """
    environment, reference = assembly.environment, assembly.environment.reference
    scores, exact = evaluate_exact(assembly, policy, seed)
    perturbation = Perturbation()
    perturbed = roll(environment, policy, jax.random.key(seed + 1), count, perturbation)
    result = {
        "clip": assembly.clip.name,
        "frames": reference.frames,
        "root": environment.physics.scene.root,
        "engine": environment.physics.engine,
        "exact": scores,
        "perturbed": {
            **summary(score(perturbed, reference, CONTROL_HZ)),
            "perturbation": asdict(perturbation),
        },
        "reference": evaluate_exact(assembly, zero_policy(), seed)[0],
    }
    return result, exact


def evaluate_exact(assembly: Assembly, policy: Policy, seed: int = 0) -> tuple[dict[str, Any], Rollouts]:
    """Scores of one rollout from the exact start, and the rollout itself."""
    exact = roll(assembly.environment, policy, jax.random.key(seed))
    first = score(exact, assembly.environment.reference, CONTROL_HZ)[0]
    return {**asdict(first), "reward": float(np.asarray(exact.reward)[1:].mean())}, exact


def table(result: dict[str, Any]) -> str:
    """The evaluation as a text table: a row a metric, a column a setting."""
    rows = [
        ("success, MPJPE < 0.2 m and T_obj < 0.2 m", "success_paper", ""),
        ("success, Table 3: < 0.1 m, < 0.1 m, < 0.9 rad", "success_tight", ""),
        ("success, InterMimic", "success_intermimic", ""),
        ("duration", "duration_s", "s"),
        ("MPJPE body", "mpjpe_body_mm", "mm"),
        ("MPJPE hand", "mpjpe_hand_mm", "mm"),
        ("MPJPE all", "mpjpe_all_mm", "mm"),
        ("MPJPE all, root-relative", "mpjpe_all_root_relative_mm", "mm"),
        ("T_root", "t_root_mm", "mm"),
        ("T_obj", "t_obj_mm", "mm"),
        ("O_obj", "o_obj_rad", "rad"),
        ("lift over reference", "lift_ratio", ""),
        ("contact frames in contact", "contact_share", ""),
        ("reward", "reward", ""),
    ]
    head = f"{'':46}{'policy':>12}{'perturbed':>12}{'replay':>12}{'paper*':>10}"
    lines = [head, "-" * len(head)]
    for label, key, unit in rows:
        perturbed = result["perturbed"].get(key.replace("success_", "success_rate_"))
        cells = [result["exact"].get(key), perturbed, result["reference"].get(key), PAPER_ROW.get(key)]
        name = f"{label} [{unit}]" if unit else label
        lines.append(f"{name:46}" + "".join(f"{_cell(c):>{w}}" for c, w in zip(cells, (12, 12, 12, 10), strict=True)))
    count = result["perturbed"]["rollouts"]
    lines.append(
        f"clip {result['clip']}, root {result['root']}, engine {result['engine']}; perturbed: {count} rollouts;"
        " replay: the reference open loop, no policy; * DeVI's Table 1, other clips"
    )
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
