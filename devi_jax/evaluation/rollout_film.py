"""The film of a rollout: reference beside simulation, and the clip's camera with 2D tracks drawn over it; or beside the
video that the clip is of."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.evaluation.rollouts import Rollouts
from devi_jax.rendering.camera_framing import moving_points, third_person
from devi_jax.rendering.film import film, strip
from devi_jax.rendering.panels import GREEN, RED, Dots, Footage, Panel
from devi_jax.systems.build import Assembly


def film_rollout(
    path: Path, picture: Path, assembly: Assembly, rollouts: Rollouts, video: np.ndarray | None = None
) -> None:
    """Write an mp4 of the first rollout, and a picture of a few of its frames.

    `video`: pictures (T, H, W, 3), uint8 RGB, of the video that the clip is of. They take the reference's place, and
    the simulation stands beside them as the clip's camera sees it.

    Raises:
        DeviceError: when this machine cannot render.
    """
    environment = assembly.environment
    model = environment.physics.model_of(int(environment.library.thing[0]))
    simulated = _finite(np.asarray(rollouts.qpos, float)[:, 0])
    shown = reference_qpos(assembly)
    third = third_person(moving_points(model, shown))
    green, red = _tracks(assembly, simulated)
    aside = Panel("simulation", model, simulated, third)
    title = "clip's camera: tracked points green, simulated red"
    seen = Panel(title, model, simulated, assembly.camera, (*green, *red))
    if video is None:
        panels = (Panel("reference", model, shown, third), aside, seen)
    else:
        panels = (Footage("video", video), replace(seen, title="simulation, by the video's camera", dots=()), aside)
    film(path, *panels, fps=round(environment.policy_hz))
    strip(picture, *panels[:2])


def reference_qpos(assembly: Assembly) -> np.ndarray:
    """The reference in MuJoCo's coordinates (T, nq); the object where the clip has it, else at its start."""
    reference, physics = assembly.environment.reference, assembly.environment.physics
    props = physics.scene.spec.prop_poses.reshape(-1, 7)
    objects = np.broadcast_to(props, (reference.frames, *props.shape))
    if reference.object_start is not None:
        thing = np.broadcast_to(np.asarray(reference.object_start), (reference.frames, 7))
        if reference.object_position is not None and reference.object_rotation is not None:
            thing = np.hstack([np.asarray(reference.object_position), np.asarray(reference.object_rotation)])
        objects = np.concatenate([thing[:, None], objects], axis=1)
    root, local = np.asarray(reference.position)[:, 0], np.asarray(reference.local)
    scalars = None if reference.scalars is None else np.asarray(reference.scalars)
    return physics.layout.pack_qpos(root, local, objects, scalars).astype(float)


def _tracks(assembly: Assembly, qpos: np.ndarray) -> tuple[list[Dots], list[Dots]]:
    """The clip's 2D tracks, and where the same points of the simulated object are seen; empty without an object."""
    reference, camera = assembly.environment.reference, assembly.camera
    if reference.points_px is None or reference.points_object is None or reference.visible is None:
        return [], []
    visible, points = np.asarray(reference.visible), np.asarray(reference.points_object, float)
    thing = qpos[:, None, assembly.environment.physics.layout.object().qpos]
    turned = rot.rotate(thing[..., 3:], np.broadcast_to(points, (len(qpos), *points.shape)))
    pixels, _ = project(turned + thing[..., :3], camera.K, camera.T_camera_world)
    return [Dots(np.asarray(reference.points_px), visible, GREEN)], [Dots(pixels, visible, RED)]


def _finite(qpos: np.ndarray) -> np.ndarray:
    """A diverged simulation is shown in its last finite configuration."""
    good = np.isfinite(qpos).all(axis=1)
    last = np.maximum.accumulate(np.where(good, np.arange(len(qpos)), 0))
    return qpos[last]
