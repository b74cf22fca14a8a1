"""One interface, three engines: C MuJoCo batch, MJX-JAX, MJX-Warp."""

from envs.physics.engine_choice import EngineChoice, choose_engine
from envs.physics.scene_model import Root, Scene, build_spec
from envs.physics.simulation import Physics, make_physics
from envs.physics.solver import CONTROL_HZ, SETTINGS, EngineName, Settings
from envs.physics.state import OBJECT_QPOS, Control, PhysicsState, Pose, Variation, Velocity

__all__ = [
    "CONTROL_HZ",
    "OBJECT_QPOS",
    "SETTINGS",
    "Control",
    "EngineChoice",
    "EngineName",
    "Physics",
    "PhysicsState",
    "Pose",
    "Root",
    "Scene",
    "Settings",
    "Variation",
    "Velocity",
    "build_spec",
    "choose_engine",
    "make_physics",
]
