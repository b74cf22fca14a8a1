"""Other models of the same world: what holds only in the simulation that a policy was trained in fails in these."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from envs.embodiments.scaled_gains import ScaledGains
from envs.physics import SETTINGS, EngineName, Physics, Settings, make_physics

FINER = 2
"""Physics steps for one of training's."""
CONVERGED = 100
"""Most iterations of another solver: it ends when it converges."""


def _finer(physics: Physics) -> Physics:
    rate = FINER * physics.settings.physics_hz
    timing = replace(physics.timing, physics_hz=rate)
    return make_physics(physics.scene, physics.engine, physics.settings, timing)


def _other_solver(physics: Physics) -> Physics:
    other = "cg" if physics.settings.solver == "newton" else "newton"
    return _with(physics, replace(physics.settings, solver=other, iterations=CONVERGED, ls_iterations=CONVERGED))


def _other_engine(physics: Physics) -> Physics:
    other: EngineName = "mjx" if physics.engine == "c" else "c"
    return make_physics(physics.scene, other, SETTINGS[other], replace(physics.timing, physics_hz=0.0))


def _gains(factor: float) -> Callable[[Physics], Physics]:
    def scaled(physics: Physics) -> Physics:
        scene = replace(physics.scene, embodiment=ScaledGains(physics.scene.embodiment, factor))
        return make_physics(scene, physics.engine, physics.settings, physics.timing)

    return scaled


def _with(physics: Physics, settings: Settings) -> Physics:
    return make_physics(physics.scene, physics.engine, settings, physics.timing)


MODELS: Mapping[str, Callable[[Physics], Physics]] = {
    "half the timestep": _finer,
    "another solver": _other_solver,
    "gains times 0.9": _gains(0.9),
    "gains times 1.1": _gains(1.1),
    "another engine": _other_engine,
}
"""Each changes one thing of the physics: Newton for PGS in C, MJX-JAX for C; stiffness and damping of every driven
joint."""
