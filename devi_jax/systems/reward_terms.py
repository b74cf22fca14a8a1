"""Every factor that a recipe can make its reward of: name, error, unit and shape. A recipe is their weightings."""

from envs import terms
from envs.terms import Term

POSES = "object_position"
"""What a term needs that compares the object's 6-DoF pose."""
LABELS = "contact"
"""What a term needs that compares contact labels."""

TERMS: dict[str, Term] = {
    "joint_position": Term(terms.joint_position, "m"),
    "joint_velocity": Term(terms.joint_velocity, "m/s"),
    "joint_rotation": Term(terms.joint_rotation, "rad"),
    "hand_position": Term(terms.hand_local_position, "m"),
    "hand_rotation": Term(terms.hand_local_rotation, "rad"),
    "power": Term(terms.joint_power, "kW", shape="exponential"),
    "object_2d": Term(terms.object_2d, "diag", needs="points_px"),
    "contact_force": Term(terms.contact_force, "share", shape="linear", gate=terms.hand_contact, needs="points_object"),
    "contact_distance": Term(
        terms.contact_distance, "m", shape="sigmoid", gate=terms.hand_contact, needs="points_object"
    ),
    "object_position": Term(terms.object_position, "m", needs=POSES),
    "object_rotation": Term(terms.object_rotation, "rad", needs=POSES),
    # PhysHOI and SkillMimic
    "key_position": Term(terms.key_position, "m"),
    "pose_vector": Term(terms.pose_vector, "rad"),
    "pose_vector_quaternion": Term(terms.pose_vector_quaternion, "rad"),
    "still_jitter": Term(terms.still_jitter, "rad/s"),
    "key_to_object": Term(terms.key_to_object, "m", needs=POSES),
    "object_contact": Term(terms.object_contact, "wrong", shape="exponential", needs=LABELS),
    # InterMimic
    "near_position": Term(terms.near_position, "m", needs=POSES),
    "far_rotation": Term(terms.far_rotation, "rad", shape="exponential", needs=POSES),
    "joint_acceleration": Term(terms.joint_acceleration, "rad/s²"),
    "seen_position": Term(terms.seen_position, "m", needs=POSES),
    "seen_rotation": Term(terms.seen_rotation, "rad", shape="exponential", needs=POSES),
    "object_velocity": Term(terms.object_velocity, "m/s", needs=POSES),
    "object_acceleration": Term(terms.object_acceleration, "m/s²", needs=POSES),
    "object_spin": Term(terms.object_spin, "rad/s²", needs=POSES),
    "interaction_vectors": Term(terms.interaction_vectors, "m", needs=POSES),
    "hand_touch": Term(terms.hand_touch, "share", shape="half_exponential", gate=terms.hand_contact, needs=LABELS),
    "stray_touch": Term(terms.stray_touch, "share", shape="exponential", needs=POSES),
    "contact_load": Term(terms.contact_load, "N"),
}
