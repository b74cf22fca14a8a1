"""Clips of the project's own making: kinematic motions of the bundled human, by inverse kinematics."""

from envs.choreography.action import (
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
from envs.choreography.drink_mug import DrinkMug, drink_mug
from envs.choreography.grades import GradeName, Imperfection, degrade
from envs.choreography.hammer import Hammer, hammer
from envs.choreography.hat import Hat, put_on_hat
from envs.choreography.lift_box import LiftBox, lift_box
from envs.choreography.lift_can import LiftCan, lift_can
from envs.choreography.motion import Motion, to_clip
from envs.choreography.pick_place import PickPlace, pick_place
from envs.choreography.pour_bottle import PourBottle, pour_bottle
from envs.choreography.push_box import PushBox, push_box
from envs.choreography.quality import Limits, Quality, assess, shortcomings
from envs.choreography.record import compact
from envs.choreography.script import Hand, script
from envs.choreography.stage import Stage, build_stage

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
    "Limits",
    "Motion",
    "PickPlace",
    "PlaceAt",
    "Pour",
    "PourBottle",
    "Push",
    "PushBox",
    "Quality",
    "Stage",
    "Strike",
    "Wear",
    "assess",
    "build_stage",
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
    "script",
    "shortcomings",
    "to_clip",
]
