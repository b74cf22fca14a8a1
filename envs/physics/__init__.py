"""One interface, three engines: C MuJoCo batch, MJX-JAX, MJX-Warp."""

from envs.physics.contact_sensors import HANDS_ON_OBJECT, ContactPair
from envs.physics.engine_choice import EngineChoice, choose_engine
from envs.physics.layout import JointSlices, Layout, make_layout
from envs.physics.scene_model import Root, Scene, build_spec
from envs.physics.shelf import make_shelf
from envs.physics.simulation import Physics, make_physics
from envs.physics.solver import CONTROL_HZ, SETTINGS, EngineName, Settings
from envs.physics.state import Control, PhysicsState, Pose, Variation, Velocity

__all__ = [
    "CONTROL_HZ",
    "HANDS_ON_OBJECT",
    "SETTINGS",
    "ContactPair",
    "Control",
    "EngineChoice",
    "EngineName",
    "JointSlices",
    "Layout",
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
    "make_layout",
    "make_physics",
    "make_shelf",
]
