"""Errors between a `Frame` and a `Target`, one small pure function each, and how recipes shape them into rewards."""

from envs.terms.contact import contact_distance, contact_force, hand_contact
from envs.terms.effort import joint_power
from envs.terms.kinematic import (
    hand_local_position,
    hand_local_rotation,
    joint_position,
    joint_rotation,
    joint_velocity,
)
from envs.terms.object import object_2d, object_position, object_rotation
from envs.terms.shaping import Rewards, Term, Weighting, combine, evaluate_terms

__all__ = [
    "Rewards",
    "Term",
    "Weighting",
    "combine",
    "contact_distance",
    "contact_force",
    "evaluate_terms",
    "hand_contact",
    "hand_local_position",
    "hand_local_rotation",
    "joint_position",
    "joint_power",
    "joint_rotation",
    "joint_velocity",
    "object_2d",
    "object_position",
    "object_rotation",
]
