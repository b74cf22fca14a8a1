"""What stands in a scene, as plain data: a support, an object, props. Travels inside a clip; `envs.physics` builds it.

World: metres, z up; the human stands at the origin facing +y (DeVI A.1).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.skeleton import JOINTS

Shape = Literal["box", "sphere", "can", "mesh"]


@dataclass(frozen=True)
class Table:
    """A box standing on the floor: `centre` (x, y) and `size` (x, y, z) in metres. Defaults: DeVI A.1."""

    centre: tuple[float, float] = (0.0, 0.4)
    size: tuple[float, float, float] = (1.0, 0.5, 0.8)

    def validate(self, where: str = "table") -> None:
        """Raise `SceneError` unless it is a box of positive, finite size."""
        whole = len(self.centre) == 2 and len(self.size) == 3
        if not whole or not np.isfinite(self.centre).all() or not all(0 < s < 100 for s in self.size):
            raise SceneError(
                f"a table cannot stand at {self.centre} with size {self.size}",
                where=where,
                valid="centre (x, y) and three positive edge lengths in metres",
            )


@dataclass(frozen=True)
class Mesh:
    """Triangle mesh in the object's own frame: `vertices` (V, 3) metres, `faces` (F, 3)."""

    vertices: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True)
class ObjectSpec:
    """The manipulated object.

    `size` in metres: box (x, y, z) edge lengths, sphere (radius,), can (radius, height); empty for a mesh.
    """

    shape: Shape = "can"
    size: tuple[float, ...] = (0.033, 0.12)
    mass_kg: float = 0.3
    friction: float = 1.0
    mesh: Mesh | None = None

    def validate(self, where: str = "object") -> None:
        """Raise `SceneError` unless shape, size, mass and mesh fit together."""
        wanted = {"box": 3, "sphere": 1, "can": 2, "mesh": 0}
        if self.shape not in wanted:
            raise SceneError(f"unknown object shape '{self.shape}'", where=where, valid=", ".join(wanted))
        if len(self.size) != wanted[self.shape] or not all(0 < s < 100 for s in self.size):
            raise SceneError(
                f"a {self.shape} cannot have size {self.size}",
                where=f"{where}.size",
                valid="box: 3 edge lengths, sphere: 1 radius, can: radius and height, mesh: none; positive metres",
            )
        if not 0 < self.mass_kg < 1e4 or not 0 <= self.friction < 100:
            raise SceneError(
                f"mass {self.mass_kg} kg or friction {self.friction} is not physical",
                where=where,
                valid="mass_kg in (0, 10000), friction in [0, 100)",
            )
        if self.shape == "mesh":
            self._validate_mesh(where)

    def _validate_mesh(self, where: str) -> None:
        if self.mesh is None:
            raise SceneError(
                "the object is a mesh but the clip holds none",
                where=f"{where}.mesh",
                valid="arrays object_mesh_vertices (V, 3) and object_mesh_faces (F, 3)",
                fix="python -m devi_jax.clips convert SOURCE --mesh=OBJECT.obj --out=CLIP.npz",
            )
        v, f = self.mesh.vertices, self.mesh.faces
        if f.dtype.kind not in "iu":
            raise SceneError(f"mesh faces are of type {f.dtype}", where=f"{where}.mesh", valid="integers")
        if v.ndim != 2 or v.shape[1] != 3 or f.ndim != 2 or f.shape[1] != 3 or len(v) < 4 or len(f) < 4:
            raise SceneError(f"mesh has shapes {v.shape} and {f.shape}", where=f"{where}.mesh", valid="(V, 3), (F, 3)")
        if not np.isfinite(v).all() or f.min() < 0 or f.max() >= len(v):
            raise SceneError("mesh has a vertex that is not finite or a face without vertex", where=f"{where}.mesh")


