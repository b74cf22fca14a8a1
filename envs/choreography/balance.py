"""Whether a posture could be held still: the centre of mass against the polygon under the feet."""

import mujoco
import numpy as np
from scipy.spatial import ConvexHull

from envs.choreography.posture import foot_geoms
from envs.choreography.stage import Stage, kinematics


def balance_margin(stage: Stage, qpos: np.ndarray) -> float:
    """Distance in metres of the human's centre of mass, seen from above, to the edge of its support; negative outside.

    `qpos` (nq,). The support is the convex hull of both soles, whether or not they touch the floor.
    """
    data = kinematics(stage, qpos)
    hull = ConvexHull(np.concatenate([_sole(stage, data, geom) for geom in foot_geoms(stage)]))
    com = data.subtree_com[stage.model.body("pelvis").id, :2]
    return -float((hull.equations[:, :2] @ com + hull.equations[:, 2]).max())


def _sole(stage: Stage, data: mujoco.MjData, geom: str) -> np.ndarray:
    """The four lower corners (4, 2) of a foot's box."""
    half = stage.model.geom(geom).size
    corners = np.array([[x, y, -1.0] for x in (-1, 1) for y in (-1, 1)]) * half
    return (corners @ data.geom(geom).xmat.reshape(3, 3).T + data.geom(geom).xpos)[:, :2]
