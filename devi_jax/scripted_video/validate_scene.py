"""Does a scene stand? Nothing overlaps, nothing floats, nothing topples when left alone, and a hand can get there."""

from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.errors import SceneError
from devi_jax.core.scene_file import Setup
from devi_jax.core.skeleton import JOINTS
from devi_jax.scripted_video.arm_reach import reach_m
from envs.animation.kinematics.posed_scene import build_stage
from envs.animation.kinematics.posture import relaxed, stand
from envs.embodiments.human import human
from envs.scenes.arrange import Arranged, arrange
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME

SECONDS = 1.5
OVERLAP_M, GAP_M = 2e-3, 3e-3
"""How much things may overlap, and how high they may float, at first."""
MOVED_M, TURNED_RAD = 1e-2, np.radians(5.0)
"""How far a thing may move and turn when left alone."""


@dataclass(frozen=True, eq=False)
class Settled:
    """A scene that stands; how far each thing moved (metres) and turned (radians) in `SECONDS` on its own."""

    arranged: Arranged
    moved_m: dict[str, float]
    turned_rad: dict[str, float]


@dataclass(frozen=True)
class _Touch:
    """Two things in contact: how deep, and the unit normal from the first to the second."""

    first: str
    second: str
    depth_m: float
    normal: np.ndarray


def settle(setup: Setup, where: str = "scene") -> Settled:
    """Put a scene into C MuJoCo and leave it alone, the human standing by.

    Raises `SceneError` naming the thing or pair, by how much, and what fixes it: for overlaps of more than
    `OVERLAP_M`, things that float by more than `GAP_M`, topple or roll away, or are out of reach.
    """
    arranged = arrange(setup, where)
    _check_reach(arranged, where)
    model, data, bodies = _build(arranged)
    _check_overlaps(_touches(model, data, bodies), where)
    _check_human(model, data, bodies, where)
    for joint in JOINTS:  # the human steps aside
        first, count = int(model.body(joint).geomadr[0]), int(model.body(joint).geomnum[0])
        model.geom_conaffinity[first : first + count] = 0
    for name in bodies:
        _check_gap(model, data, bodies, name, where)
    moved, turned = _left_alone(model, data, bodies)
    for name in bodies:
        if moved[name] > MOVED_M or turned[name] > TURNED_RAD:
            raise SceneError(
                f"'{name}' does not stay: it moves by {moved[name] * 1e3:.0f} mm and turns by "
                f"{np.degrees(turned[name]):.0f} degrees within {SECONDS:g} s",
                where=f"{where}: {name}",
                valid="a thing that rests where it stands",
                fix="move it away from edges, or turn it (rotation, yaw_deg) so that it stands on a flat side",
            )
    return Settled(arranged, moved, turned)


def _build(arranged: Arranged) -> tuple[mujoco.MjModel, mujoco.MjData, dict[str, int]]:
    """The scene with its human standing in it; ids of the things' bodies by name."""
    stage = build_stage(arranged.scene)
    model, person = stage.model, arranged.setup.human
    data = mujoco.MjData(model)
    data.qpos[:] = stand(stage, relaxed(stage))
    root = stage.root_qpos
    half = np.radians(person.yaw_deg) / 2
    yaw = np.array([np.cos(half), 0.0, 0.0, np.sin(half)])
    data.qpos[root : root + 3] = rot.rotate(yaw, data.qpos[root : root + 3]) + [*person.position, 0.0]
    data.qpos[root + 3 : root + 7] = rot.quat_mul(yaw, np.array(data.qpos[root + 3 : root + 7]))
    data.qpos[stage.object] = arranged.object_start
    mujoco.mj_forward(model, data)
    names = {arranged.setup.manipulated.name: OBJECT_NAME} | {t.name: t.name for t in arranged.setup.others}
    return model, data, {name: model.body(body).id for name, body in names.items()}


def _touches(model: mujoco.MjModel, data: mujoco.MjData, bodies: dict[str, int]) -> list[_Touch]:
    """Contacts between things, table and floor, the deepest of each pair."""
    called = {body: name for name, body in bodies.items()}
    deepest: dict[tuple[str, str], _Touch] = {}
    for contact in data.contact:
        geoms = (int(contact.geom[0]), int(contact.geom[1]))
        names = [called.get(int(model.geom_bodyid[g])) or str(model.geom(g).name) for g in geoms]
        known = {*bodies, "table", "floor"}
        if names[0] in known and names[1] in known:
            touch = _Touch(names[0], names[1], -float(contact.dist), np.array(contact.frame[:3]))
            key = (min(names), max(names))
            if key not in deepest or deepest[key].depth_m < touch.depth_m:
                deepest[key] = touch
    return list(deepest.values())


