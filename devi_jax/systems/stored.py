"""A system as JSON and back: the values of its leaves, over the rows and functions of the system of that name.

No file names code: a row's function is the one that the named system has in that row.
"""

import copy
import math
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from devi_jax.core.errors import RunError
from devi_jax.systems.registry import SYSTEMS, make_system
from devi_jax.systems.system import System

ADDED: dict[str, Any] = {
    "embodiment": "human",
    "arm_reference": "grip",
    "action.scale.gripper": 0.02,
    "timing.control_hz": 30.0,
    "timing.policy_hz": 30.0,
    "timing.physics_hz": 0.0,
    "randomization.push_m_s": 0.0,
    "randomization.joint_rad": 0.0,
    "planner.conditions.push_m_s": 0.0,
    "planner.conditions.joint_rad": 0.0,
    "resets.displace": "all",
    "planner.search.assist": 0.0,
    "planner.rank": "success",
    "network.precision": "float32",
    "network.log_std_range": math.inf,
    "ppo.normalise_value": False,
    "ppo.exploration_range": [1.0, 1.0],
    "action.zero": "t_pose",
    "exploration": {part: 0.0 for part in ("finger", "wrist", "arm", "spine", "leg", "gripper")},
    "controllers.ground_reaction.rate": 0.0,
    "controllers.object_following": {"on": False, "fade": True},
    "goal.joints.on": True,
    "goal.object.on": False,
    "goal.reference.on": False,
    "terminations.pelvis_height.bound": -math.inf,
    "terminations.object_distance.bound": math.inf,
    "terminations.interaction.bound": math.inf,
    "terminations.steps_without_contact.bound": math.inf,
    "curriculum.clips": "evenly",
    "observations.actor.human": {"noise": 0.0, "history": 1},
    "observations.actor.object": {"noise": 0.0, "history": 1},
    "observations.critic": {},
    "rewards.object_size": {"shape": "exponential", "sharpness": 0.0, "weight": 0.0},
    "rewards.object_second_view": {"shape": "exponential", "sharpness": 0.0, "weight": 0.0},
}
"""Fields that files of older versions lack, and what those runs did without them."""
_YOUNG = (
    "observations",
    "goal",
    "timing",
    "embodiment",
    "arm_reference",
    "exploration",
)  # younger than files that are still read

RENAMED: dict[str, str] = {
    "ppo.actor_rate": "ppo.actor_learning_rate",
    "ppo.critic_rate": "ppo.critic_learning_rate",
    "ppo.average": "ppo.actor_ema",
    "planner.search.knot": "planner.search.knot_spacing",
    "planner.search.floor": "planner.search.min_std",
    "environment.action.reach": "action.scale",
    "environment.action.mode": "action.mode",
    "environment.action.joints": "action.joints",
    "environment.action.balance": "controllers.ankle_balance.gain",
    "environment.action.balance_damping": "controllers.ankle_balance.damping",
    "environment.action.footing": "controllers.ground_reaction.rate",
    "environment.action.feedforward": "controllers.feedforward.on",
    "environment.action.squeeze_rad": "controllers.grasp_closure.angle_rad",
    "environment.action.press_n": "controllers.palm_force.force_n",
    "environment.reset.disturbance": "randomization",
    "environment.reset.planned": "resets.plan_states",
    "environment.reset.own": "resets.visited",
    "environment.reset": "resets",
    "environment.termination.mean_m": "terminations.body_mean.bound",
    "environment.termination.any_m": "terminations.body_any.bound",
    "environment.termination.tips_m": "terminations.fingertips.bound",
    "environment.termination.pixels": "terminations.object_pixels.bound",
    "environment.termination.pelvis_m": "terminations.pelvis_height.bound",
    "environment.termination.object_m": "terminations.object_distance.bound",
    "environment.termination.interaction": "terminations.interaction.bound",
    "environment.termination.silent_steps": "terminations.steps_without_contact.bound",
    "environment.curriculum.leniency": "curriculum.termination_scale",
    "environment.curriculum.tighten": "curriculum.decay",
    "environment.curriculum": "curriculum",
    "environment.goal_offsets": "goal_frames",
    "environment.goal_object": "goal.object.on",
    "environment.object_points": "object_points.count",
    "environment.seed": "object_points.seed",
}
"""Fields of older files, and flags of older versions, and what they are called now."""


