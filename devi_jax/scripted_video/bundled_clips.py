"""The bundled clips that the kinematic planner makes from bundled scenes: who does what, in numbers."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from devi_jax.core.camera import Camera, frontal
from devi_jax.core.clip import Clip
from devi_jax.datasets.scenes import load_scene_file
from envs import animation
from envs.animation import Hand


@dataclass(frozen=True)
class Scripted:
    """An action of the planner in a scene, and the azimuth of the camera that looks on."""

    scene: str
    verb: str
    hand: Hand = "right"
    numbers: dict[str, Any] = field(default_factory=dict)
    azimuth_deg: float = -45.0  # from the other side and ahead: the hand does not hide the thing


SCRIPTED = MappingProxyType(
    {
        "spray_bottle": Scripted("spray_bottle", "lift"),
        "lift_camera": Scripted("lift_camera", "lift"),
        "lift_ball": Scripted("lift_ball", "lift", "both"),
        "carton_tray": Scripted("pick_place", "place", numbers={"target": "tray"}),
        "mug_plate": Scripted("mug_plate", "place", numbers={"target": "plate"}),
        "can_book": Scripted("can_book", "place", "left", {"target": "book"}, 45.0),
        "pass_bottle": Scripted("pass_bottle", "hand_over"),
        "floor_bottle": Scripted("floor_bottle", "lift", numbers={"height_m": 0.3}),
        "floor_box": Scripted("floor_box", "lift", "both", {"height_m": 0.35}),
        "floor_push": Scripted("floor_push", "push", "both", {"shift_m": (0.0, 0.25)}),
        "floor_place": Scripted("floor_place", "place", "both", {"target": (0.0, 0.5, 0.0)}),
    }
)
"""By the names of the clips."""


def scripted_clip(name: str) -> Clip:
    """A clip of `SCRIPTED`, made afresh: the same numbers give the same arrays, in some ten seconds."""
    plan = SCRIPTED[name]
    setup = load_scene_file(plan.scene)
    motion = animation.plan_motion(setup, animation.make_action(plan.verb, **plan.numbers), plan.hand)
    command = f"python -m devi_jax.choreograph scripted {name}"
    return animation.to_clip(motion, name, camera(plan.azimuth_deg, setup.table is None), command)


def camera(azimuth_deg: float, on_floor: bool) -> Camera:
    """DeVI's frontal camera; farther away and lower where the thing is on the floor."""
    if on_floor:
        return frontal(azimuth_deg=azimuth_deg, radius_m=2.0, centre=(0.0, 0.0, 0.8))
    return frontal(azimuth_deg=azimuth_deg)
