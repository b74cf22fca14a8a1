"""A clip held against what was seen of its video: joints against landmarks, the object against tracks and masks,
contact against distance, bones, speeds. No truth is needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip, bone_offsets, global_rotations
from devi_jax.core.skeleton import BODY19, HAND_BODIES, INDEX, PARENTS, SIDES, TIPS
from perception.contact.contact_labels import REFERENCE_DIAGONAL_PX
from perception.contact.hand_object_contact import first_motion
from perception.contracts import Masks, ObjectMotion, PointTracks
from perception.human.evidence import Landmarks2D
from perception.human.scene_prior import ScenePrior
from perception.human.skeleton_points import fingertips
from perception.landmarks.network_palm import KNUCKLES, PALM_POINTS, network_shifts
from perception.object_pose.pose_tracker import LEAST_POINTS
from perception.object_tracks.visible import outline
from perception.pipeline.steps import EstimatedHuman
from perception.pipeline.to_clip import off_tracks_px
from perception.quality.figure import QualityFigure, longest

HAND_PX = 12.0
"""Around projected joints of a hand so many pixels are the hand's."""
SAME_IOU = 0.5
"""A mask that overlaps so much with the object in the first frame is the object's."""
USUAL_IOU = 0.75

WRISTS = tuple(hand[0] for hand in HAND_BODIES)
PALMS = tuple([INDEX[f"{side}_{name}"] for name in ("wrist", *KNUCKLES)] for side in SIDES)
"""The palm's joints of each hand, as in `PALM_POINTS`."""
NETWORKS = "python -m devi_jax.extract --body=TOOL:FILE --hands=TOOL:FILE takes other estimators"
CAMERA = "are camera and scene those of the film? See the overlay"
LOST = "--points=TOOL:FILE takes another tracker; is the object where the scene has it?"


@dataclass(frozen=True)
class SeenVideo:
    """What a clip is held against: 2D points of the human, tracks and poses of the object, and what was known."""

    human: EstimatedHuman
    points: PointTracks
    path: ObjectMotion
    known: ScenePrior

    @property
    def scale(self) -> float:
        """What makes a pixel one of a picture 1024 x 576."""
        return REFERENCE_DIAGONAL_PX / self.known.camera.diagonal_px

    @property
    def moves(self) -> np.ndarray:
        """Frames (T,) from the object's first motion in its tracks on."""
        first = first_motion(self.points)
        return np.arange(self.points.frames) >= (self.points.frames if first is None else first)


def quality(clip: Clip, seen: SeenVideo, masks: Masks | None = None) -> list[QualityFigure]:
    """All figures; `masks`: of a tool, one of which may be the object's."""
    return [
        *of_human(clip, seen),
        *of_object(clip, seen),
        of_mask(clip, seen, masks),
        *of_contact(clip, seen),
        *of_motion(clip),
    ]


def of_human(clip: Clip, seen: SeenVideo) -> Iterator[QualityFigure]:
    """Projected joints from the landmarks that networks saw, and how much they saw."""
    body, hands = seen.human.body, seen.human.hands
    if seen.known.person == "whole":
        shown = body.confidence.max(axis=1) > 0
        yield QualityFigure("body seen, of frames", float(shown.mean()), "", 0.95, 0.6, NETWORKS, longest(~shown))
    for side in seen.known.hands:
        own = [k for k, point in enumerate(hands.points) if point in HAND_BODIES[SIDES.index(side)]]
        there = hands.confidence[:, own].max(axis=1, initial=0) > 0
        yield QualityFigure(
            f"{side} hand seen, of frames", float(there.mean()), "", 0.7, 0.3, NETWORKS, longest(~there)
        )
    px = projected_points(clip, seen)
    if seen.known.person == "hands":
        px = _landmark_px(px, clip, seen)
    wrists = np.fmin(*(_distance(px, points, WRISTS) for points in (body, hands))) * seen.scale
    yield _of_frames("wrists from their landmarks, median", wrists, 50, "px", 10, 15, CAMERA)
    yield _of_frames("wrists from their landmarks, 95th percentile", wrists, 95, "px", 25, 40, CAMERA)
    if seen.known.person == "hands":
        knuckles = _distance(px, hands, [joint for palm in PALMS for joint in palm[1:]]) * seen.scale
        yield _of_frames("knuckles from their landmarks, median", knuckles, 50, "px", 10, 20, CAMERA)
        yield _of_frames("knuckles from their landmarks, 95th percentile", knuckles, 95, "px", 30, 50, CAMERA)
        return
    joints = _distance(px, body, BODY19) * seen.scale
    yield _of_frames("body from its landmarks, median", joints, 50, "px", 15, 30, CAMERA)
    yield _of_frames("body from its landmarks, 95th percentile", joints, 95, "px", 40, 80, CAMERA)


