"""Controllers that add to the PD targets: feed-forward, ground reaction, ankle balance, grasp closure, palm force,
hands that follow the object."""

from envs.control.ankle_balance import AnkleBalance
from envs.control.controller import Controller, Prepared, ReferenceMotion, TargetOffsets
from envs.control.feedforward import FeedForward
from envs.control.grasp_closure import GraspClosure
from envs.control.ground_reaction import GroundReaction
from envs.control.object_following import ObjectFollowing
from envs.control.palm_force import PalmForce

__all__ = [
    "AnkleBalance",
    "Controller",
    "FeedForward",
    "GraspClosure",
    "GroundReaction",
    "ObjectFollowing",
    "ReferenceMotion",
    "PalmForce",
    "Prepared",
    "TargetOffsets",
]
