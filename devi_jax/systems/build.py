"""From a system and a clip to an environment: body with the clip's bones, scene, engine, reference, reward terms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, bone_offsets, resample
from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.grounding import BALL_HEIGHT_M, foot_float_m
from devi_jax.systems.requirements import require
from devi_jax.systems.system import System
from envs.embodiments.capsule_arm import CapsuleArm
from envs.embodiments.human import Human, human, with_offsets
from envs.physics import EngineName, HumanRoot, Physics, Scene, make_physics, make_shelf
from envs.physics.overlap import overlap_m
from envs.physics.warp_capacity import fit
from envs.rewards import Rewards
from envs.tracking.actions import make_action
from envs.tracking.arm_reference import make_arm_reference
from envs.tracking.env import Controllers, TrackingEnvironment
from envs.tracking.motion_library import make_library
from envs.tracking.reference import Reference, make_reference
from envs.tracking.resets import clear_frame, pre_contact_frame
from envs.tracking.terminations import Terminations

PROBED = 32
"""States of a clip from which the room that MJX-Warp needs is found."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """An environment with what its film and its report need: its clips at the control rate, and their cameras.

    `raw`: where the environment's targets are a plan's, the same environment with the reference's own.
    """

    system: System
    environment: TrackingEnvironment
    clips: tuple[Clip, ...]
    cameras: tuple[Camera, ...]
    raw: TrackingEnvironment | None = None

    @property
    def clip(self) -> Clip:
        """The first clip: of an assembly of one, its only one."""
        return self.clips[0]

    @property
    def camera(self) -> Camera:
        """The first clip's camera."""
        return self.cameras[0]

    def named(self, name: str | None) -> "Assembly":
        """The assembly of the clip of this name alone; without a name, of the only clip. Raises `ConfigError`."""
        names = [clip.name for clip in self.clips]
        if name is None and len(names) == 1:
            return self
        if name not in names:
            raise ConfigError(
                f"the run has {len(names)} clips" + (f", and none called {name}" if name else ""),
                where="--clip",
                valid=", ".join(names),
                fix=f"add --clip={names[0]}",
            )
        return self.only(names.index(name))

    def only(self, clip: int) -> "Assembly":
        """The assembly of one of the clips alone."""
        raw = None if self.raw is None else self.raw.only(clip)
        one = slice(clip, clip + 1)
        return Assembly(self.system, self.environment.only(clip), self.clips[one], self.cameras[one], raw)


SAME_BONES_M = 1e-3
"""Bones of clips that share a body may differ by this much."""


def make_shared_scene(clips: Sequence[Clip], root: HumanRoot) -> tuple[Scene, tuple[int, ...]]:
    """One scene for all clips, with the first one's bones, and which of its things each clip moves.

    Raises `ConfigError` where tables, props or bones differ.
    """
    first, names = clips[0], [clip.name for clip in clips]
    spec, shelf, things = make_shelf([clip.scene for clip in clips], names)
    bones = bone_offsets(first)
    for clip in clips[1:]:
        if (gap := float(np.abs(bone_offsets(clip) - bones).max())) > SAME_BONES_M:
            raise ConfigError(
                f"the bodies of {first.name} and {clip.name} differ by {1e3 * gap:.0f} mm",
                where="--clip",
                valid=f"clips of one body, within {1e3 * SAME_BONES_M:.0f} mm in every bone",
                fix="train a policy for each body",
            )
    return replace(make_scene(first, root), spec=spec, shelf=shelf), things


def make_arm_scene(clips: Sequence[Clip]) -> tuple[Scene, tuple[int, ...]]:
    """One scene for all clips with the arm where their human stood, and which of its things each clip moves.

    Raises `ConfigError` where tables or props differ.
    """
    spec, shelf, things = make_shelf([clip.scene for clip in clips], [clip.name for clip in clips])
    return Scene(spec, CapsuleArm(), shelf), things


