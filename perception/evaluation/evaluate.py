"""One extraction against its truth, stage by stage: DeVI's Table 2 by its own measure, and what that leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip, global_rotations
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import BODY19, FINGERS, HAND32, INDEX, JOINTS, SIDES, TIPS, joint_class
from perception.align.calibrate import calibrate
from perception.evaluation.metrics import (
    Closeness,
    ContactScore,
    JointError,
    PoseError,
    TrackError,
    closeness,
    contact_score,
    joint_error,
    mpjpe,
    pose_error,
    reach_m,
    track_error,
)
from perception.human.evidence import Evidence, Landmarks2D
from perception.human.motion import SkeletonMotion, joint_positions
from perception.human.scene_prior import ScenePrior
from perception.human.skeleton_points import fingertips
from perception.pipeline.steps import EstimatedHuman

MOVED_M = 0.002
"""An object this far from where it began has moved."""

AT_LEAST = 6
"""Frames of a grasp that is shorter: an object may be gone as soon as it is touched."""

UPPER = tuple(i for i in BODY19 if joint_class(JOINTS[i]) != "leg")
"""The body's joints above the hips."""


@dataclass(frozen=True)
class Phases:
    """Frames of the true first contact and of the object's true first motion, of all; each hand's by side is in
    `hands`: those that ever touch."""

    onset: int
    moves: int
    frames: int
    hands: tuple[str, ...]

    @property
    def grasp(self) -> slice:
        """From the first contact until the object moves."""
        return slice(self.onset, max(self.moves, min(self.onset + AT_LEAST, self.frames)))

    @property
    def by_name(self) -> dict[str, slice]:
        """Reach, grasp and lift."""
        return {"reach": slice(0, self.onset), "grasp": self.grasp, "lift": slice(self.grasp.stop, self.frames)}


@dataclass(frozen=True)
class StageScore:
    """A motion. Pixels against the estimators' own 2D, their constant offsets taken out or not, and against the truth;
    metres against the truth; hands to object in frames of true contact, and before the object moves."""

    px_seen: JointError
    px_as_seen: JointError
    px: JointError
    joints_m: JointError
    upper_m: float
    wrist_contact_m: float
    wrist_held_m: float
    held: Closeness
    grasp: Closeness


@dataclass(frozen=True)
class HandDetectionScore:
    """Hands that act, in 2D. `found`: part of the frames of a phase in which they are seen; `sides`: part of the seen
    that lie at the right wrist; `px`: median error of their points by phase."""

    found: dict[str, float]
    sides: float
    px: dict[str, float]


@dataclass(frozen=True)
class EvaluationResult:
    """All of it: `stages` by name, and `truth`, what the true motion scores where hands meet the object. `object`: its
    poses from its first true motion on, None without poses or motion."""

    phases: Phases
    stages: dict[str, StageScore]
    truth: Closeness
    tracks: TrackError
    tracks_visible: float
    hands: HandDetectionScore
    labels: ContactScore
    object: PoseError | None

    @property
    def brief(self) -> str:
        """The first and the last stage in one line."""
        first, last = (list(self.stages.values())[k] for k in (0, -1))
        return (
            f"joints {first.px.all:.1f} -> {last.px.all:.1f} px, {1e3 * first.joints_m.all:.0f} -> "
            f"{1e3 * last.joints_m.all:.0f} mm; wrist {1e3 * last.wrist_contact_m:.0f} mm at contact, "
            f"{1e3 * last.wrist_held_m:.0f} held; contact F1 {self.labels.f1:.2f}"
        )


def evaluate_extraction(
    clip: Clip, motions: Mapping[str, SkeletonMotion], human: EstimatedHuman, known: ScenePrior, truth: Clip
) -> EvaluationResult:
    """Judge a clip and the motions on the way to it.

    Args:
        clip: as extracted.
        motions: by stage, in the world.
        human: what the estimators saw.
        known: what was known of the scene.
        truth: of the same video, with the object's poses.

    Raises:
        ClipError: the clip has no object tracks; the truth is of another length, has no object poses, or nothing is
            touched in it.
    """
    tracks, phases = clip.object_tracks, _phases(clip, truth)
    if tracks is None:
        raise ClipError("the clip has no object tracks", where=clip.name, valid="a clip that extract wrote")
    seen, as_seen = calibrate(Evidence(known.camera, human.body, human.hands, known.first), 8), human
    references = [_reference(e.body, e.hands) for e in (seen, as_seen)]
    held = [_scores(joint_positions(m), truth, known, phases, references) for m in motions.values()]
    true_px = _px(known, _placed(truth, tracks.points_object))
    return EvaluationResult(
        phases=phases,
        stages=dict(zip(motions, held, strict=True)),
        truth=_contact(truth.joint_positions, truth, known, phases.hands, slice(None)),
        tracks=track_error(tracks.points_px, true_px, tracks.visible),
        tracks_visible=float(tracks.visible.mean()),
        hands=_hands_seen(human.hands, truth, known, phases),
        labels=contact_score(clip.contact, truth.contact),
        object=_poses(clip, truth, phases),
    )


def _phases(clip: Clip, truth: Clip) -> Phases:
    if truth.frames != clip.frames or truth.object_poses is None or truth.onset == truth.frames:
        raise ClipError(
            f"the truth has {truth.frames} frames, the clip {clip.frames}"
            if truth.frames != clip.frames
            else "the truth has no object poses, or nothing is touched in it",
            where=truth.name,
            valid="the clip.npz that imagine wrote beside the video",
        )
    gone = np.linalg.norm(truth.object_poses.positions - truth.object_poses.positions[0], axis=1) > MOVED_M
    moves = int(np.argmax(gone)) if gone.any() else truth.frames
    hands = tuple(side for k, side in enumerate(SIDES) if (truth.contact[:, k] > 0.5).any())
    return Phases(truth.onset, max(moves, truth.onset), truth.frames, hands)