@dataclass(frozen=True)
class Prop:
    """A further thing that is free to move. `pose` (7,): position and wxyz; `role`: `target` where the manipulated
    object is poured into it or placed upon it."""

    name: str
    object: ObjectSpec
    pose: tuple[float, ...]
    role: Literal["target", "prop"] = "prop"

    def validate(self, where: str = "prop") -> None:
        """Raise `SceneError` unless it has a name of its own, a pose, and a sound object."""
        if not self.name or self.name in ("floor", "table", *JOINTS) or self.name.startswith("object"):
            raise SceneError(
                f"a prop cannot be called '{self.name}'",
                where=f"{where}.name",
                valid="a word that names no joint, not floor, not table, and does not begin with object",
            )
        if len(self.pose) != 7 or not np.isfinite(self.pose).all() or abs(np.linalg.norm(self.pose[3:]) - 1) > 1e-2:
            raise SceneError(
                f"'{self.name}' has the pose {self.pose}",
                where=f"{where}.pose",
                valid="seven numbers: position in metres and a unit quaternion, w first",
            )
        if self.role not in ("target", "prop"):
            raise SceneError(f"'{self.name}' has the role '{self.role}'", where=f"{where}.role", valid="target, prop")
        self.object.validate(f"{where}.object")


@dataclass(frozen=True)
class SceneSpec:
    """Support, the manipulated object, and props of one clip; any may be absent."""

    table: Table | None = None
    object: ObjectSpec | None = None
    props: tuple[Prop, ...] = ()

    @property
    def prop_poses(self) -> np.ndarray:
        """Where the props stand at first, one after the other (7 * props,)."""
        return np.array([x for prop in self.props for x in prop.pose], float)

    @property
    def target(self) -> Prop | None:
        """The thing that the object is brought to, if there is one."""
        return next((prop for prop in self.props if prop.role == "target"), None)

    def validate(self, where: str = "scene") -> None:
        """Raise `SceneError` unless every part is sound and props have different names."""
        if self.table is not None:
            self.table.validate(f"{where}.table")
        if self.object is not None:
            self.object.validate(f"{where}.object")
        for i, prop in enumerate(self.props):
            prop.validate(f"{where}.props[{i}]")
        names = [prop.name for prop in self.props]
        if len(set(names)) < len(names):
            raise SceneError(f"props share a name: {', '.join(names)}", where=f"{where}.props", valid="a name for each")


def scene_to_json(scene: SceneSpec) -> dict[str, Any]:
    """The scene without mesh arrays, as JSON types; the arrays travel beside it in the clip file."""
    out: dict[str, Any] = {"table": asdict(scene.table) if scene.table else None, "object": None}
    if scene.object:
        out["object"] = _object_to_json(scene.object)
    if scene.props:
        out["props"] = [
            {
                "name": prop.name,
                "object": _object_to_json(prop.object),
                "pose": [float(x) for x in prop.pose],
                **({"role": prop.role} if prop.role != "prop" else {}),
            }
            for prop in scene.props
        ]
    return out


def scene_from_json(data: Any, mesh: Mesh | None, where: str, props: Sequence[Mesh | None] = ()) -> SceneSpec:
    """Inverse of `scene_to_json`; raises `SceneError` on unknown or missing fields and on values of another type.

    `mesh`: the object's; `props`: those of the props, in their order.
    """
    try:
        table = data.get("table")
        thing = data.get("object")
        if table:
            table = Table(tuple(map(float, table["centre"])), tuple(map(float, table["size"])))  # type: ignore[arg-type]
        more = data.get("props") or []
        meshes = [*props, *(None,) * (len(more) - len(props))]
        return SceneSpec(
            table or None,
            _object_from_json(thing, mesh) if thing else None,
            tuple(
                Prop(
                    str(prop["name"]),
                    _object_from_json(prop["object"], its),
                    tuple(map(float, prop["pose"])),
                    prop.get("role", "prop"),
                )
                for prop, its in zip(more, meshes, strict=True)
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SceneError(
            f"scene description is not readable ({error})",
            where=where,
            valid="{table: {centre, size} | null, object: {shape, size, mass_kg, friction} | null, props: [...]}",
        ) from error


def _object_to_json(thing: ObjectSpec) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in fields(thing) if f.name != "mesh"}


def _object_from_json(data: dict[str, Any], mesh: Mesh | None) -> ObjectSpec:
    numbers = {"size": tuple(map(float, data["size"]))}
    numbers |= {key: float(data[key]) for key in ("mass_kg", "friction") if key in data}
    return ObjectSpec(**{**data, **numbers}, mesh=mesh)
