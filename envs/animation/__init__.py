"""Clips of the project's own making: kinematic motions of the bundled human, by inverse kinematics."""

from envs.animation.authored.drink_mug import DrinkMug, drink_mug
from envs.animation.authored.hammer import Hammer, hammer
from envs.animation.authored.hat import Hat, put_on_hat
from envs.animation.authored.lift_box import LiftBox, lift_box
from envs.animation.authored.lift_can import LiftCan, lift_can
from envs.animation.authored.pick_place import PickPlace, pick_place
from envs.animation.authored.pour_bottle import PourBottle, pour_bottle
from envs.animation.authored.push_box import PushBox, push_box
from envs.animation.degrade import GradeName, Imperfection, degrade
from envs.animation.kinematics.posed_scene import PosedScene, build_posed_scene
from envs.animation.kinematics.to_clip import compact
from envs.animation.planner.actions import (
    ACTIONS,
    Action,
    Drink,
    Follow,
    HandOver,
    Lift,
    PlaceAt,
    Pour,
    Push,
    Strike,
    Wear,
    make_action,
)
from envs.animation.planner.motion import PlannedMotion, to_clip
from envs.animation.planner.motion_planner import Hand, plan_motion
from envs.animation.planner.motion_quality import MotionQuality, QualityLimits, measure_quality, quality_faults

__all__ = [
    "ACTIONS",
    "Action",
    "Drink",
    "DrinkMug",
    "Follow",
    "GradeName",
    "Hammer",
    "Hand",
    "HandOver",
    "Hat",
    "Imperfection",
    "Lift",
    "LiftBox",
    "LiftCan",
    "QualityLimits",
    "PlannedMotion",
    "PickPlace",
    "PlaceAt",
    "Pour",
    "PourBottle",
    "Push",
    "PushBox",
    "MotionQuality",
    "PosedScene",
    "Strike",
    "Wear",
    "measure_quality",
    "build_posed_scene",
    "compact",
    "degrade",
    "drink_mug",
    "hammer",
    "lift_box",
    "lift_can",
    "make_action",
    "pick_place",
    "pour_bottle",
    "push_box",
    "put_on_hat",
    "plan_motion",
    "quality_faults",
    "to_clip",
]
