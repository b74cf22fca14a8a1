"""How badly a grasp fits the action: one number, added to the comfort cost of the candidate."""

import numpy as np

from envs.animation.grasping.grasp_candidates import GraspCandidate
from envs.animation.planner.actions import Action, Drink, Pour, Strike, Wear
from envs.animation.planner.planning_scene import PlanningScene
from envs.animation.planner.tilting import head_of_tool


def task_misfit(scene: PlanningScene, action: Action, candidate: GraspCandidate) -> float:
    """Task misfit of a grasp, 0 for one that serves the action.

    What is poured or drunk from is held at its side, not over its mouth; a tool with the thumb towards its
    head; what is worn, from above.
    """
    if candidate.kind != "wrap":
        return 0.0
    rotation = candidate.wrists[0].rotation
    palm, thumb = -rotation[:, 2], rotation[:, 1]
    match action:
        case Pour() | Drink():
            return 6.0 * max(0.0, abs(palm[2]) - 0.3) + 2.0 * max(0.0, -thumb[2])
        case Strike():
            end, _ = head_of_tool(scene, candidate.centre)
            return 3.0 * max(0.0, 0.7 - float(np.dot(thumb, end)))
        case Wear():
            return 1.5 * (1.0 + float(palm[2]))
        case _:
            return 0.0
