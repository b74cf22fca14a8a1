"""From a setup to pictures: its things placed, a motion scripted, a camera chosen, frames drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np

from devi_jax.core.camera import Camera, frontal
from devi_jax.core.errors import ConfigError
from devi_jax.core.scene_file import Role, SceneFile
from devi_jax.scripted_video.photo_renderer import PhotoRenderer
from devi_jax.scripted_video.place_human import body_for, standing_posture
from devi_jax.scripted_video.select_camera import CameraScores, Hand, rank_cameras
from devi_jax.scripted_video.validate_scene import validate_scene
from envs.animation import GradeName, Imperfection, degrade
from envs.animation.kinematics.posed_scene import PosedScene, index_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip
from envs.animation.planner.actions import ACTIONS, Action, Point, make_action
from envs.animation.planner.motion import PlannedMotion, to_clip
from envs.animation.planner.motion_planner import plan_action
from envs.animation.planner.planning_scene import planning_scene
from envs.embodiments.human import Body, Human
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.appearance import Scan
from envs.scenes.arrange import ArrangedScene, support_m

SHUTTER = 0.5
"""Part of a frame's time in which a shutter is open: 180 degrees."""

ASIDE_M = 0.2
PUSH_M = 0.12


@dataclass(frozen=True)
class ComposedScene:
    """A setup in numbers, settled, and its human and things before anything moves.

    `posture` (nq,): where everything is; `moved_m`: how far the least steady thing moved when left alone.
    """

    arranged: ArrangedScene
    body: Body
    stage: PosedScene
    posture: np.ndarray
    moved_m: float

    @property
    def setup(self) -> SceneFile:
        """As the user wrote it."""
        return self.arranged.setup

    @property
    def summary(self) -> str:
        """What stands there, in one line."""
        things = ", ".join(t.name if t.role == "manipulated" else f"{t.name} ({t.role})" for t in self.setup.things)
        where = "the floor" if self.setup.table is None else "a table"
        return f"{things} on {where}; left alone they move by {self.moved_m * 1e3:.1f} mm"


@dataclass(frozen=True)
class CameraChoice:
    """A camera, and how it came out of the ranking (A.3); `scores` is None for one that the user chose."""

    camera: Camera
    scores: CameraScores | None = None

    @property
    def summary(self) -> str:
        """Where it stands and what it sees, in one line."""
        size = f"{self.camera.width} x {self.camera.height}"
        if self.scores is None:
            return f"{size}, as asked for"
        s = self.scores
        seen = f"sees {s.left_hand:.0%} of the left hand, {s.right_hand:.0%} of the right, {s.object:.0%} of the object"
        return f"{size}, azimuth {s.azimuth_deg:+.0f}, elevation {s.elevation_deg:.0f} degrees; {seen}"


def with_manipulated(setup: SceneFile, thing: str, target: str | None, prompt: str) -> SceneFile:
    """The setup with `thing` manipulated, `target` the target, other targets props, and its prompt.

    Meshes are named by absolute paths, so that the scene can be written anywhere.
    """

    def role(name: str, was: Role) -> Role:
        if name == thing:
            return "manipulated"
        return "target" if name == target else "prop" if was == "manipulated" or target else was

    things = tuple(
        replace(
            t, role=role(t.name, t.role), model=str(Path(t.model).resolve()) if Path(t.model).is_file() else t.model
        )
        for t in setup.things
    )
    return replace(setup, things=things, prompt=prompt)


def compose_scene(setup: SceneFile) -> ComposedScene:
    """Find and place everything. Raises `SceneError` for what is not there, does not stand, or is out of reach."""
    settled = validate_scene(setup)
    spec, body = settled.arranged.scene, body_for(setup.human)
    stage = index_posed_scene(spec, build_spec(Scene(spec, Human(body)), SETTINGS["c"]).compile())
    posture = standing_posture(stage, setup.human)
    posture[stage.object] = settled.arranged.object_start
    return ComposedScene(settled.arranged, body, stage, posture, max(settled.moved_m.values()))


def script_motion(
    scene: ComposedScene, verb: str, target: str | Point | None, hands: tuple[Hand, ...]
) -> PlannedMotion:
    """The kinematic planner's motion for a verb of a prompt.

    Raises:
        ConfigError: no such verb, or no target where there has to be one.
        SceneError, ClipError: what cannot be held, reached or followed.
    """
    if verb not in ACTIONS:
        raise ConfigError(
            "no action of the prompt is one that the planner knows" if not verb else f"the planner cannot {verb}",
            where="--prompt, --generator=scripted",
            valid=", ".join(ACTIONS),
            fix="say it with one of these words, or take another --generator",
        )
    hand = "both" if len(hands) == 2 and verb != "hand_over" else hands[0]
    return plan_action(planning_scene(scene.arranged), _action(scene, verb, target, hand), hand)


