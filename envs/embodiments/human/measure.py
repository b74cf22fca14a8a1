"""What a skinned T-pose mesh says about a body: radii, fingertips, sole and crown.

One definition for the bundled human and for a user's own SMPL-X file. A joint's *cluster* is the set of vertices
that follow it more than any other joint. Axes are the project's: z up, facing +y, left = -x.
"""

import numpy as np

from devi_jax.core.skeleton import INDEX, JOINTS, PARENTS, TIPS, joint_class
from envs.embodiments.human.body import Body

_LIMB_PERCENTILE = 50.0
_FINGER_PERCENTILE = 45.0  # knuckles and webs bulge; pads, which touch, lie nearer to the bone
_TIP_SHARE = 0.9


def measure_body(vertices: np.ndarray, joints: np.ndarray, owner: np.ndarray, name: str) -> Body:
    """The body of a T-pose skin.

    Args:
        vertices: (V, 3) skin. joints: (52, 3) joint centres. owner: (V,) joint whose cluster each vertex is in.
    """
    tips = fingertips(vertices, joints, owner)
    return Body(
        name=name,
        offsets=bone_offsets(joints),
        tips=tips,
        radii=radii(vertices, joints, tips, owner),
        forward=forward(vertices, joints, owner),
        sole_m=sole_height(vertices, joints),
        crown_m=crown_height(vertices, joints),
    )


def from_smplx_axes(points: np.ndarray) -> np.ndarray:
    """SMPL-X axes (x left, y up, z forward) to the project's (-x left, z up, y forward): (..., 3) -> (..., 3)."""
    return np.stack([-points[..., 0], points[..., 2], points[..., 1]], axis=-1)


def bone_offsets(joints: np.ndarray) -> np.ndarray:
    """Joint offsets from the parent, (52, 3), of T-pose joint centres (52, 3); zero for the pelvis."""
    out = np.zeros_like(joints)
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            out[i] = joints[i] - joints[parent]
    return out


def fingertips(vertices: np.ndarray, joints: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Fingertips in the frames of the distal phalanges, (10, 3) metres.

    The end of the phalanx: the middle of its furthest tenth along the bone, pushed to the outermost skin.

    Args:
        vertices: (V, 3) T-pose skin. joints: (52, 3) centres. owner: (V,) joint whose cluster each vertex is in.
    """
    tips = np.zeros((len(TIPS), 3))
    for k, distal in enumerate(TIPS):
        along = _unit(joints[distal] - joints[PARENTS[distal]])
        cluster = vertices[owner == distal] - joints[distal]
        reach = cluster @ along
        end = cluster[reach >= _TIP_SHARE * reach.max()].mean(axis=0)
        tips[k] = end * (reach.max() / (end @ along))
    return tips


def radii(vertices: np.ndarray, joints: np.ndarray, tips: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Radius of every body, (52,) metres.

    Limbs: the median distance of the cluster to the bone; fingers: one radius for the three phalanges. Trunk, head and
    feet: half the extent across. Palms: the deviation in height, which for a slab's two faces is half its thickness.
    """
    out = np.zeros(len(JOINTS))
    for i, name in enumerate(JOINTS):
        cluster = vertices[owner == i]
        if "wrist" in name:
            out[i] = cluster[:, 2].std()
        elif _extent_axis(name) is not None:
            out[i] = np.ptp(cluster[:, _extent_axis(name)]) / 2
        else:
            end = joints[i] + tips[TIPS.index(i)] if i in TIPS else joints[PARENTS.index(i)]
            share = _FINGER_PERCENTILE if joint_class(name) == "finger" else _LIMB_PERCENTILE
            out[i] = np.percentile(_distance_to_bone(cluster, joints[i], end), share)
    for distal in TIPS:
        chain = [PARENTS[PARENTS[distal]], PARENTS[distal], distal]
        # a thumb's first cluster is the ball of the hand
        out[chain] = out[chain[1:] if "thumb" in JOINTS[distal] else chain].mean()
    return out


def forward(vertices: np.ndarray, joints: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """How far in front of the joint the middle of trunk and head lies, (52,) metres; zero elsewhere."""
    out = np.zeros(len(JOINTS))
    for i, name in enumerate(JOINTS):
        if joint_class(name) == "spine" and name != "neck":
            y = vertices[owner == i, 1]
            out[i] = (y.max() + y.min()) / 2 - joints[i, 1]
    return out


def sole_height(vertices: np.ndarray, joints: np.ndarray) -> float:
    """Height in metres of the ankle joints above the lowest point of the skin."""
    ankles = joints[[INDEX["left_ankle"], INDEX["right_ankle"]], 2]
    return float(ankles.mean() - vertices[:, 2].min())


def crown_height(vertices: np.ndarray, joints: np.ndarray) -> float:
    """Height in metres of the highest point of the skin above the head joint."""
    return float(vertices[:, 2].max() - joints[INDEX["head"], 2])


def _extent_axis(name: str) -> int | None:
    if name == "pelvis" or name.startswith("spine"):
        return 1
    return 0 if name == "head" or "ankle" in name or "foot" in name else None


def _distance_to_bone(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    t = (points - start) @ along
    beside = points[(t > 0) & (t < length)]
    return np.linalg.norm(np.cross(beside - start, along), axis=1)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)
