"""Which camera films a scene: DeVI's sixteen candidates (A.3), the frontal ones ranked by what they really see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np

from devi_jax.core.camera import Camera, frontal, project
from devi_jax.core.errors import CameraError
from devi_jax.core.skeleton import HAND_BODIES, JOINTS
from devi_jax.rendering.renderer import Quality, Renderer

Hand = Literal["left", "right"]

AZIMUTHS_DEG = tuple(range(-135, 181, 45))
ELEVATIONS_DEG = (15, 30)
FRONTAL_DEG = (-45, 0, 45)
"""Azimuths of the six frontal views, from +y in front of the human towards its right hand."""

RADII_M = (1.5, 1.6, 1.7, 1.8, 2.0, 2.3, 2.7, 3.3, 4.0)
"""DeVI's radius, and larger ones for scenes that do not fit into its pictures."""

ALIKE = 0.05
"""Scores that differ by less are alike, and the side decides."""

_SIZE = (512, 288)
_MARGIN = 0.02  # share of the picture's width and height


@dataclass(frozen=True)
class CameraScores:
    """What a camera sees, mean over frames: visible shares of the hands' and the object's pixels, each in [0, 1].

    `in_picture`: share of hands, head and object that lies within the picture, of the worst frame. `object` is 1 where
    there is none.
    """

    azimuth_deg: float
    elevation_deg: float
    radius_m: float
    left_hand: float
    right_hand: float
    object: float
    in_picture: float

    @property
    def total(self) -> float:
        """Mean visible share, zero unless all is in the picture."""
        return (self.left_hand + self.right_hand + self.object) / 3 if self.in_picture == 1.0 else 0.0


def candidates(preset: str = "paper", radius_m: float = 1.5) -> list[tuple[float, float, Camera]]:
    """The sixteen cameras of DeVI A.3: azimuth and elevation in degrees, and the camera, which looks at (0, 0, 1)."""
    return [(a, e, frontal(a, e, radius_m, preset=preset)) for e in ELEVATIONS_DEG for a in AZIMUTHS_DEG]


def rank_cameras(
    model: mujoco.MjModel,
    qpos: np.ndarray,
    grasping: Sequence[Hand] = ("right",),
    preset: str = "paper",
    samples: int = 4,
) -> list[tuple[Camera, CameraScores]]:
    """The six frontal cameras, best first.

    Ranked by `CameraScores.total`. Among nearly equal ones: first from the side opposite to the grasping hand, whose
    fingers hide the object from their own side; then that side; last frontal views, which lose the depth of a reach.
    All six are moved away from the human until one has everything in its picture.

    Args:
        model: the scene as it is simulated, undressed.
        qpos: (nq,) the start, or (T, nq) a motion, of which `samples` frames are looked at.
        grasping: the hand, or both.

    Raises:
        CameraError: no radius shows hands, head and object of all frames. DeviceError: this machine cannot render.
    """
    motion = np.atleast_2d(qpos)
    chosen = motion[np.unique(np.linspace(0, len(motion) - 1, samples).astype(int))]
    parts = _parts(model)
    with Renderer(model, *_SIZE, Quality(oversampling=1.0)) as renderer:
        for radius in RADII_M:
            views = [v for v in candidates(preset, radius) if v[0] in FRONTAL_DEG]
            inside = [_in_picture(model, chosen, parts, camera) for _, _, camera in views]
            if max(inside) < 1.0:
                continue
            scored = [
                (camera, CameraScores(a, e, radius, **_visible(renderer, chosen, parts, camera), in_picture=share))
                for (a, e, camera), share in zip(views, inside, strict=True)
            ]
            return sorted(scored, key=lambda pair: camera_order(pair[1], max(s.total for _, s in scored), grasping))
    raise CameraError(
        "no frontal camera has hands, head and object of all frames in its picture",
        where="cameras",
        valid=f"an action within reach of the human; radii up to {RADII_M[-1]} m about (0, 0, 1) were tried",
    )


def camera_order(scores: CameraScores, best: float, grasping: Sequence[Hand]) -> tuple[int, int, float]:
    """Sort key: how many steps below the best, then the side, then the score itself."""
    towards = {"left": -1, "right": 1}.get(grasping[0], 1) if len(set(grasping)) == 1 else 1
    side = scores.azimuth_deg * towards
    preference = 0 if side < 0 else 1 if side > 0 else 2
    return int((best - scores.total) / ALIKE), preference, -scores.total


def _parts(model: mujoco.MjModel) -> dict[str, list[int]]:
    """Ids of the bodies of each part that should be seen."""
    hands = [[model.body(JOINTS[j]).id for j in hand] for hand in HAND_BODIES]
    named = [i for i in range(model.nbody) if model.body(i).name == "object"]
    return {"left_hand": hands[0], "right_hand": hands[1], "object": named}


def _in_picture(model: mujoco.MjModel, qpos: np.ndarray, parts: dict[str, list[int]], camera: Camera) -> float:
    """Share of the parts' and the head's geoms whose outermost points are in the picture, in the worst frame."""
    bodies = [*(b for part in parts.values() for b in part), model.body("head").id]
    geoms = np.flatnonzero(np.isin(model.geom_bodyid, bodies))
    data, worst = mujoco.MjData(model), 1.0
    for configuration in qpos:
        data.qpos[:] = configuration
        mujoco.mj_kinematics(model, data)
        reach = model.geom_rbound[geoms, None, None] * np.concatenate([np.eye(3), -np.eye(3)])
        pixels, depth = project((data.geom_xpos[geoms, None] + reach), camera.K, camera.T_camera_world)
        share = pixels / np.array([camera.width, camera.height])
        seen = ((share > _MARGIN) & (share < 1 - _MARGIN)).all(axis=-1) & (depth > 0)
        worst = min(worst, float(seen.all(axis=1).mean()))
    return worst


def _visible(renderer: Renderer, qpos: np.ndarray, parts: dict[str, list[int]], camera: Camera) -> dict[str, float]:
    """Share of each part's pixels that nothing hides, mean over frames; 1 for a part without any."""
    shares: dict[str, list[float]] = {name: [] for name in parts}
    for configuration in qpos:
        everything = renderer.segmentation(configuration, camera)
        for name, bodies in parts.items():
            alone = np.isin(renderer.segmentation(configuration, camera, bodies), bodies).sum() if bodies else 0
            shares[name].append(float(np.isin(everything, bodies).sum() / alone) if alone else 1.0)
    return {name: float(np.mean(values)) for name, values in shares.items()}