def of_object(clip: Clip, seen: SeenVideo) -> Iterator[QualityFigure]:
    """How long something supports where the object is, and how far its poses are from its tracks."""
    points, moves = seen.points, seen.moves
    alive = points.visible.sum(axis=1) >= min(LEAST_POINTS, points.visible.shape[1])
    counted = moves if moves.any() else np.ones(points.frames, bool)
    yield QualityFigure(
        "object moves, frames",
        float(moves.sum()),
        "",
        3,
        1,
        "the object never leaves its place; is it the one that moves?",
    )
    yield _share("tracks alive while it moves", alive, counted, 0.8, -np.inf, LOST)
    yield _share("object followed while it moves", alive | seen.path.found, counted, 0.9, 0.6, LOST)
    if clip.object_poses is not None:
        yield _share("poses that something shows while it moves", seen.path.found, counted, 0.8, -np.inf, LOST)
    gap = np.full((points.frames, 1), np.nan)
    if clip.object_poses is not None and clip.object_tracks is not None:
        gap = off_tracks_px(clip.object_poses, clip.object_tracks, seen.known.camera) * seen.scale
    yield _of_frames("object from its tracks, median", gap, 50, "px", 4, 8, LOST)
    yield _of_frames("object from its tracks, 95th percentile", gap, 95, "px", 10, 25, LOST)


def of_mask(clip: Clip, seen: SeenVideo, masks: Masks | None) -> QualityFigure:
    """Intersection over union of the posed object and a tool's mask of it, where hands do not hide it."""
    iou = np.full(clip.frames, np.nan)
    which = None if masks is None else object_mask(masks, seen.known)
    if masks is not None and which is not None and clip.object_poses is not None:
        px = projected_points(clip, seen)
        for t in np.flatnonzero(seen.moves & (masks.scores[:, which] > 0)).tolist():
            counted = ~_hands(px[t], seen.known.inside.shape, HAND_PX / seen.scale)
            iou[t] = overlap(_posed_outline(clip, seen, t) & counted, masks.masks[t, which] & counted)
    told = iou[np.isfinite(iou)]
    value = float(np.median(told)) if told.size else None
    advice = f"{LOST} {CAMERA}"
    return QualityFigure("object over its mask, median", value, "", USUAL_IOU, 0.6, advice, longest(iou < USUAL_IOU))


def object_mask(masks: Masks, known: ScenePrior) -> int | None:
    """Which of a tool's masks is the object's: the one that covers what the scene has of it in the first frame."""
    shares = [overlap(mask, known.inside) for mask in masks.masks[0]]
    best = int(np.argmax(shares))
    return best if shares[best] >= SAME_IOU else None


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks; zero where both are empty."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def of_contact(clip: Clip, seen: SeenVideo) -> Iterator[QualityFigure]:
    """Distance of labelled hands from the object's surface, by its pose."""
    poses, surface = clip.object_poses, seen.known.points
    for s, side in enumerate(SIDES):
        held = clip.contact[:, s] > 0.5
        if poses is None or not held.any():
            continue
        gap = np.full(clip.frames, np.nan)
        for t in np.flatnonzero(held):
            local = rot.rotate_inverse(
                poses.rotations[t][None], clip.joint_positions[t, list(HAND_BODIES[s])] - poses.positions[t]
            )
            gap[t] = 1e3 * np.linalg.norm(local[:, None] - surface, axis=-1).min()
        advice = "hand and object are apart in depth where they touch in the picture; is the object's size right?"
        yield _of_frames(f"{side} hand from the object in contact, median", gap[:, None], 50, "mm", 30, 80, advice)


