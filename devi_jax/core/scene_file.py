"""A scene as a user writes it: a human, a support, things by the name of their model, a sentence. JSON, by hand.

What is simulated follows from it (`core.scene`). Metres, z up; the human stands at the origin facing +y, left is -x.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from devi_jax.core import rotations as rot
from devi_jax.core.errors import SceneError, did_you_mean
from devi_jax.core.scene import Table
from devi_jax.core.skeleton import JOINTS

Role = Literal["manipulated", "target", "prop"]


@dataclass(frozen=True)
class SceneHuman:
    """Who stands there, and how.

    `appearance`: a name that the renderer knows. `position` (x, y) metres of the pelvis over the floor; `yaw_deg` turns
    counter-clockwise seen from above, 0 faces +y. `pose`: rotation vectors (3,) in radians of joints that differ from
    the relaxed stand. `shape`: scale of the bundled body, or the path of an SMPL-X body.
    """

    appearance: str = "casual"
    position: tuple[float, float] = (0.0, 0.0)
    yaw_deg: float = 0.0
    pose: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    shape: float | str = 1.0


@dataclass(frozen=True)
class Thing:
    """One thing in the scene.

    `model`: a name of the catalogue, the path of an .obj, .glb or .stl, or "package:name". `material`: a name of the
    materials table, the model's own where empty. `position`: (x, y) stands on the support, (x, y, z) puts the model's
    origin there. It is turned by `rotation` (wxyz) first, then by `yaw_deg` about the vertical. `scale` multiplies the
    model's lengths. `mass_kg`: by default as model and material have it.
    """

    name: str
    model: str
    material: str = ""
    position: tuple[float, ...] = (0.0, 0.35)
    yaw_deg: float = 0.0
    rotation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    scale: float = 1.0
    mass_kg: float | None = None
    role: Role = "manipulated"

    @property
    def orientation(self) -> np.ndarray:
        """Rotation in the world, wxyz (4,)."""
        yaw = rot.quat_about_z(np.asarray(np.radians(self.yaw_deg)))
        return rot.quat_mul(yaw, rot.quat_normalise(np.array(self.rotation)))


@dataclass(frozen=True)
class SceneFile:
    """A scene: exactly one thing is `manipulated`; without a table things stand on the floor."""

    name: str
    human: SceneHuman = SceneHuman()
    table: Table | None = None
    things: tuple[Thing, ...] = ()
    prompt: str = ""

    @property
    def manipulated(self) -> Thing:
        """The thing that hands move."""
        return next(thing for thing in self.things if thing.role == "manipulated")

    @property
    def others(self) -> tuple[Thing, ...]:
        """Targets and props, in their order."""
        return tuple(thing for thing in self.things if thing.role != "manipulated")

    def thing(self, name: str, where: str = "things") -> Thing:
        """The thing called `name`; raises `SceneError` that lists what there is."""
        for thing in self.things:
            if thing.name == name:
                return thing
        names = [thing.name for thing in self.things]
        raise SceneError(
            f"there is no '{name}' in the scene '{self.name}'{did_you_mean(name, names)}",
            where=where,
            valid=", ".join(names),
        )

    def validate(self, where: str = "scene") -> None:
        """Raise `SceneError` unless names, numbers and roles make a scene."""
        if not self.name:
            raise SceneError("the scene has no name", where=f"{where}.name", valid="a word")
        if self.table is not None:
            self.table.validate(f"{where}.table")
        _check_human(self.human, f"{where}.human")
        for i, thing in enumerate(self.things):
            _check_thing(thing, f"{where}.things[{i}]")
        names = [thing.name for thing in self.things]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SceneError(f"two things are called '{twice[0]}'", where=f"{where}.things", valid="a name for each")
        moved = [thing.name for thing in self.things if thing.role == "manipulated"]
        if len(moved) != 1:
            raise SceneError(
                f"{len(moved) or 'no'} things are manipulated" + (f": {', '.join(moved)}" if moved else ""),
                where=f"{where}.things",
                valid="exactly one thing with role manipulated, others with role target or prop",
            )


def scene_file_to_json(setup: SceneFile) -> dict[str, Any]:
    """The setup as JSON types; what has its default value is left out."""
    out = {**_spoken(setup, ("human", "table", "things")), "human": _spoken(setup.human)}
    if setup.table is not None:
        out["table"] = asdict(setup.table)
    out["things"] = [_spoken(thing) for thing in setup.things]
    return out


def scene_file_from_json(data: Any, where: str) -> SceneFile:
    """Inverse of `scene_file_to_json`. Raises `SceneError` naming an unknown, missing or mistyped field."""
    _check_fields(data, SceneFile, where)
    for key, kind in (("human", SceneHuman), ("table", Table)):
        if data.get(key) is not None:
            _check_fields(data[key], kind, f"{where}: {key}")
    for i, thing in enumerate(data.get("things", ()) if isinstance(data.get("things"), list) else ()):
        _check_fields(thing, Thing, f"{where}: things[{i}]")
    try:
        setup = TypeAdapter(SceneFile).validate_json(json.dumps(data), strict=True)
    except (ValidationError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        raise SceneError(
            f"the scene is not readable: {first['msg']}",
            where=f"{where}: {'.'.join(str(p) for p in first['loc'])}",
            valid="a value of the field's type",
        ) from error
    setup.validate(where)
    return setup


def _spoken(value: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields of a dataclass that differ from their default."""
    mine = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in without}
    usual = {f.name: f.default_factory() if callable(f.default_factory) else f.default for f in fields(value)}
    return json.loads(json.dumps({key: item for key, item in mine.items() if item != usual[key]}))


