"""Errors between a `SimState` and a `ReferenceState`, one pure function each, and how rows shape them into rewards."""

from envs.rewards.contact import (
    contact_distance,
    contact_force,
    contact_load,
    hand_contact,
    hand_touch,
    object_contact,
    stray_touch,
)
from envs.rewards.effort import joint_acceleration, joint_power, object_acceleration, object_spin, still_jitter
from envs.rewards.interaction import (
    far_rotation,
    interaction_vectors,
    key_to_object,
    near_position,
    seen_position,
    seen_rotation,
)
from envs.rewards.kinematic import (
    hand_local_position,
    hand_local_rotation,
    joint_position,
    joint_rotation,
    joint_velocity,
    key_position,
    pose_vector,
    pose_vector_quaternion,
)
from envs.rewards.measured import ErrorFunction, measure_info, measured
from envs.rewards.object import object_2d, object_position, object_rotation, object_velocity
from envs.rewards.shaping import Combine, Reward, Rewards, Shape, combine, evaluate_rows, shape_factor

__all__ = [
    "Rewards",
    "Shape",
    "Combine",
    "ErrorFunction",
    "Reward",
    "measured",
    "measure_info",
    "shape_factor",
    "combine",
    "contact_distance",
    "contact_force",
    "contact_load",
    "evaluate_rows",
    "far_rotation",
    "hand_contact",
    "hand_local_position",
    "hand_local_rotation",
    "hand_touch",
    "interaction_vectors",
    "joint_acceleration",
    "joint_position",
    "joint_power",
    "joint_rotation",
    "joint_velocity",
    "key_position",
    "key_to_object",
    "near_position",
    "object_2d",
    "object_acceleration",
    "object_contact",
    "object_position",
    "object_rotation",
    "object_spin",
    "object_velocity",
    "pose_vector",
    "pose_vector_quaternion",
    "seen_position",
    "seen_rotation",
    "still_jitter",
    "stray_touch",
]
