"""One table: how each engine integrates and solves, and why they differ.

Everything else of a scene is the same in all engines.
"""

from dataclasses import dataclass, replace
from typing import Literal

from envs.physics.timing import Timing

EngineName = Literal["c", "mjx", "warp"]


@dataclass(frozen=True)
class Settings:
    """Solver settings of one engine, in MuJoCo's own words.

    `can_sides`: 0 keeps a can a true cylinder, n makes it an n-sided prism. `sensor_per_part`: contact sensors address
    each convex part of the object instead of its body. `hull_vertices`: most vertices of a convex part, 0 for all.
    `contacts`, `rows`: contacts and constraint rows of one environment that MJX-Warp makes room for; what does not fit
    stops the run. `envs.physics.warp_capacity` finds them for a scene.
    """

    physics_hz: float
    integrator: str
    solver: str
    iterations: int
    ls_iterations: int
    cone: str = "elliptic"
    impratio: float = 5.0
    can_sides: int = 0
    sensor_per_part: bool = False
    hull_vertices: int = 0
    contacts: int = 0
    rows: int = 0

    @property
    def timestep_s(self) -> float:
        """Length of one physics step in seconds."""
        return 1.0 / self.physics_hz


def at_rate(settings: Settings, timing: Timing) -> Settings:
    """The settings at a system's physics rate, if it states one. Raises `ConfigError` for rates that do not fit."""
    settings = replace(settings, physics_hz=timing.physics_hz) if timing.physics_hz else settings
    timing.validate(settings.physics_hz)
    return settings


SETTINGS: dict[EngineName, Settings] = {
    # `discrete` treats springs and dampers implicitly in the constraint metric: stiff PD is stable at 1/60 s.
    "c": Settings(physics_hz=60.0, integrator="discrete", solver="pgs", iterations=10, ls_iterations=10),
    # No `discrete`, no PGS, no cylinder contacts in MJX-JAX. Its springs are explicit, so it takes shorter steps.
    # Newton throws the can unless it converges: in six iterations at impratio 1, in more than fifteen at 5.
    "mjx": Settings(
        physics_hz=240.0,
        integrator="implicitfast",
        solver="newton",
        iterations=6,
        ls_iterations=8,
        impratio=1.0,
        can_sides=16,
        sensor_per_part=True,
        hull_vertices=32,
    ),
    # No PGS in MJX-Warp. Newton ends when it converges, mostly within six iterations and always within twenty.
    # A grasping human has up to 30 contacts, of four rows each; a fallen one more.
    "warp": Settings(
        physics_hz=60.0,
        integrator="discrete",
        solver="newton",
        iterations=20,
        ls_iterations=10,
        hull_vertices=32,
        contacts=64,
        rows=256,
    ),
}
