"""From a video of a known scene to a recovered human and object, stage by stage; what comes out of each can be kept.

The stages know each other only by what they hand on: landmarks or estimates, tracks, a motion, the aligned motion.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from devi_jax.core.camera import project
from devi_jax.core.clip import ObjectTracks
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SIDES
from perception.align.config import AlignConfig
from perception.align.first_frame import Mode, align_first_frame, carry_first_pose
from perception.align.landmarks import body_landmarks, hand_landmarks
from perception.align.two_pass import align_two_pass
from perception.contact.by_object_poses import by_object_poses
from perception.contact.contact_labels import ContactConfig
from perception.contact.hand_object_contact import find_reach_target, first_motion, hand_labels, held_frames
from perception.contracts import BodyMotion, EstimateError, HandMotion, ObjectMotion, PointTracks
from perception.human.evidence import Evidence, HeldObject, Landmarks2D
from perception.human.merge_body_and_hands import UnifyConfig, unify
from perception.human.motion import SkeletonMotion, joint_positions, to_world
from perception.human.resolve_hand_flip import resolve_hand_flips
from perception.human.scene_prior import ScenePrior
from perception.landmarks.estimate import PersonLandmarks, estimate_landmarks
from perception.landmarks.evidence import hand_evidence
from perception.landmarks.hands_alone import estimate_hands
from perception.landmarks.lift import lift
from perception.landmarks.lift_hands_alone import lift_hands_alone
from perception.object_pose.carried import carry
from perception.object_pose.out_of_hand import without_strays
from perception.object_pose.outline_fit import Shape
from perception.object_pose.outline_path import follow_outline
from perception.object_pose.pose_tracker import track_pose
from perception.object_pose.rigid_hold import LEAST_TRACKS, hold_rigidly
from perception.object_tracks.track import track_points
from perception.object_tracks.visible import spread_points, visible_vertices
from perception.pipeline.to_clip import Reconstruction
from perception.video.video import Video, read

POINTS = 128
"""So many visible points of the object's surface are followed, spread over the picture."""

BESIDE_PART = 0.02
"""A tracker's first places may be off by this part of the diagonal: 24 px of 1175."""

NEAR_PART = 0.01
"""A point of a tracker's own belongs to the visible point that is this near in the first frame, over the diagonal."""


@dataclass(frozen=True)
class EstimatedHuman:
    """The human as estimated: `motion` with its first frame where the scene has it, and the 2D points to align to."""

    motion: SkeletonMotion
    body: Landmarks2D
    hands: Landmarks2D

    @property
    def hands_seen(self) -> np.ndarray:
        """Frames (T, 2) bool in which the left and the right hand are seen."""
        own = [[k for k, point in enumerate(self.hands.points) if point in hand] for hand in HAND_BODIES]
        return np.stack([(self.hands.confidence[:, k] > 0).any(axis=1) for k in own], axis=1)


def detect_landmarks(video: Video, known: ScenePrior, progress: Callable[[int], None] | None = None) -> PersonLandmarks:
    """Landmarks of the person whose hips are nearest to the scene's human, or of hands alone where the scene says so.

    Raises as `estimate_landmarks` and `estimate_hands` do.
    """
    if known.person == "hands":
        one_side = known.hands[0] if len(known.hands) == 1 else None
        return estimate_hands(read(video), video.fps, one_side, progress=progress)
    hips, _ = project(known.joints_world[:1], known.camera.K, known.camera.T_camera_world)
    return estimate_landmarks(read(video), video.fps, expected_px=hips[0], progress=progress)


def check_hands(seen: Mapping[str, bool], known: ScenePrior) -> None:
    """Raise `EstimateError` if a hand that the prompt has touch the object was seen in no frame."""
    missing = [side for side in known.hands if not seen.get(side, False)]
    if missing:
        raise EstimateError(
            f"the {' and the '.join(missing)} hand is seen in no frame, and it is the one that acts",
            where="hands",
            valid=f"a video that shows the {' and the '.join(known.hands)} hand",
            fix="take another camera (python -m devi_jax.imagine --camera), or --hands=TOOL:FILE",
        )


def lift_person(person: PersonLandmarks, known: ScenePrior) -> SkeletonMotion:
    """The human by closed-form lifting, hands alone by fitting them.

    Raises `EstimateError` if the body is not seen in the first frames, or no hand can be placed.
    """
    if known.person == "hands":
        return lift_hands_alone(person, known.camera, known.first, ground=known.ground)
    return resolve_hand_flips(lift(person, known.camera, known.first), known.camera)


