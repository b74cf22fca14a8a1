"""A clip on its own body in MuJoCo, posed but not simulated: what overlaps, what touches, and back to a clip."""

from dataclasses import dataclass, replace

import mujoco
import numpy as np

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SIDES
from envs.animation.kinematics.posed_scene import PosedScene, index_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip
from envs.embodiments.human import Human
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME

FAR_M = 0.1
"""Distances are told apart up to here."""


@dataclass(frozen=True, eq=False)
class PosedClip:
    """A posed scene with the clip's own body, and the clip's postures `qpos` (T, nq) on it.

    Geom ids: `hands` of the 16 bodies a side (left, right), `parts` of the object, `feet` of both feet.
    """

    stage: PosedScene
    qpos: np.ndarray
    hands: tuple[np.ndarray, np.ndarray]
    parts: np.ndarray
    feet: np.ndarray

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.qpos)


def pose_clip(scene: Scene, clip: Clip) -> PosedClip:
    """The clip's postures in its scene; an object without poses stays where it starts."""
    human = scene.embodiment
    if not isinstance(human, Human):
        raise ClipError(f"{human.name} has no postures of a clip", where=clip.name, valid="a scene with a human")
    free = replace(scene, embodiment=replace(human, root="free"))
    model = build_spec(free, SETTINGS["c"]).compile()
    stage = index_posed_scene(scene.spec, model)
    names = [model.geom(g).name for g in range(model.ngeom)]
    qpos = postures_of_clip(stage, clip)
    if clip.object_poses is None and clip.object_start is not None:
        qpos[:, stage.object] = clip.object_start
    return PosedClip(
        stage=stage,
        qpos=qpos,
        hands=tuple(np.array([model.geom(JOINTS[i]).id for i in hand]) for hand in HAND_BODIES),  # type: ignore[arg-type]
        parts=np.array([g for g, name in enumerate(names) if name.split("/")[0] == OBJECT_NAME], int),
        feet=np.array([model.geom(f"{side}_{part}").id for side in SIDES for part in ("ankle", "foot")]),
    )


def with_postures(posed: PosedClip, clip: Clip, note: str) -> Clip:
    """The clip with the human of `posed`, and one more line in its provenance."""
    stage, model = posed.stage, posed.stage.model
    data = mujoco.MjData(model)
    bodies = [model.body(joint).id for joint in JOINTS]
    positions = np.zeros((posed.frames, len(bodies), 3))
    for t, q in enumerate(posed.qpos):
        data.qpos[:] = q
        mujoco.mj_kinematics(model, data)
        positions[t] = data.xpos[bodies]
    rotations = posed.qpos[:, stage.layout.rotation_qpos]
    return with_note(replace(clip, joint_rotations=rotations, joint_positions=positions), note)


def with_note(clip: Clip, note: str) -> Clip:
    """The clip with one more line under `repaired` in its provenance."""
    return replace(clip, provenance=clip.provenance | {"repaired": [*clip.provenance.get("repaired", []), note]})


def pose_frame(posed: PosedClip, t: int, scratch: mujoco.MjData | None = None) -> mujoco.MjData:
    """Frames of all bodies and geoms at frame t, in `scratch` if given."""
    data = mujoco.MjData(posed.stage.model) if scratch is None else scratch
    data.qpos[:] = posed.qpos[t]
    mujoco.mj_kinematics(posed.stage.model, data)
    return data


def clearances(model: mujoco.MjModel, data: mujoco.MjData, geoms: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Signed distance (G,) in metres from each of `geoms` to the nearest of `others`, capped at `FAR_M`."""
    out = np.full(len(geoms), FAR_M)
    scratch = np.zeros(6)
    apart = np.linalg.norm(data.geom_xpos[geoms][:, None] - data.geom_xpos[others], axis=-1)
    apart = apart - model.geom_rbound[geoms][:, None] - model.geom_rbound[others]
    apart[:, model.geom_rbound[others] == 0] = -np.inf  # planes
    for i, k in zip(*np.nonzero(apart < FAR_M), strict=True):
        if apart[i, k] < out[i]:
            out[i] = min(out[i], mujoco.mj_geomDistance(model, data, geoms[i], others[k], out[i], scratch))
    return out


def sole_heights(posed: PosedClip, data: mujoco.MjData) -> np.ndarray:
    """Heights (2, 3) above the floor of heel, ball and toes of both feet, metres: the lower of two corners each."""
    model, out = posed.stage.model, np.zeros((2, 3))
    for s, (hind, toes) in enumerate(posed.feet.reshape(2, 2)):
        for k, (geom, end) in enumerate(((hind, -1.0), (hind, 1.0), (toes, 1.0))):
            up = data.geom_xmat[geom].reshape(3, 3)[2]
            size = model.geom_size[geom]
            out[s, k] = data.geom_xpos[geom, 2] + end * up[1] * size[1] - up[2] * size[2] - abs(up[0]) * size[0]
    return out