def _check_fields(data: Any, kind: type, where: str) -> None:
    """Raise unless `data` is an object with the dataclass's fields only; a misspelt one must not become a default."""
    known = [f.name for f in fields(kind)]
    if not isinstance(data, dict):
        raise SceneError(f"this is no JSON object but {data!r:.60}", where=where, valid=", ".join(known))
    for key in data:
        if key not in known:
            raise SceneError(f"unknown field '{key}'{did_you_mean(key, known)}", where=where, valid=", ".join(known))


def _check_human(human: SceneHuman, where: str) -> None:
    unknown = [joint for joint in human.pose if joint not in JOINTS]
    if unknown:
        raise SceneError(
            f"unknown joint '{unknown[0]}'{did_you_mean(unknown[0], JOINTS)}",
            where=f"{where}.pose",
            valid=f"joints of SMPL-X: {', '.join(JOINTS[:22])}, ...",
        )
    numbers = [*human.position, human.yaw_deg, *(x for rotvec in human.pose.values() for x in rotvec)]
    if not np.isfinite(numbers).all():
        raise SceneError("a number is not finite", where=where, valid="metres, degrees, radians")
    if not isinstance(human.shape, str) and not 0.5 <= human.shape <= 1.5:
        raise SceneError(
            f"a body of scale {human.shape} is no grown or half-grown human",
            where=f"{where}.shape",
            valid="0.5 to 1.5, or the path of an SMPL-X body",
        )


def _check_thing(thing: Thing, where: str) -> None:
    if not thing.name or not thing.name.replace("_", "").replace("-", "").isalnum():
        raise SceneError(
            f"a thing cannot be called '{thing.name}'", where=f"{where}.name", valid="letters, digits, _ -"
        )
    if not thing.model:
        raise SceneError(
            f"'{thing.name}' has no model",
            where=f"{where}.model",
            valid="a name of the catalogue, a path, or package:name",
        )
    if len(thing.position) not in (2, 3) or not np.isfinite([*thing.position, thing.yaw_deg]).all():
        raise SceneError(
            f"'{thing.name}' cannot be at {thing.position}, turned by {thing.yaw_deg} degrees",
            where=f"{where}.position",
            valid="(x, y) on the support, or (x, y, z), in metres",
        )
    if not np.isfinite(thing.rotation).all() or np.linalg.norm(thing.rotation) < 0.5:
        raise SceneError(
            f"'{thing.name}' cannot be turned by {thing.rotation}",
            where=f"{where}.rotation",
            valid="a unit quaternion, w first",
        )
    if not 0 < thing.scale < 1e4 or not (thing.mass_kg is None or 0 < thing.mass_kg < 1e4):
        raise SceneError(
            f"'{thing.name}' has scale {thing.scale} and mass {thing.mass_kg}",
            where=where,
            valid="a positive scale; mass_kg positive or left out",
        )