def _action(scene: ComposedScene, verb: str, target: str | Point | None, hand: str) -> Action:
    if verb == "push":
        towards = {"right": (-PUSH_M, 0.0), "left": (PUSH_M, 0.0), "both": (0.0, PUSH_M)}[hand]
        return make_action(verb, shift_m=towards)
    if verb == "pour" and target is None:
        raise ConfigError("the prompt pours into nothing", where="--prompt", valid="a thing of the scene to pour into")
    if verb in ("place", "pour", "hammer"):
        return make_action(verb, target=default_target(scene) if target is None else target)
    return make_action(verb)


def default_target(scene: ComposedScene) -> Point:
    """A place on the support beside the manipulated thing, towards the middle: where it goes if nobody says where."""
    x, y = (float(v) for v in scene.arranged.object_start[:2])
    x += -ASIDE_M if x > 0 else ASIDE_M
    return (x, y, support_m(x, y, scene.setup.table))


def degrade_motion(motion: PlannedMotion, grade: GradeName | Imperfection, seed: int, camera: Camera) -> PlannedMotion:
    """The motion as wrong as an estimate from video: wrists off, trembling, fingers open, depth misjudged.

    Props stay; the thing moves on its rays from the camera where depth is misjudged.
    """
    clip = degrade(to_clip(motion, "motion", camera, ""), grade, seed)
    qpos = motion.qpos.copy()
    wrong = slice(0, motion.stage.object.stop)
    qpos[:, wrong] = postures_of_clip(motion.stage, clip)[:, wrong]
    return replace(motion, qpos=qpos, plan=motion.plan | {"degraded": clip.provenance["degraded"]})


def choose_camera(
    scene: ComposedScene,
    qpos: np.ndarray,
    hands: tuple[Hand, ...],
    preset: str,
    asked: tuple[float, float, float] | None,
    width: int,
) -> CameraChoice:
    """The best of DeVI's frontal cameras for a motion (T, nq), or the one asked for: azimuth and elevation in degrees,
    radius in metres. `width` pixels, 16 : 9.
    """
    if asked is not None:
        azimuth, elevation, radius = asked
        return CameraChoice(_wide(frontal(azimuth, elevation, radius, preset=preset), width))
    camera, scores = rank_cameras(scene.stage.model, qpos, hands, preset)[0]
    return CameraChoice(_wide(camera, width), scores)


def open_renderer(scene: ComposedScene, appearance: str | Scan, camera: Camera) -> PhotoRenderer:
    """The scene, dressed and furnished, before a camera. A context manager."""
    models = dict(scene.arranged.models)
    models["object"] = models.pop(scene.setup.manipulated.name)
    return PhotoRenderer(Scene(scene.arranged.scene, Human(scene.body)), appearance, camera, models)


def foreground_mask(renderer: PhotoRenderer, scene: ComposedScene, qpos: np.ndarray) -> np.ndarray:
    """Where person and things are in the picture of `qpos` (nq,), bool (height, width)."""
    names = ["pelvis", "object", *(prop.name for prop in scene.arranged.scene.props)]
    return np.isin(renderer.segmentation(qpos), [renderer.model.body(name).id for name in names])


def render_frames(renderer: PhotoRenderer, qpos: np.ndarray, pictures: int = 1) -> Iterator[np.ndarray]:
    """The pictures of a motion (T, nq), `pictures` a frame while a shutter is open on the way to the next frame."""
    model = renderer.model
    velocity = np.zeros(model.nv)
    for t, now in enumerate(qpos):
        mujoco.mj_differentiatePos(model, velocity, 1.0, now, qpos[min(t + 1, len(qpos) - 1)])
        for k in range(pictures):
            out = now.copy()
            mujoco.mj_integratePos(model, out, velocity, SHUTTER * k / pictures)
            yield renderer.frame(out)


def spoken_names(setup: SceneFile) -> Mapping[str, tuple[str, ...]]:
    """The things' names, and by what else a prompt may call them: the names of their models."""
    return {t.name: (Path(t.model.rpartition(":")[2]).stem,) for t in setup.things}


def _wide(camera: Camera, width: int) -> Camera:
    """The camera with a picture of `width` pixels, of even size."""
    height = round(camera.height * width / camera.width / 2) * 2
    K = np.diag([width / camera.width, height / camera.height, 1.0]) @ camera.K
    return Camera(K, camera.T_camera_world, width, height)
