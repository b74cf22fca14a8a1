"""An evaluation as text: a row a metric, a column a setting, and whether the policy is worth more than a replay."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from devi_jax.evaluation.grades import NOISE
from devi_jax.evaluation.metrics import rate_name

PAPER_ROW = {"mpjpe_body_mm": 29.7, "mpjpe_hand_mm": 22.2, "mpjpe_all_mm": 25.4, "t_root_mm": 40.0, "t_obj_mm": 21.4}
"""DeVI's own row of its Table 1 (first line), printed beside ours; other clips, so for orientation only."""

ROWS = (
    ("success: < 0.2 m, object lifted and left right", "success", ""),
    ("placed: on its target where the clip has it", "placed", ""),
    ("parity: MPJPE < 26 mm, T_obj < 22 mm", "parity", ""),
    ("success, paper: MPJPE and T_obj < 0.2 m", "success_paper", ""),
    ("success, Table 3: < 0.1 m, < 0.1 m, < 0.9 rad", "success_tight", ""),
    ("success, InterMimic", "success_intermimic", ""),
    ("duration", "duration_s", "s"),
    ("MPJPE body", "mpjpe_body_mm", "mm"),
    ("MPJPE hand", "mpjpe_hand_mm", "mm"),
    ("MPJPE all", "mpjpe_all_mm", "mm"),
    ("MPJPE all, root-relative", "mpjpe_all_root_relative_mm", "mm"),
    ("T_root", "t_root_mm", "mm"),
    ("T_obj", "t_obj_mm", "mm"),
    ("T_obj at the end", "t_obj_end_mm", "mm"),
    ("O_obj", "o_obj_rad", "rad"),
    ("lift over reference", "lift_ratio", ""),
    ("height change at the end over reference", "end_ratio", ""),
    ("contact frames in contact", "contact_share", ""),
    ("reward", "reward", ""),
)
"""Label, score and unit."""

_WIDTHS = (10, 12, 10, 10, 10, 10)


def table(result: dict[str, Any]) -> str:
    """The content of `evaluation.json` as a text table with its verdict; replays and policy stand apart."""
    around = next((name for name in ("plan", "follow") if name in result), None)
    plan, reference, nothing = result.get(around or ""), result["reference"], result.get("nothing")
    head = f"{'':48}" + _line(("policy", "perturbed", around or "plan", "replay", "nothing", "paper*"))
    lines = [head, "-" * len(head)]
    for label, key, unit in ROWS:
        cells = (
            result["exact"].get(key),
            result["perturbed"].get(rate_name(key)),
            plan and plan["exact"].get(key),
            reference["exact"].get(key),
            nothing and nothing["exact"].get(key),
            PAPER_ROW.get(key),
        )
        lines.append(f"{f'{label} [{unit}]' if unit else label:48}" + _line(map(_cell, cells)))
    lines += _graded(result, around)
    lines.append(
        f"clip {result['clip']}, root {result['root']}, engine {result['engine']}; plan, follow, replay: targets "
        "without a policy; nothing: the first pose held; * DeVI's Table 1, other clips"
    )
    if unmoved := result["perturbed"].get("unmoved"):
        lines.append(f"in {unmoved} easy starts the object stands where the clip has it: nowhere else nearby is free")
    if result.get("trivial"):
        lines.append("TRIVIAL: replay, or doing nothing, passes most easy starts; success says nothing of the policy")
    return "\n".join([*lines, *_online(result.get("online")), *_truth(result.get("truth")), *verdicts(result)])


def _graded(result: dict[str, Any], around: str | None) -> list[str]:
    """Rates of success by grade of perturbation, by each of its causes alone, in other models, under a little noise."""
    lines = []
    rows = [(f"success, {n}, of {g['starts']} starts", g["success"]) for n, g in result["grades"].items()]
    rows += [(f"  {name} alone, of {cause['starts']}", cause["success"]) for name, cause in result["causes"].items()]
    rows += [(f"  {name}, of {m['starts']}", m["success"]) for name, m in result.get("models", {}).items()]
    noisy = {name: scores["success_rate"] for name, scores in result["noisy"].items()}
    rows.append((f"  noise of {NOISE.joint_rad} rad on the joint targets", noisy))
    for label, rate in rows:
        sides = (rate.get("policy"), "", rate.get(around or ""), rate.get("reference"), rate.get("nothing"))
        lines.append(f"{label:48}" + _line(side if side == "" else _cell(side) for side in sides))
    low, high = result["grades"]["hard"]["interval"]["policy"]
    lines.append(f"the policy's 95 % interval: hard {low:.2f} to {high:.2f}")
    return lines


def _online(scores: dict[str, Any] | None) -> list[str]:
    """The planner online, which is told what no policy is told, and so has a line of its own."""
    if scores is None:
        return []
    rate, joints, thing = (scores.get(key) for key in ("success_rate", "mpjpe_all_mm", "t_obj_mm"))
    return [
        f"planner online from {scores['rollouts']} perturbed starts, no pushes, mass and friction known: success "
        f"{_cell(rate)}, MPJPE {_cell(joints)} mm, T_obj {_cell(thing)} mm"
    ]


def _truth(scores: dict[str, Any] | None) -> list[str]:
    """The policy by a clip that it did not imitate."""
    if scores is None:
        return []
    exact, rate = scores["exact"], scores["perturbed"]["success_rate"]
    return [
        f"by the truth {scores['clip']}: success {_cell(exact['success'])}, {_cell(rate)} of perturbed starts; MPJPE "
        f"{_cell(exact['mpjpe_all_mm'])} mm, T_obj {_cell(exact['t_obj_mm'])} mm, lift {_cell(exact['lift_ratio'])}, "
        f"height at the end {_cell(exact['end_ratio'])} of its"
    ]


def side_by_side(results: Mapping[str, dict[str, Any]]) -> str:
    """Evaluations of several policies of one clip: a line for each, and one for their median."""
    scores = {name: {**r["perturbed"], **r["exact"]} for name, r in results.items()}
    heads = {"success": "success", "success_rate": "perturbed", "mpjpe_all_mm": "MPJPE mm", "t_obj_mm": "T_obj mm"}
    lines = [f"{'':12}" + _line(heads.values())]
    lines += [f"{name:12}" + _line(_cell(own.get(key)) for key in heads) for name, own in scores.items()]
    known = {key: [own[key] for own in scores.values() if own.get(key) is not None] for key in heads}
    middle = [_cell(median(map(float, values))) if values else "-" for values in known.values()]
    return "\n".join([*lines, f"{'median':12}" + _line(middle)])


def verdicts(result: dict[str, Any]) -> list[str]:
    """One sentence for each replay that the policy was compared with under perturbation."""
    names = {"plan": "the plan", "follow": "targets that follow", "reference": "the replay", "nothing": "doing nothing"}
    out = []
    compared = [
        (f"{grade} starts", side, told)
        for grade in result["grades"]
        for side, told in result["grades"][grade]["versus"].items()
    ]
    for starts, name, told in compared:
        words = {"better": "BEATS", "worse": "is WORSE than", "no different": "is NO DIFFERENT from"}[told["verdict"]]
        alone = f"{told['policy_only']} only by the policy, {told['other_only']} only by the other"
        out.append(
            f"from {starts} the policy {words} {names[name]}: {told['policy']:.0%} against {told['other']:.0%}"
            f" ({alone}, p = {told['p']:.2g})"
        )
    return out


def _line(cells) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=False))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