def _check_overlaps(touches: list[_Touch], where: str) -> None:
    """Raise for the deepest overlap, if it is too deep."""
    for touch in sorted(touches, key=lambda t: -t.depth_m):
        if touch.depth_m <= OVERLAP_M:
            return
        moving, still, way = touch.second, touch.first, touch.normal
        if moving in ("table", "floor"):
            moving, still, way = still, moving, -way
        by = touch.depth_m * 1e3
        upright = abs(way[2]) > 0.7
        raise SceneError(
            f"'{moving}' and '{still}' overlap by {by:.1f} mm",
            where=f"{where}: {moving}",
            valid=f"things that overlap by less than {OVERLAP_M * 1e3:g} mm",
            fix=f"{'raise' if way[2] > 0 else 'lower'} '{moving}' by {by:.0f} mm, or leave z out of its position"
            if upright and still in ("table", "floor")
            else f"move '{moving}' by {by:.0f} mm in the direction ({way[0]:.2f}, {way[1]:.2f}, {way[2]:.2f})",
        )


def _check_human(model: mujoco.MjModel, data: mujoco.MjData, bodies: dict[str, int], where: str) -> None:
    """Raise for a thing that the standing human is inside of."""
    to = np.zeros(6)
    for name, body in bodies.items():
        things = range(int(model.body_geomadr[body]), int(model.body_geomadr[body] + model.body_geomnum[body]))
        depth, joint = max(
            (-mujoco.mj_geomDistance(model, data, model.geom(joint).id, thing, 0.05, to), joint)
            for joint in JOINTS
            for thing in things
        )
        if depth > OVERLAP_M:
            raise SceneError(
                f"'{name}' and the human's {joint.replace('_', ' ')} overlap by {depth * 1e3:.1f} mm",
                where=f"{where}: {name}",
                valid="things beside the standing human",
                fix=f"move '{name}' away from the human, or change human.position",
            )


def _check_gap(model: mujoco.MjModel, data: mujoco.MjData, bodies: dict[str, int], name: str, where: str) -> None:
    """Raise for a thing with nothing right below it."""
    at = int(model.jnt_qposadr[model.body_jntadr[bodies[name]]])
    height = float(data.qpos[at + 2])
    probe = mujoco.MjData(model)
    probe.qpos[:] = data.qpos

    def touching(lowered: float) -> list[_Touch]:
        probe.qpos[at + 2] = height - lowered
        mujoco.mj_kinematics(model, probe)
        mujoco.mj_comPos(model, probe)
        mujoco.mj_collision(model, probe)
        return [t for t in _touches(model, probe, bodies) if name in (t.first, t.second)]

    low, high = 0.0, GAP_M
    if touching(high):
        return
    while not touching(high) and high < height + 2.0:
        low, high = high, 1.2 * high + GAP_M
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if touching(middle) else (middle, high)
    below = [t.second if t.first == name else t.first for t in touching(high)]
    raise SceneError(
        f"'{name}' floats {high * 1e3:.0f} mm above {f'the {below[0]}' if below else 'nothing'}",
        where=f"{where}: {name}",
        valid=f"a thing within {GAP_M * 1e3:g} mm of its support",
        fix=f"lower it by {high * 1e3:.0f} mm, to z = {height - high:.3f}, or leave z out of its position",
    )


def _left_alone(
    model: mujoco.MjModel, data: mujoco.MjData, bodies: dict[str, int]
) -> tuple[dict[str, float], dict[str, float]]:
    """How far things move and turn, by name."""
    before = {name: (data.xpos[body].copy(), data.xquat[body].copy()) for name, body in bodies.items()}
    for _ in range(round(SECONDS / model.opt.timestep)):
        mujoco.mj_step(model, data)
    mujoco.mj_kinematics(model, data)
    moved = {name: float(np.linalg.norm(data.xpos[body] - before[name][0])) for name, body in bodies.items()}
    turned = {name: float(rot.angle_between(data.xquat[body], before[name][1])) for name, body in bodies.items()}
    return moved, turned


def _check_reach(arranged: Arranged, where: str) -> None:
    """Raise when no hand gets to the nearest point of what should be moved."""
    setup, name = arranged.setup, arranged.setup.manipulated.name
    pose, mesh = arranged.object_start, arranged.models[name].mesh
    points = rot.rotate(pose[3:], mesh.vertices) + pose[:3]
    beyond, nearest = min(
        (reach_m(human(), setup.human, point), tuple(point)) for point in points[:: max(1, len(points) // 200)]
    )
    if beyond > 0:
        away = float(np.linalg.norm(np.subtract(nearest[:2], setup.human.position)))
        raise SceneError(
            f"'{name}' is out of reach: {away:.2f} m away at a height of {nearest[2]:.2f} m, {beyond:.2f} m too far",
            where=f"{where}: {name}",
            valid="a place that a hand of the leaning human gets to",
            fix=f"bring '{name}' (or the human) {beyond + 0.1:.1f} m nearer",
        )