def holding_hands(
    person: PersonLandmarks, points: PointTracks, known: ScenePrior, contact: ContactConfig, path: ObjectMotion
) -> SkeletonMotion:
    """Hands alone as `lift_person` has them, whose fingers stay as they are while they hold the object.

    `path`: the object's, which says as well when they do.
    """
    hands = hand_evidence(person)
    labels = hand_labels(points, hands, contact)
    held = held_frames(labels, points, hands, _holders(labels, known))
    held = by_object_poses(held, path.positions, path.found, path.fps)
    return lift_hands_alone(person, known.camera, known.first, ground=known.ground, held=held)


def _holders(labels: np.ndarray, known: ScenePrior) -> list[int]:
    """Which hands may hold the object: those that the prompt names, or all whose labels (T, 2) ever say so."""
    return [SIDES.index(side) for side in known.hands] or [side for side in (0, 1) if labels[:, side].any()]


def from_tools(
    body: BodyMotion, hands: Mapping[str, HandMotion], known: ScenePrior, mode: Mode, config: UnifyConfig
) -> EstimatedHuman:
    """The human by unification (A.5) and first-frame alignment. Raises what `unify` and `align_first_frame` raise."""
    raw = unify(body, hands, known.camera, known.first.offsets, config)
    placed = align_first_frame(to_world(raw, known.camera), known.first, mode)
    seen = {side: hands[side] for side in SIDES if side in hands}
    return EstimatedHuman(
        carry_first_pose(placed, known.first), body_landmarks(body, raw), hand_landmarks(seen, body.frames)
    )


def track_object(video: Video, known: ScenePrior, progress: Callable[[int], None] | None = None) -> PointTracks:
    """Tracks of the surface's points that the first frame shows; their ids count in `known.points`.

    Raises:
        EstimateError: there are none, or none lasts.
    """
    ids, px = query_points(known)
    return track_points(read(video), video.fps, px, ids, known.inside, progress=progress)


def query_points(known: ScenePrior) -> tuple[np.ndarray, np.ndarray]:
    """Points of the surface to track: which of `known.points` (N,), and their pixels in the first frame (N, 2)."""
    ids, px = visible_vertices(known.points_world, known.faces, known.camera, known.inside)
    chosen = spread_points(px, POINTS)
    return ids[chosen], px[chosen]


def object_tracks(points: PointTracks, known: ScenePrior) -> ObjectTracks:
    """The tracks as a clip has them: each with its place on the object, and its vertex where it is at one.

    A tracker's own points, which name none of `known.points`, get the visible one next to them in the first frame.

    Raises:
        EstimateError: they name a vertex that is not there, or none is on the object.
    """
    ids = points.vertex_id.astype(int)
    if ids.max() >= len(known.points):
        valid = f"0 to {len(known.points) - 1}, or -1"
        raise EstimateError(f"there is no vertex {ids.max()} of the object", where="points: vertex_id", valid=valid)
    own = (ids < 0) & (points.query_t == 0)
    if own.any():
        visible, px = visible_vertices(known.points_world, known.faces, known.camera, known.inside)
        gap = np.linalg.norm(points.xy[0, own, None] - px, axis=-1)
        near = gap.min(axis=1, initial=np.inf) <= NEAR_PART * known.camera.diagonal_px
        ids[own] = np.where(near, visible[gap.argmin(axis=1)], -1) if len(visible) else -1
    kept = ids >= 0
    if not kept.any():
        raise EstimateError(
            "no point of the tracks is on the object in the first frame",
            where="points",
            valid="points that begin in the first frame, on the object",
            fix="track this video, at its own size; --points=auto follows the object's visible vertices",
        )
    vertex = np.where(ids[kept] < len(known.vertices), ids[kept], -1)
    return ObjectTracks(points.xy[:, kept], points.visible[:, kept], known.points[ids[kept]], vertex)


def check_starts_on_object(points: PointTracks, known: ScenePrior) -> None:
    """Raise `EstimateError` unless tracks that name places of the object begin where the scene has these.

    It says by which factor all are too small or too large, as those of a video that was scaled before.
    """
    named = (points.vertex_id >= 0) & (points.vertex_id < len(known.points)) & (points.query_t == 0)
    if not named.any():
        return
    camera = known.camera
    want, _ = project(known.points_world[points.vertex_id[named].astype(int)], camera.K, camera.T_camera_world)
    found = points.xy[0, named]
    gap = float(np.median(np.linalg.norm(found - want, axis=-1)))
    if gap <= BESIDE_PART * camera.diagonal_px:
        return
    scale = float((found * want).sum() / max((found * found).sum(), 1e-9))
    scaled = np.median(np.linalg.norm(scale * found - want, axis=-1)) <= BESIDE_PART * camera.diagonal_px
    raise EstimateError(
        f"in frame 0 tracks lie {gap:.0f} px from the places on the object that they name",
        where="points",
        valid=f"at most {BESIDE_PART * camera.diagonal_px:.0f} px",
        fix=f"multiply them by {scale:.3g}: they are of a picture of another size"
        if scaled
        else "track this video, with the queries of this scene; --points=auto follows the object itself",
    )


