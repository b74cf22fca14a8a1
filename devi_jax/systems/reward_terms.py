"""Every factor that a recipe can make its reward of: name, error, unit and shape. A recipe is their weightings."""

from envs import rewards
from envs.rewards import Term

POSES = "object_position"
"""What a term needs that compares the object's 6-DoF pose."""
LABELS = "contact"
"""What a term needs that compares contact labels."""

TERMS: dict[str, Term] = {
    "joint_position": Term(rewards.joint_position, "m"),
    "joint_velocity": Term(rewards.joint_velocity, "m/s"),
    "joint_rotation": Term(rewards.joint_rotation, "rad"),
    "hand_position": Term(rewards.hand_local_position, "m"),
    "hand_rotation": Term(rewards.hand_local_rotation, "rad"),
    "power": Term(rewards.joint_power, "kW", shape="exponential"),
    "object_2d": Term(rewards.object_2d, "diag", needs="points_px"),
    "contact_force": Term(
        rewards.contact_force, "share", shape="linear", gate=rewards.hand_contact, needs="points_object"
    ),
    "contact_distance": Term(
        rewards.contact_distance, "m", shape="sigmoid", gate=rewards.hand_contact, needs="points_object"
    ),
    "object_position": Term(rewards.object_position, "m", needs=POSES),
    "object_rotation": Term(rewards.object_rotation, "rad", needs=POSES),
    # PhysHOI and SkillMimic
    "key_position": Term(rewards.key_position, "m"),
    "pose_vector": Term(rewards.pose_vector, "rad"),
    "pose_vector_quaternion": Term(rewards.pose_vector_quaternion, "rad"),
    "still_jitter": Term(rewards.still_jitter, "rad/s"),
    "key_to_object": Term(rewards.key_to_object, "m", needs=POSES),
    "object_contact": Term(rewards.object_contact, "wrong", shape="exponential", needs=LABELS),
    # InterMimic
    "near_position": Term(rewards.near_position, "m", needs=POSES),
    "far_rotation": Term(rewards.far_rotation, "rad", shape="exponential", needs=POSES),
    "joint_acceleration": Term(rewards.joint_acceleration, "rad/s²"),
    "seen_position": Term(rewards.seen_position, "m", needs=POSES),
    "seen_rotation": Term(rewards.seen_rotation, "rad", shape="exponential", needs=POSES),
    "object_velocity": Term(rewards.object_velocity, "m/s", needs=POSES),
    "object_acceleration": Term(rewards.object_acceleration, "m/s²", needs=POSES),
    "object_spin": Term(rewards.object_spin, "rad/s²", needs=POSES),
    "interaction_vectors": Term(rewards.interaction_vectors, "m", needs=POSES),
    "hand_touch": Term(rewards.hand_touch, "share", shape="half_exponential", gate=rewards.hand_contact, needs=LABELS),
    "stray_touch": Term(rewards.stray_touch, "share", shape="exponential", needs=POSES),
    "contact_load": Term(rewards.contact_load, "N"),
}
