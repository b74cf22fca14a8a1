"""Who and what takes part in a script: the posed scene, the thing to move, where it can be held, what else is there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from devi_jax.core.errors import SceneError
from devi_jax.core.rotations import quat_to_matrix
from devi_jax.core.scene import Prop, SceneSpec
from envs.animation.grasping.graspable_parts import Handle, handles, surface
from envs.animation.kinematics.posed_scene import Stage, build_stage, pose
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.planner.actions import Point
from envs.scenes.arrange import Arranged


@dataclass(frozen=True)
class Cast:
    """The scene before anything moves.

    `standing` (nq,): all of it at rest; `thing`: the name of what is moved; `points` (N, 3): its surface, in the world;
    `held`: its handles in the world, those its maker named first.
    """

    stage: Stage
    standing: np.ndarray
    thing: str
    points: np.ndarray
    held: tuple[Handle, ...]

    @property
    def start(self) -> np.ndarray:
        """The thing's pose (7,) at rest."""
        return self.standing[self.stage.object]

    @property
    def props(self) -> dict[str, Prop]:
        """What else is there, by name."""
        return {prop.name: prop for prop in self.stage.scene.props}

    @property
    def on_floor(self) -> bool:
        """Whether the thing has to be taken up from (nearly) the floor."""
        return float(self.points[:, 2].min()) < _LOW_M

    @property
    def solid(self) -> tuple[str, ...]:
        """Names of geoms that stop fingers."""
        return ("object", "floor") if self.stage.scene.table is None else ("object", "floor", "table")


def cast(arranged: Arranged) -> Cast:
    """The bundled human in an arranged setup. Raises `SceneError` for a human that no script is planned for."""
    human, where = arranged.setup.human, "scene.human"
    if human.shape != 1.0 or human.position != (0.0, 0.0) or human.yaw_deg != 0.0:
        raise SceneError(
            "scripts are planned for the bundled body at the origin, facing +y",
            where=where,
            valid="shape 1.0, position (0, 0), yaw_deg 0",
            fix="move and turn the things instead",
        )
    joints = {joint: np.array(rotvec) for joint, rotvec in human.pose.items()}
    thing = arranged.setup.manipulated.name
    grip = arranged.models[thing].grip
    named = () if grip is None else (Handle(np.array(grip.centre), np.array(grip.axis)),)
    return cast_scene(arranged.scene, arranged.object_start, thing, named, joints)


def cast_scene(
    scene: SceneSpec,
    start: np.ndarray,
    thing: str,
    named: Sequence[Handle] = (),
    joints: dict[str, np.ndarray] | None = None,
) -> Cast:
    """The bundled human before a scene, its object at the pose `start` (7,), called `thing`.

    `named`: handles in the object's frame, also held along the axes of the bounding box; `joints`: rotation vectors
    (3,) that differ from the relaxed stand. Raises `SceneError` without an object.
    """
    if scene.object is None:
        raise SceneError("there is nothing to move", where="things", valid="one thing with role manipulated")
    stage = build_stage(scene)
    standing = stand(stage, pose(stage, joints or {}, relaxed(stage)))
    standing[stage.object] = start
    cloud = surface(scene.object)
    own = handles(cloud)
    around = [Handle(handle.centre, other.axis) for handle in named for other in own]
    return _placed(stage, standing, thing, cloud, (*named, *around) or tuple(own))


def recast(cast: Cast, standing: np.ndarray) -> Cast:
    """The same scene at another moment, `standing` (nq,)."""
    back = quat_to_matrix(cast.start[3:]).T
    held = tuple(Handle(back @ (h.centre - cast.start[:3]), back @ h.axis) for h in cast.held)
    return _placed(cast.stage, standing, cast.thing, (cast.points - cast.start[:3]) @ back.T, held)


def _placed(stage: Stage, standing: np.ndarray, thing: str, cloud: np.ndarray, held: Sequence[Handle]) -> Cast:
    """With the object's points and handles, given in its own frame, in the world."""
    start = standing[stage.object]
    turn = quat_to_matrix(start[3:])
    points = cloud @ turn.T + start[:3]
    return Cast(stage, standing, thing, points, tuple(Handle(turn @ h.centre + start[:3], turn @ h.axis) for h in held))


def spot(cast: Cast, target: str | Point) -> tuple[np.ndarray, np.ndarray]:
    """A target's middle seen from above (x, y) with the height of its top (3,), and points (N, 3) of its surface.

    Raises `SceneError` where there is no such thing.
    """
    if not isinstance(target, str):
        point = np.asarray(target, float)
        return point, point[None]
    if target not in cast.props:
        raise SceneError(
            f"there is no '{target}' in the scene", where="target", valid=", ".join(cast.props) or "a point x,y,z"
        )
    prop = cast.props[target]
    pose = np.asarray(prop.pose, float)
    points = surface(prop.object) @ quat_to_matrix(pose[3:]).T + pose[:3]
    low, high = points.min(axis=0), points.max(axis=0)
    return np.array([*(low + high)[:2] / 2, high[2]]), points


def drop(points: np.ndarray, ground: np.ndarray, floor_m: float = -np.inf) -> float:
    """By how much points (N, 3) of a thing can be lowered before it touches points (M, 3) below it, metres.

    Negative if it has to be raised; `floor_m`: the height of the support where nothing else is below.
    """
    tree = KDTree(points[:, :2])
    room = float(points[:, 2].min() - floor_m)
    above = tree.query_ball_point(ground[:, :2], _BESIDE_M)
    for height, beside in zip(ground[:, 2], above, strict=True):
        if beside:
            room = min(room, float(points[beside, 2].min() - height))
    return room


_LOW_M = 0.4
_BESIDE_M = 0.006
