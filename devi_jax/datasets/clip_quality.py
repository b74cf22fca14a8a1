"""What can be measured about a clip before anyone trains on it: floating feet, slip, jumps, contact, object."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import trimesh
from scipy.spatial import KDTree

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, bone_offsets, forward_kinematics
from devi_jax.core.scene import ObjectSpec
from devi_jax.core.skeleton import HAND_BODIES, INDEX, SIDES
from devi_jax.datasets.grounding import foot_float_m

_SURFACE_POINTS = 4096
_STANCE_M = 0.02
_FEET = [INDEX["left_foot"], INDEX["right_foot"]]


@dataclass(frozen=True)
class ClipFinding:
    """One measured number, its unit, the range in which nothing needs to be done, and what to do outside of it."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    advice: str

    @property
    def verdict(self) -> Literal["ok", "warn"]:
        """`ok` inside the range."""
        return "ok" if self.low <= self.value <= self.high else "warn"

    @property
    def limit(self) -> str:
        """The range in words: an end that cannot be exceeded is left out."""
        if self.low == self.high:
            return f"{self.low:g}"
        return f"<= {self.high:g}" if self.low in (0, -math.inf) else f"{self.low:g} to {self.high:g}"


def measure(clip: Clip) -> list[ClipFinding]:
    """All findings that a clip's modalities allow; a clip without object has none about it."""
    return [*_of_human(clip), *_of_object(clip)]


def _of_human(clip: Clip) -> Iterator[ClipFinding]:
    yield ClipFinding(
        "frames", clip.frames, "", 15, 1e5, "half a second at least, so that there is something to imitate"
    )
    advice = "feet hover or sink: python -m devi_jax.clips repair CLIP --out=REPAIRED.npz"
    yield ClipFinding("foot float", foot_float_m(clip) * 1e3, "mm", -25, 15, advice)
    yield ClipFinding(
        "foot slip", foot_slip(clip), "m/s", 0, 0.1, "standing feet slide: expect worse tracking of the legs"
    )
    speed = np.linalg.norm(np.diff(clip.joint_positions, axis=0), axis=-1) * clip.fps
    frame = int(speed.max(axis=1).argmax())
    advice = f"a jump at frame {frame}: cut there with convert --start or --stop"
    yield ClipFinding("joint speed", float(speed.max()), "m/s", 0, 10, advice)
    rebuilt = forward_kinematics(clip.joint_rotations, clip.joint_positions[:, 0], bone_offsets(clip))
    gap = float(np.median(np.linalg.norm(rebuilt - clip.joint_positions, axis=-1)))
    yield ClipFinding(
        "kinematics", gap * 1e3, "mm", 0, 10, "positions and rotations disagree: convert the source again"
    )
    if "fk_error_mm" in clip.provenance:
        advice = "the source's positions depart from its rotations, which are kept: hands may miss by as much"
        yield ClipFinding("kinematics of the source", float(clip.provenance["fk_error_mm"]), "mm", 0, 10, advice)


def extraction_doubts(clip: Clip) -> list[str]:
    """What its extraction from a film found to be unusual or poor, a line each; none for clips of another origin."""
    figures = clip.provenance.get("quality")
    told = [f for f in figures if isinstance(f, dict)] if isinstance(figures, list) else []
    return [
        f"{figure.get('name')} {figure['value']:.3g} {figure.get('unit', '')}".rstrip()
        + f" is {figure['verdict']} (usual: {figure.get('usual')})"
        for figure in told
        if figure.get("verdict") in ("unusual", "poor") and isinstance(figure.get("value"), int | float)
    ]


def foot_slip(clip: Clip) -> float:
    """Mean horizontal speed of a standing foot in m/s: within 2 cm of the height at which this clip's feet stand."""
    feet = clip.joint_positions[:, _FEET]
    ground = np.percentile(feet[..., 2].min(axis=1), 5)
    standing = feet[1:, :, 2] < ground + _STANCE_M
    speed = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * clip.fps
    return float(speed[standing].mean()) if standing.any() else 0.0


def _of_object(clip: Clip) -> Iterator[ClipFinding]:
    spec, poses = clip.scene.object, clip.object_poses
    if spec is None:
        return
    touched = clip.contact.max(axis=1) > 0.5
    advice = "no hand ever touches: check the labels at the source"
    yield ClipFinding("contact frames", int(touched.sum()), "", 1, clip.frames, advice)
    if poses is None:
        return
    surface = surface_points(spec)
    if clip.onset > 0:  # else a hand may hold it from the start
        support = clip.scene.table.size[2] if clip.scene.table else 0.0
        lowest = (rot.rotate(poses.rotations[0], surface) + poses.positions[0])[:, 2].min() - support
        advice = "the object starts in the air or in its support: it falls or jumps first"
        yield ClipFinding("object gap", float(lowest) * 1e3, "mm", -10, 10, advice)
    if clip.onset > 1:
        speed = np.linalg.norm(np.diff(poses.positions[: clip.onset], axis=0), axis=-1) * clip.fps
        advice = "the object moves before a hand touches it: begin later with convert --start"
        yield ClipFinding("object speed before contact", float(speed.max()), "m/s", 0, 0.1, advice)
    for side, hand in enumerate(HAND_BODIES):
        frames = np.flatnonzero(clip.contact[:, side] > 0.5)
        if len(frames):
            gap = _hand_gap(clip, surface, frames, list(hand))
            advice = f"the {SIDES[side]} hand is labelled as touching but is away: check mesh (--mesh) and labels"
            yield ClipFinding(f"{SIDES[side]} hand to object in contact", gap * 1e3, "mm", 0, 50, advice)


def _hand_gap(clip: Clip, surface: np.ndarray, frames: np.ndarray, hand: list[int]) -> float:
    """Mean over `frames` of the distance from the object's surface to the nearest joint of a hand, metres."""
    assert clip.object_poses is not None
    joints = clip.joint_positions[frames][:, hand]
    position, rotation = clip.object_poses.positions[frames, None], clip.object_poses.rotations[frames, None]
    distance, _ = KDTree(surface).query(rot.rotate_inverse(rotation, joints - position))
    return float(distance.min(axis=1).mean())


def surface_points(spec: ObjectSpec) -> np.ndarray:
    """Points (4096, 3) spread over the object's surface, in its own frame, metres."""
    return np.asarray(trimesh.sample.sample_surface(as_trimesh(spec), _SURFACE_POINTS, seed=0)[0])


def as_trimesh(spec: ObjectSpec) -> trimesh.Trimesh:
    """The object's surface as triangles, in its own frame. `SceneError` for an object that is not sound."""
    spec.validate()
    match spec.shape:
        case "box":
            return trimesh.creation.box(extents=spec.size)
        case "sphere":
            return trimesh.creation.icosphere(radius=spec.size[0])
        case "can":
            return trimesh.creation.cylinder(radius=spec.size[0], height=spec.size[1])
        case "mesh":
            assert spec.mesh is not None  # validate() raised otherwise
            return trimesh.Trimesh(spec.mesh.vertices, spec.mesh.faces, process=False)
