"""Clips of the project's own making: kinematic motions of the bundled human, by inverse kinematics."""

from envs.choreography.lift import LiftCan, lift_can
from envs.choreography.quality import Limits, Quality, assess, shortcomings
from envs.choreography.stage import Stage, build_stage

__all__ = ["LiftCan", "Limits", "Quality", "Stage", "assess", "build_stage", "lift_can", "shortcomings"]