def to_json(system: System) -> dict[str, Any]:
    """The values of a system as JSON types; infinities, which JSON has no numbers for, as words."""
    return _plain(system)


def from_json(data: Any, where: str) -> System:
    """Inverse of `to_json`; what was `RENAMED` or `ADDED` since has its old meaning.

    Raises `RunError` naming the field that does not fit, is unknown, or is missing.
    """
    name = data.get("name") if isinstance(data, dict) else None
    if name not in SYSTEMS:
        raise _misfit(f"there is no system {name}", "name", where)
    base = make_system(name)
    return _over(base, _with_added(_with_renamed(data), base), "", where)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if not _is_code(value, f.name)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _worded(value)


def _worded(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _is_code(row: Any, name: str) -> bool:
    """Whether a field of a row belongs to the code, not to its values: its function, and the side of a bound."""
    return callable(getattr(row, name)) or name == "side"


def _over(base: Any, data: Any, path: str, where: str) -> Any:
    """`base` with all of its values taken from `data`."""
    if isinstance(base, dict):
        _check_names(set(base), data, path, where)
        return {key: _over(item, data[key], f"{path}{key}.", where) for key, item in base.items()}
    kinds, names = get_type_hints(type(base)), [f.name for f in fields(base)]
    code = {n: getattr(base, n) for n in names if _is_code(base, n)}
    _check_names(set(names) - set(code), data, path, where)
    values = {}
    for name in (n for n in names if n not in code):
        old, at = getattr(base, name), f"{path}{name}"
        nested = is_dataclass(old) or isinstance(old, dict)
        values[name] = _over(old, data[name], f"{at}.", where) if nested else _leaf(kinds[name], data[name], at, where)
    return type(base)(**code, **values)


def _leaf(kind: Any, value: Any, path: str, where: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise _misfit(first["msg"], ".".join([path, *(str(p) for p in first["loc"])]), where) from error


def _check_names(wanted: set[str], data: Any, path: str, where: str) -> None:
    # a field of another version must not become a default unseen
    if not isinstance(data, dict):
        raise _misfit("not a table", path.rstrip("."), where)
    if different := sorted(wanted ^ data.keys()):
        raise _misfit("a field is unknown or missing", path + different[0], where)


def _with_renamed(data: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(data)
    for old, new in RENAMED.items():
        *parents, last = old.split(".")
        node: Any = data
        for name in parents:
            node = node.get(name) if isinstance(node, dict) else None
        if isinstance(node, dict) and last in node:
            _put(data, new, node.pop(last))
    old = data.get("environment")
    if isinstance(old, dict) and all(part == {} for part in old.values()):
        del data["environment"]
    return data


def _with_added(data: dict[str, Any], base: System) -> dict[str, Any]:
    for path, value in ADDED.items():
        # a table that a file lacks as a whole was lost, unless it is younger than the file
        if path.split(".")[0] in (*data, *_YOUNG) and _has(base, path):
            _put(data, path, copy.deepcopy(_worded(value)))
    rows = data.get("rewards")
    for name, row in rows.items() if isinstance(rows, dict) else ():
        if isinstance(row, dict) and name in base.rewards:
            row.setdefault("shape", base.rewards[name].shape)
    seen = data.get("observations")
    for table in (*(seen.values() if isinstance(seen, dict) else ()), data.get("goal")):
        for row in table.values() if isinstance(table, dict) else ():
            if isinstance(row, dict):
                row.setdefault("when", "always")
    return data


def _has(base: System, path: str) -> bool:
    """Whether a system has a field: its tables need not have the rows of others."""
    node: Any = base
    for name in path.split("."):
        if not (name in node if isinstance(node, dict) else hasattr(node, name)):
            return False
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    return True


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a path where nothing is, making tables on the way."""
    *parents, last = path.split(".")
    node: Any = data
    for name in parents:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            return
    if isinstance(value, dict) and isinstance(node.get(last), dict):
        node[last] = {**value, **node[last]}
    else:
        node.setdefault(last, value)


def _misfit(what: str, field: str, where: str) -> RunError:
    return RunError(
        f"the stored configuration does not fit this version: {what}",
        where=f"{where}: system.{field}",
        valid="a config.json written by the same version",
        fix="train again, or check out the commit named in config.json",
    )
