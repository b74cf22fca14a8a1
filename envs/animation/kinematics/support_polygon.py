"""Whether a posture could be held still: the centre of mass against the polygon under the feet."""

import mujoco
import numpy as np
from scipy.spatial import ConvexHull

from envs.animation.kinematics.posed_scene import PosedScene, kinematics
from envs.animation.kinematics.posture import foot_geoms


def balance_margin(stage: PosedScene, qpos: np.ndarray) -> float:
    """Distance in metres of the human's centre of mass, seen from above, to the edge of its support; negative outside.

    `qpos` (nq,). The support is the convex hull of both soles, whether or not they touch the floor.
    """
    model, data = stage.model, kinematics(stage, qpos)
    hull = ConvexHull(sole_corners(model, data, np.array([model.geom(name).id for name in foot_geoms(stage)])))
    com = data.subtree_com[model.body("pelvis").id, :2]
    return -float((hull.equations[:, :2] @ com + hull.equations[:, 2]).max())


def sole_corners(model: mujoco.MjModel, data: mujoco.MjData, feet: np.ndarray) -> np.ndarray:
    """The four lower corners of each foot's box, seen from above: (4 n, 2) for the ids `feet` (n,) of their geoms."""
    corners = np.array([[x, y, -1.0] for x in (-1, 1) for y in (-1, 1)])
    local = model.geom_size[feet][:, None] * corners
    turned = np.einsum("gij,gcj->gci", data.geom_xmat[feet].reshape(-1, 3, 3), local)
    return (data.geom_xpos[feet][:, None] + turned).reshape(-1, 3)[:, :2]
