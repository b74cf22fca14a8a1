"""A thing as it is made, drawn and held: one mesh for all three, with texture, material and the place for a hand."""

from dataclasses import dataclass, replace

import numpy as np

from devi_jax.core.scene import Mesh, ObjectSpec, Shape


@dataclass(frozen=True)
class GraspSite:
    """Where a model's maker says that a hand takes it, in the model's frame.

    `centre` (3,): the middle of what the fingers enclose, metres; `axis` (3,): unit vector along the part that is held,
    about which the fingers close; `width_m`: how thick that part is between thumb and fingers.
    """

    centre: tuple[float, float, float]
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    width_m: float = 0.06


@dataclass(frozen=True, eq=False)
class Model:
    """One thing in its own frame: metres, z up, upright.

    `mesh`: closed, its vertices doubled where the texture has a seam. `uv` (V, 2): (0, 0) is the corner of the
    texture's first pixel, (1, 1) that of its last; beyond it repeats. `texture` (H, W, 3) uint8. `material`: a name of
    the materials table. `shape`, `size`: the primitive that it collides as (`ObjectSpec`), a mesh by default. `grip`:
    `None` where nothing is known, as of users' meshes.
    """

    name: str
    mesh: Mesh
    material: str
    mass_kg: float
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None
    shape: Shape = "mesh"
    size: tuple[float, ...] = ()
    grip: GraspSite | None = None

    @property
    def bounds(self) -> np.ndarray:
        """Least and greatest coordinates (2, 3), metres."""
        return np.array([self.mesh.vertices.min(axis=0), self.mesh.vertices.max(axis=0)])

    def spec(self, friction: float) -> ObjectSpec:
        """What is simulated of it."""
        mesh = self.mesh if self.shape == "mesh" else None
        return ObjectSpec(self.shape, self.size, self.mass_kg, friction, mesh)


def scaled(model: Model, by: float) -> Model:
    """The model with all lengths times `by` and mass times its cube."""
    if by == 1.0:
        return model
    x, y, z = model.grip.centre if model.grip else (0.0, 0.0, 0.0)
    return replace(
        model,
        mesh=Mesh(model.mesh.vertices * by, model.mesh.faces),
        mass_kg=model.mass_kg * by**3,
        size=tuple(s * by for s in model.size),
        grip=model.grip and GraspSite((x * by, y * by, z * by), model.grip.axis, model.grip.width_m * by),
    )