def align(
    human: EstimatedHuman,
    points: PointTracks,
    known: ScenePrior,
    config: AlignConfig,
    contact: ContactConfig,
    progress: Callable[[int, float], None] | None = None,
    path: ObjectMotion | None = None,
) -> SkeletonMotion:
    """Visual HOI alignment (Eq. 10-14) with what is known of the scene; with the object's `path`, beyond its first
    motion as well (`AlignConfig.carry`). Raises what `align_hoi` raises.
    """
    touch = find_reach_target(points, human.hands, known.points_world, known.hands, contact)
    evidence = Evidence(known.camera, human.body, human.hands, known.first, touch)
    note: dict[str, Any] = {"touch": None}
    if touch is not None:
        note["touch"] = {"hands": list(touch.hands), "onset": touch.onset, "moves": touch.moves}
        if path is not None and config.carry:
            labels = hand_labels(points, human.hands, contact)
            held = held_frames(labels, points, human.hands, touch.hands) & path.found[:, None]
            carried = HeldObject(path.positions, path.rotations, held, known.points, touch.moves)
            evidence = replace(evidence, carried=carried)
            note["object_path"] = {"found": float(path.found.mean()), "held_frames": held.sum(axis=0).tolist()}
    motion, record = align_two_pass(human.motion, evidence, config, progress)
    note["seconds"] = round(record.seconds, 1)
    return replace(motion, provenance={**motion.provenance, "align_hoi": motion.provenance["align_hoi"] | note})


def track_object_pose(
    frames: Iterable[np.ndarray], points: PointTracks, known: ScenePrior, progress: Callable[[int], None] | None = None
) -> ObjectMotion:
    """The object's poses over the video."""

    def counted() -> Iterator[np.ndarray]:
        for t, frame in enumerate(frames):
            yield frame
            if progress is not None:
                progress(t + 1)

    moves = first_motion(points)
    return track_pose(counted(), points, known, points.frames if moves is None else moves)


def carry_object(
    path: ObjectMotion,
    points: PointTracks,
    human: EstimatedHuman,
    motion: SkeletonMotion,
    known: ScenePrior,
    contact: ContactConfig,
    frames: Iterable[np.ndarray],
) -> tuple[ObjectMotion, ObjectMotion]:
    """The object's path without poses that leave the hand that holds it, and the same with gaps bridged by that hand.

    `motion` is the aligned one. Of hands seen from near by, the object's outline in the `frames` fills gaps.
    """
    labels = hand_labels(points, human.hands, contact)
    held = held_frames(labels, points, human.hands, _holders(labels, known))
    seen = human.hands_seen
    if known.person == "hands":
        held = by_object_poses(held, path.positions, path.found, path.fps)
    trusted = without_strays(path, motion, held, seen)
    if known.person == "hands":  # seen from near by
        shape, tracks = Shape(known.vertices, known.faces), points.visible.sum(axis=1)
        trusted = follow_outline(frames, trusted, motion, held, known.camera, shape, doubtful=tracks < LEAST_TRACKS)
        trusted = without_strays(trusted, motion, held, seen)
        return trusted, hold_rigidly(carry(trusted, motion, held, seen), motion, held, seen, tracks, known)
    return trusted, carry(trusted, motion, held, seen)


def reconstruct(
    motion: SkeletonMotion,
    points: PointTracks,
    path: ObjectMotion | None,
    known: ScenePrior,
    provenance: Mapping[str, Any],
    seen: np.ndarray | None = None,
) -> Reconstruction:
    """All there is to know, ready for `export`; contact labels follow there. `seen`: see `object_seen` there."""
    at = joint_positions(motion)
    return Reconstruction(
        fps=motion.fps,
        rotations={name: motion.rotations[:, i] for i, name in enumerate(JOINTS)},
        positions={name: at[:, i] for i, name in enumerate(JOINTS)},
        camera=known.camera,
        scene=known.scene,
        object_tracks=object_tracks(points, known),
        object_start=known.object_start,
        object_motion=path,
        object_seen=seen,
        seen_near=known.person == "hands",
        provenance={**provenance, "motion": dict(motion.provenance), "points": asdict(points.origin)},
    )