def of_motion(clip: Clip) -> Iterator[QualityFigure]:
    """Bones that change their length, and speeds that nobody has."""
    parents = np.array(PARENTS)
    moving = parents >= 0
    length = np.linalg.norm(clip.joint_positions[:, moving] - clip.joint_positions[:, parents[moving]], axis=-1)
    stretch = 100 * (length.max(axis=0) - length.min(axis=0)) / np.maximum(np.median(length, axis=0), 0.01)
    yield QualityFigure("bones change their length by", float(stretch.max()), "%", 2, 10, NETWORKS)
    speed = np.linalg.norm(np.diff(clip.joint_positions, axis=0, prepend=clip.joint_positions[:1]), axis=-1) * clip.fps
    yield _of_frames("fastest joint", speed, 100, "m/s", 6, 12, "a joint jumps; see the overlay there")
    if clip.object_poses is not None:
        at = clip.object_poses.positions
        speed = np.linalg.norm(np.diff(at, axis=0, prepend=at[:1]), axis=-1) * clip.fps
        yield _of_frames("fastest object", speed[:, None], 100, "m/s", 5, 12, "the object jumps; see the overlay there")


def projected_points(clip: Clip, seen: SeenVideo) -> np.ndarray:
    """Pixels (T, 62, 2) of the clip's joints and fingertips."""
    turned = global_rotations(clip.joint_rotations)[:, list(TIPS)]
    tips = np.broadcast_to(fingertips(bone_offsets(clip)), (clip.frames, len(TIPS), 3))
    ends = clip.joint_positions[:, list(TIPS)] + rot.rotate(turned, tips)
    camera = seen.known.camera
    return np.asarray(project(np.concatenate([clip.joint_positions, ends], axis=1), camera.K, camera.T_camera_world)[0])


def _landmark_px(px: np.ndarray, clip: Clip, seen: SeenVideo) -> np.ndarray:
    """`projected_points` (T, 62, 2), the joints of palms where the network has its points."""
    out, turned, camera = px.copy(), global_rotations(clip.joint_rotations), seen.known.camera
    for side, palm in zip(SIDES, PALMS, strict=True):
        shifts = network_shifts(bone_offsets(clip), side)[PALM_POINTS]
        wrist = np.broadcast_to(turned[:, palm[:1]], (clip.frames, len(palm), 4))
        at = clip.joint_positions[:, palm] + rot.rotate(wrist, np.broadcast_to(shifts, (clip.frames, len(palm), 3)))
        out[:, palm] = project(at, camera.K, camera.T_camera_world)[0]
    return out


def _distance(px: np.ndarray, seen: Landmarks2D, wanted: Sequence[int]) -> np.ndarray:
    """Pixels (T, len(wanted)) between projected points and their landmarks; NaN where there is none."""
    out = np.full((len(px), len(wanted)), np.nan)
    for k, point in enumerate(seen.points):
        if point in wanted:
            gap = np.linalg.norm(px[:, point] - seen.px[:, k], axis=-1)
            out[:, wanted.index(point)] = np.where(seen.confidence[:, k] > 0, gap, np.nan)
    return out


def _of_frames(
    name: str, value: np.ndarray, percentile: float, unit: str, usual: float, accepted: float, advice: str
) -> QualityFigure:
    """A percentile of values (T, N), NaN where there are none; frames whose largest is beyond `usual` are named."""
    there = value[np.isfinite(value)]
    told = float(np.percentile(there, percentile)) if there.size else None
    worst = np.where(np.isfinite(value), value, -np.inf).max(axis=1, initial=-np.inf)
    return QualityFigure(name, told, unit, usual, accepted, advice, longest(worst > usual))


def _share(
    name: str, holds: np.ndarray, counted: np.ndarray, usual: float, accepted: float, advice: str
) -> QualityFigure:
    """The part of the frames `counted` (T,) in which something `holds` (T,)."""
    return QualityFigure(name, float(holds[counted].mean()), "", usual, accepted, advice, longest(counted & ~holds))


def _posed_outline(clip: Clip, seen: SeenVideo, t: int) -> np.ndarray:
    assert clip.object_poses is not None
    known, turn = seen.known, clip.object_poses.rotations[t]
    world = rot.rotate(np.broadcast_to(turn, (len(known.vertices), 4)), known.vertices) + clip.object_poses.positions[t]
    return outline(world, known.faces, known.camera)


def _hands(px: np.ndarray, shape: tuple[int, ...], radius: float) -> np.ndarray:
    """Pixels (H, W) bool of both hands: discs about their joints and tips (62, 2), and bones between."""
    out = np.zeros(shape, np.uint8)
    width, at = max(int(2 * radius), 1), np.round(px).astype(int)
    for hand in HAND_BODIES:
        for joint in hand[1:]:
            cv2.line(out, at[PARENTS[joint]].tolist(), at[joint].tolist(), 1, width)
    for tip, joint in enumerate(TIPS):
        cv2.line(out, at[joint].tolist(), at[len(PARENTS) + tip].tolist(), 1, width)
    return out > 0