def make_scene(clip: Clip, root: HumanRoot) -> Scene:
    """The clip's scene with its own bone lengths; without a table the whole body may meet the object."""
    # skeletons differ by a centimetre in where the ball of the foot lies; a floating clip gets no platform soles
    ball = float(np.clip(foot_float_m(clip) + BALL_HEIGHT_M, 0.005, 0.03))
    body = with_offsets(human(), bone_offsets(clip), ball_m=ball)
    return Scene(clip.scene, Human(body, root, touch="hands" if clip.scene.table else "all"))


STEP_M = 0.1
"""A foot that stays as near to where it began stands: a turn on the spot, or a shift of weight, is less."""


def moves(clip: Clip) -> bool:
    """Whether a clip is about the body's motion (`When`): nothing is handled, or a foot leaves where it stood."""
    ankles = clip.joint_positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]], :2]
    return clip.scene.object is None or bool(np.linalg.norm(ankles - ankles[:1], axis=-1).max() > STEP_M)


def assemble(system: System, clips: Clip | Sequence[Clip], engine: EngineName, root: HumanRoot) -> Assembly:
    """Build everything, for one clip or for several that are learned together.

    Raises `DeviError`s for a system, clip, camera or engine that does not fit, and for clips that do not fit together.
    """
    system.validate()
    clips = (clips,) if isinstance(clips, Clip) else tuple(clips)
    for clip in clips:
        require(system, clip)
    clips = tuple(resample(clip, system.timing.policy_hz) for clip in clips)
    arm = system.embodiment == "capsule_arm"
    scene, things = make_arm_scene(clips) if arm else make_shared_scene(clips, root)
    physics = make_physics(scene, engine, timing=system.timing)
    action = make_action(system.action, scene.embodiment, np.concatenate([clip.contact for clip in clips]))
    made = [
        make_arm_reference(clip, physics, system.object_points, system.arm_reference)
        if arm
        else make_reference(clip, physics, system.controllers, system.object_points, action)
        for clip in clips
    ]
    lead = system.resets.lead
    before = [_pre_contact(physics, c, r, lead, k) for c, (r, _), k in zip(clips, made, things, strict=True)]
    environment = TrackingEnvironment(
        physics=physics,
        library=make_library([reference for reference, _ in made], [clip.onset for clip in clips], before, things),
        config=system.task,
        observations=system.tables.of(moving=any(moves(clip) for clip in clips)),
        rewards=Rewards(system.rewards, system.combine),
        terminations=Terminations(system.terminations),
        controllers=Controllers(system.controllers),
        action=action,
    )
    if engine == "warp":
        environment = replace(environment, physics=_with_room(environment))
    return Assembly(system, environment, clips, tuple(camera for _, camera in made))


def _pre_contact(physics: Physics, clip: Clip, reference: Reference, lead: int, thing: int) -> int:
    """The last frame before contact, `lead` of them at least, at which nothing is in the object yet."""
    frame, objects = pre_contact_frame(clip.onset, clip.frames, lead), physics.scene.spec.prop_poses.reshape(-1, 7)
    if not frame or reference.object_start is None:
        return frame
    objects = np.concatenate([np.asarray(reference.object_start)[None], objects])
    scalars = None if reference.scalars is None else np.asarray(reference.scalars)
    qpos = physics.layout.pack_qpos(np.asarray(reference.position)[:, 0], np.asarray(reference.local), objects, scalars)
    return clear_frame(frame, overlap_m(physics, np.asarray(qpos), thing))


def _with_room(environment: TrackingEnvironment) -> Physics:
    """Warp physics with buffers for what happens when the clip is replayed from anywhere."""
    frames = jnp.asarray(np.linspace(0, environment.reference.frames - 2, PROBED).astype(np.int32))
    states = jax.vmap(environment.start)(frames)
    controls = jax.vmap(lambda s: environment.control(s, jnp.zeros(environment.action_size)))(states)
    return fit(environment.physics, states.physics, controls)
