"""The baselines' errors once more, in float64 NumPy with SciPy's rotations, from the formulas of their codes."""

import numpy as np
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import JOINTS, PARENTS
from envs import rewards
from envs.rewards.interaction import interaction_ratio, surface_distance

FINGERS = [f"{side}_{f}3" for side in ("left", "right") for f in ("index", "middle", "pinky", "ring", "thumb")]
KEYS18 = [JOINTS.index(n) for n in ("pelvis", "head")] + [
    JOINTS.index(f"{side}_{part}") for part in ("knee", "elbow", "ankle") for side in ("left", "right")
]
KEYS18 += [JOINTS.index(n) for n in FINGERS]
BODY = list(range(1, 22))
HANDS = [i for i, n in enumerate(JOINTS) if i > 21 or n.endswith("wrist")]
FULL = [JOINTS.index(f"{side}_{part}") for part in ("knee", "ankle") for side in ("left", "right")]


def f64(x) -> np.ndarray:
    return np.asarray(x, float)


def turn(q) -> Rotation:
    return Rotation.from_quat(f64(q), scalar_first=True)


def mean_length(x) -> float:
    return float(np.sqrt(np.mean(np.sum(f64(x) ** 2, axis=-1))))


def local_vectors(rotation) -> np.ndarray:
    return np.array([(turn(rotation[PARENTS[i]]).inv() * turn(rotation[i])).as_rotvec() for i in range(1, 52)])


def posed(thing, points) -> np.ndarray:
    return turn(thing.object_rotation).apply(f64(points)) + f64(thing.object_position)


def heading(rotation) -> Rotation:
    w, _, _, z = f64(rotation[0])
    return Rotation.from_rotvec([0, 0, 2 * np.arctan2(z, w)])


def key_position(frame, target):
    return mean_length(f64(frame.position)[KEYS18] - f64(target.position)[KEYS18])


def pose_vector(frame, target):
    numbers = [np.concatenate([turn(x.rotation[:1]).as_rotvec(), local_vectors(x.rotation)]) for x in (frame, target)]
    return np.sqrt(np.mean((numbers[0] - numbers[1]) ** 2))


def pose_vector_quaternion(frame, target):
    root = [f64(x.rotation[0]) for x in (frame, target)]
    nearer = min(root[0] - root[1], root[0] + root[1], key=np.linalg.norm)
    joints = local_vectors(frame.rotation) - local_vectors(target.rotation)
    return np.sqrt(np.mean(np.concatenate([nearer, joints.ravel()]) ** 2))


def still_jitter(frame, target):
    rate = [
        turn(target.rotation[i]).inv().apply(f64(target.angular_velocity)[i] - f64(target.angular_velocity)[PARENTS[i]])
        for i in range(1, 52)
    ]
    change = f64(frame.joint_acceleration)[1:] / 30
    return np.sqrt(np.mean(change**2 / ((np.square(rate) + 1e-12) * 1e12)))


def key_to_object(frame, target):
    graphs = [f64(x.position)[KEYS18] - f64(x.object_position) for x in (frame, target)]
    return mean_length(graphs[0] - graphs[1])


def object_contact(frame, target):
    return float((f64(frame.contact_n).max() > 0.1) != (f64(target.contact).max() > 0.5))


def weights(target) -> np.ndarray:
    return np.exp(-5 * f64(target.object_distance))


def near_position(frame, target):
    weight = weights(target)
    weight[FULL] = 1
    squares = ((f64(frame.position) - f64(target.position)) ** 2).sum(axis=-1)
    return np.sqrt((weight * squares)[BODY].mean())


def far_rotation(frame, target):
    angles = (turn(frame.rotation).inv() * turn(target.rotation)).magnitude()
    return np.mean((1 - weights(target)) * angles)


def graphs(frame, target) -> tuple[np.ndarray, np.ndarray]:
    """All vectors from object points to body joints, (21, M, 3), simulated and wanted."""
    made = [f64(x.position)[BODY][:, None] - posed(x, target.points_object)[None] for x in (frame, target)]
    return made[0], made[1]


def interaction_vectors(frame, target):
    total, (ig, wanted) = 0.0, graphs(frame, target)
    for vectors in (ig, wanted):
        weight = 1 / np.maximum((vectors**2).sum(axis=-1), 0.01)
        total += 0.5 * (weight / weight.sum() * ((ig - wanted) ** 2).sum(axis=-1)).sum()
    return np.sqrt(total)


def ratio(frame, target):
    ig, wanted = graphs(frame, target)
    gap = np.linalg.norm(ig - wanted, axis=-1)
    return max((gap / np.maximum(np.linalg.norm(x, axis=-1), 0.5)).max() for x in (ig, wanted))


def distance_of_points(frame, target):
    return np.linalg.norm(posed(frame, target.points_object) - posed(target, target.points_object), axis=-1).mean()


def seen(thing) -> tuple[np.ndarray, Rotation]:
    """The object from its human's heading, its height in the world."""
    back = heading(thing.rotation).inv()
    place = f64(thing.object_position) - f64(thing.position[0])
    place[2] = f64(thing.object_position)[2]
    return back.apply(place), back * turn(thing.object_rotation)


def seen_position(frame, target):
    return np.linalg.norm(seen(frame)[0] - seen(target)[0])


def seen_rotation(frame, target):
    return (seen(frame)[1].inv() * seen(target)[1]).magnitude()


def object_velocity(frame, target):
    return np.linalg.norm(f64(frame.object_linear_velocity) - f64(target.object_linear_velocity))


def hand_touch(frame, target):
    return np.array([sum(not force > 0.1 for force in hand) / 16 for hand in f64(frame.contact_n)])


def stray_touch(frame, target):
    hands = np.array(sorted(HANDS, key=lambda i: (JOINTS[i].startswith("right"), i)))
    apart = f64(target.object_distance)[hands] > 0.1
    return sum(apart & (f64(frame.contact_n).ravel() > 0.1)) / 52


BASELINES = {
    rewards.key_position: key_position,
    rewards.pose_vector: pose_vector,
    rewards.pose_vector_quaternion: pose_vector_quaternion,
    rewards.still_jitter: still_jitter,
    rewards.key_to_object: key_to_object,
    rewards.object_contact: object_contact,
    rewards.near_position: near_position,
    rewards.far_rotation: far_rotation,
    rewards.interaction_vectors: interaction_vectors,
    interaction_ratio: ratio,
    surface_distance: distance_of_points,
    rewards.seen_position: seen_position,
    rewards.seen_rotation: seen_rotation,
    rewards.object_velocity: object_velocity,
    rewards.hand_touch: hand_touch,
    rewards.stray_touch: stray_touch,
    rewards.contact_load: lambda frame, target: f64(frame.contact_n).sum(),
    rewards.joint_acceleration: lambda frame, target: mean_length(frame.joint_acceleration[1:]),
    rewards.object_acceleration: lambda frame, target: np.linalg.norm(f64(frame.object_acceleration)[0]),
    rewards.object_spin: lambda frame, target: np.linalg.norm(f64(frame.object_acceleration)[1]),
}
