"""One interface, three engines: C MuJoCo batch, MJX-JAX, MJX-Warp."""

from envs.embodiments import HumanRoot
from envs.physics.contact_sensors import ContactPair
from envs.physics.engine_choice import EngineChoice, choose_engine
from envs.physics.layout import JointSlices, Layout, make_layout
from envs.physics.scene_model import Scene, build_spec
from envs.physics.shelf import make_shelf
from envs.physics.simulation import Physics, make_physics
from envs.physics.solver import SETTINGS, EngineName, Settings
from envs.physics.state import Control, PhysicsState, Pose, Variation, Velocity
from envs.physics.timing import Timing

__all__ = [
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
    "HumanRoot",
    "Scene",
    "Settings",
    "Timing",
    "Variation",
    "Velocity",
    "build_spec",
    "choose_engine",
    "make_layout",
    "make_physics",
    "make_shelf",
]