def _poses(clip: Clip, truth: Clip, phases: Phases) -> PoseError | None:
    if clip.object_poses is None or truth.object_poses is None or phases.moves == truth.frames:
        return None
    return pose_error(clip.object_poses, truth.object_poses, slice(phases.moves, None))


def _px(known: ScenePrior, points: np.ndarray) -> np.ndarray:
    return project(points, known.camera.K, known.camera.T_camera_world)[0]


def _placed(truth: Clip, points: np.ndarray) -> np.ndarray:
    """Points (M, 3) of the object where it truly is, (T, M, 3)."""
    poses = truth.object_poses
    assert poses is not None
    every = np.broadcast_to(points, (truth.frames, *points.shape))
    turns = np.broadcast_to(poses.rotations[:, None].astype(float), (*every.shape[:2], 4))
    return rot.rotate(turns, every) + poses.positions[:, None]


def _reference(*parts: Landmarks2D) -> tuple[np.ndarray, np.ndarray]:
    """What estimators saw of the 52 joints: pixels (T, 52, 2), and 1 where there is any, (T, 52)."""
    px = np.zeros((len(parts[0].px), len(JOINTS), 2))
    there = np.zeros(px.shape[:2])
    for part in parts:
        own = [k for k, point in enumerate(part.points) if point < len(JOINTS)]
        joints = [part.points[k] for k in own]
        sure = part.confidence[:, own] > 0
        px[:, joints] = np.where(sure[..., None], part.px[:, own], px[:, joints])
        there[:, joints] = np.maximum(there[:, joints], sure)
    return px, there


def _scores(
    joints: np.ndarray, truth: Clip, known: ScenePrior, phases: Phases, references: list[tuple[np.ndarray, np.ndarray]]
) -> StageScore:
    px, true = _px(known, joints), truth.joint_positions
    wrists = [INDEX[f"{side}_wrist"] for side in phases.hands]
    last = int(np.flatnonzero(truth.contact.any(axis=1))[-1])
    return StageScore(
        px_seen=mpjpe(px, *references[0]),
        px_as_seen=mpjpe(px, *references[1]),
        px=mpjpe(px, _px(known, true)),
        joints_m=mpjpe(joints, true),
        upper_m=joint_error(joints, true, UPPER),
        wrist_contact_m=joint_error(joints, true, wrists, phases.grasp),
        wrist_held_m=joint_error(joints, true, wrists, slice(phases.grasp.start, last + 1)),
        held=_contact(joints, truth, known, phases.hands, slice(None)),
        grasp=_contact(joints, truth, known, phases.hands, phases.grasp),
    )


def _contact(joints: np.ndarray, truth: Clip, known: ScenePrior, hands: tuple[str, ...], frames: slice) -> Closeness:
    """The last joint of each finger to the object where it truly is, over frames of true contact of either hand."""
    poses = truth.object_poses
    assert poses is not None
    distance, contact = [], []
    for side in hands:
        tips = [INDEX[f"{side}_{finger}3"] for finger in FINGERS]
        reach = reach_m(joints[:, tips], known.points, poses.positions, poses.rotations.astype(float))
        distance.append(reach[frames])
        contact.append(truth.contact[frames, SIDES.index(side)])
    return closeness(np.concatenate(distance), np.concatenate(contact))


def _hands_seen(seen: Landmarks2D, truth: Clip, known: ScenePrior, phases: Phases) -> HandDetectionScore:
    world = global_rotations(truth.joint_rotations.astype(float))[:, list(TIPS)]
    ends = truth.joint_positions[:, list(TIPS)] + rot.rotate(
        world, np.broadcast_to(fingertips(known.first.offsets), (truth.frames, len(TIPS), 3))
    )
    true_px = _px(known, np.concatenate([truth.joint_positions, ends], axis=1))
    gap = np.linalg.norm(seen.px - true_px[:, list(seen.points)], axis=-1)
    own = {side: _points_of(seen, k) for k, side in enumerate(SIDES) if side in phases.hands}
    there = {side: np.asarray((seen.confidence[:, at] > 0).any(axis=1)) for side, at in own.items()}
    right = [_at_own_wrist(seen, true_px, side)[there[side]] for side in own if there[side].any()]
    found, px = {}, {}
    for name, frames in phases.by_name.items():
        sure = [gap[frames][:, at][there[side][frames]].ravel() for side, at in own.items()]
        found[name] = (
            float(np.mean([there[side][frames].mean() for side in own])) if frames.stop > frames.start else 1.0
        )
        px[name] = float(np.median(np.concatenate(sure))) if sum(map(len, sure)) else float("nan")
    return HandDetectionScore(found, float(np.concatenate(right).mean()) if right else float("nan"), px)


def _points_of(seen: Landmarks2D, side: int) -> list[int]:
    half = len(TIPS) // 2
    mine = {*HAND32[16 * side : 16 * side + 16], *range(len(JOINTS) + half * side, len(JOINTS) + half * (side + 1))}
    return [k for k, point in enumerate(seen.points) if point in mine]


def _at_own_wrist(seen: Landmarks2D, true_px: np.ndarray, side: str) -> np.ndarray:
    """Whether a hand's wrist (T,) lies nearer to its own true wrist than to the other's."""
    wrists = {name: INDEX[f"{name}_wrist"] for name in SIDES}
    at = seen.px[:, seen.points.index(wrists[side])]
    far = {name: np.linalg.norm(at - true_px[:, joint], axis=-1) for name, joint in wrists.items()}
    other = next(name for name in SIDES if name != side)
    return far[side] < far[other]
