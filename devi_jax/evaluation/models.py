"""Other models of the same world: what holds only in the simulation that a policy was trained in fails in these."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from envs.embodiments.scaled_gains import ScaledGains
from envs.physics import SETTINGS, EngineName, Physics, make_physics

Change = Callable[[Physics], Physics]
"""Another model of the same scene."""

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
    settings = replace(physics.settings, solver=other, iterations=CONVERGED, ls_iterations=CONVERGED)
    return make_physics(physics.scene, physics.engine, settings, physics.timing)


def _other_engine(physics: Physics) -> Physics:
    other: EngineName = "mjx" if physics.engine == "c" else "c"
    return make_physics(physics.scene, other, SETTINGS[other], replace(physics.timing, physics_hz=0.0))


def _gains(factor: float) -> Change:
    def scaled(physics: Physics) -> Physics:
        scene = replace(physics.scene, embodiment=ScaledGains(physics.scene.embodiment, factor))
        return make_physics(scene, physics.engine, physics.settings, physics.timing)

    return scaled


MODELS: Mapping[str, Change] = {
    "half the timestep": _finer,
    "another solver": _other_solver,
    "gains times 0.9": _gains(0.9),
    "gains times 1.1": _gains(1.1),
}
"""Each changes one thing of the physics: in C Newton for PGS; stiffness and damping of every driven joint."""
ENGINES: Mapping[str, Change] = {"another engine": _other_engine}
"""MJX-JAX for C, which on a CPU takes as many minutes as the other models take seconds; C for the others."""
