"""From a system and a clip to an environment: body with the clip's bones, scene, engine, reference, reward terms."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, bone_offsets, resample
from devi_jax.datasets.grounding import BALL_HEIGHT_M, foot_float_m
from devi_jax.systems.requirements import require
from devi_jax.systems.reward_terms import TERMS
from devi_jax.systems.system import System
from envs.embodiments.human import human, with_offsets
from envs.physics import CONTROL_HZ, EngineName, Physics, Root, Scene, make_physics
from envs.physics.warp_capacity import fit
from envs.rewards import Rewards
from envs.tracking.actions import acting_joints
from envs.tracking.env import TrackingEnvironment
from envs.tracking.reference import prepare
from envs.tracking.resets import pre_contact_frame

PROBED = 32
"""States of a clip from which the room that MJX-Warp needs is found."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """An environment with what its film and its report need: the clip at the control rate, and its camera.

    `raw`: where the environment's targets are a plan's, the same environment with the reference's own.
    """

    environment: TrackingEnvironment
    clip: Clip
    camera: Camera
    raw: TrackingEnvironment | None = None


def make_scene(clip: Clip, root: Root) -> Scene:
    """The clip's scene with its own bone lengths; without a table the whole body may meet the object."""
    # skeletons differ by a centimetre in where the ball of the foot lies; a floating clip gets no platform soles
    ball = float(np.clip(foot_float_m(clip) + BALL_HEIGHT_M, 0.005, 0.03))
    body = with_offsets(human(), bone_offsets(clip), ball_m=ball)
    return Scene(clip.scene, body, root, touch="hands" if clip.scene.table else "all")


def assemble(system: System, clip: Clip, engine: EngineName, root: Root) -> Assembly:
    """Build everything. Raises `DeviError`s for a system, clip, camera or engine that does not fit."""
    system.validate()
    require(system, clip)
    clip = resample(clip, CONTROL_HZ)
    physics = make_physics(make_scene(clip, root), engine)
    reference, camera = prepare(clip, physics, system.environment)
    environment = TrackingEnvironment(
        physics=physics,
        reference=reference,
        config=system.environment,
        rewards=Rewards({name: TERMS[name] for name in system.rewards}, system.rewards, system.combine),
        pre_contact=pre_contact_frame(clip.onset, clip.frames, system.environment.reset.lead),
        onset=clip.onset,
        joints=acting_joints(system.environment.action, clip.contact, root),
    )
    if engine == "warp":
        environment = replace(environment, physics=_with_room(environment))
    return Assembly(environment, clip, camera)


def _with_room(environment: TrackingEnvironment) -> Physics:
    """Warp physics with buffers for what happens when the clip is replayed from anywhere."""
    frames = jnp.asarray(np.linspace(0, environment.reference.frames - 2, PROBED).astype(np.int32))
    states = jax.vmap(environment.start)(frames)
    controls = jax.vmap(lambda s: environment.control(s, jnp.zeros(environment.action_size)))(states)
    return fit(environment.physics, states.physics, controls)
