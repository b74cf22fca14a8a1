"""One interface, three engines: C MuJoCo batch, MJX-JAX, MJX-Warp."""

from envs.physics.physics import Physics, make_physics
from envs.physics.scene import Root, Scene, build_spec
from envs.physics.select import EngineChoice, choose_engine
from envs.physics.settings import CONTROL_HZ, SETTINGS, EngineName, Settings
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
