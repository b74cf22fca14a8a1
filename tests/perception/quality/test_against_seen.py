"""Figures of quality on a clip and the film it truly is of, and on films that differ from it in one planted fault."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, bone_offsets
from devi_jax.core.skeleton import BODY19, HAND_BODIES, INDEX
from perception.contracts import EstimateError, Masks, ObjectMotion, Origin, PointTracks
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.motion import SkeletonMotion
from perception.human.scene_prior import ScenePrior
from perception.object_tracks.visible import outline
from perception.pipeline.steps import EstimatedHuman
from perception.quality.against_seen import SeenVideo, projected_points, quality, refuse_poor
from perception.quality.figure import QualityFigure, of_verdict, table

pytest.importorskip("cv2")

CAMERA = frontal(-45.0, width=512, height=288)
SIZE = (CAMERA.width, CAMERA.height)
EVERY = 3
BOX = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.06, 0.06)])
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([[q[i] for i in t] for q in QUADS for t in ((0, 1, 2), (0, 2, 3))])
GROUND, PAINT = (90, 130, 90), (200, 60, 40)


@pytest.fixture(scope="module")
def truth(lift_can) -> Clip:
    """A third of the bundled clip's frames, its can a box."""
    poses = lift_can.object_poses
    thin = slice(None, None, EVERY)
    clip = replace(
        lift_can,
        fps=lift_can.fps / EVERY,
        joint_rotations=lift_can.joint_rotations[thin].astype(float),
        joint_positions=lift_can.joint_positions[thin].astype(float),
        contact=lift_can.contact[thin],
        object_poses=ObjectPoses(poses.positions[thin].astype(float), poses.rotations[thin].astype(float)),
        provenance={},
    )
    px = object_px(clip)
    return replace(clip, object_tracks=ObjectTracks(px, np.ones(px.shape[:2], bool), BOX, np.arange(len(BOX))))


def object_px(clip: Clip) -> np.ndarray:
    turns = np.broadcast_to(clip.object_poses.rotations[:, None], (clip.frames, len(BOX), 4))
    world = rot.rotate(turns, np.broadcast_to(BOX, (clip.frames, *BOX.shape))) + clip.object_poses.positions[:, None]
    return project(world, CAMERA.K, CAMERA.T_camera_world)[0]


@pytest.fixture(scope="module")
def seen(truth) -> SeenVideo:
    """What perfect networks and a perfect tracker see of it."""
    start = np.concatenate([truth.object_poses.positions[0], truth.object_poses.rotations[0]])
    first = FirstPose(truth.joint_rotations[0], truth.joint_positions[0, 0], bone_offsets(truth))
    world = rot.rotate(np.broadcast_to(start[3:], (len(BOX), 4)), BOX) + start[:3]
    known = ScenePrior(CAMERA, truth.scene, first, BOX, FACES, start, outline(world, FACES, CAMERA), ("right",))
    motion = SkeletonMotion(truth.fps, truth.joint_rotations, truth.joint_positions[:, 0], first.offsets)
    there = np.ones((truth.frames, len(BOX)), bool)
    points = PointTracks(
        fps=truth.fps,
        size_px=SIZE,
        xy=object_px(truth),
        visible=there,
        conf=there * 1.0,
        query_t=np.zeros(len(BOX), int),
        vertex_id=np.arange(len(BOX)),
    )
    path = ObjectMotion(
        fps=truth.fps,
        size_px=SIZE,
        origin=Origin("test", "Apache-2.0", {}),
        positions=truth.object_poses.positions,
        rotations=truth.object_poses.rotations,
        found=np.ones(truth.frames, bool),
    )
    nothing = Landmarks2D(np.zeros((truth.frames, 0, 2)), np.zeros((truth.frames, 0)), ())
    without = SeenVideo(EstimatedHuman(motion, nothing, nothing), points, path, known)
    px = projected_points(truth, without)
    body, hands = tuple(BODY19), (*HAND_BODIES[0], *HAND_BODIES[1])
    human = EstimatedHuman(motion, landmarks(px, body), landmarks(px, hands))
    return replace(without, human=human)


def landmarks(px: np.ndarray, points: tuple[int, ...]) -> Landmarks2D:
    return Landmarks2D(px[:, list(points)], np.ones((len(px), len(points))), points)


def pictures(clip: Clip, paint: tuple[int, int, int] = PAINT) -> Iterator[np.ndarray]:
    """The box in one colour on a noisy ground of another."""
    rng = np.random.default_rng(0)
    for position, turn in zip(clip.object_poses.positions, clip.object_poses.rotations, strict=True):
        image = np.full((CAMERA.height, CAMERA.width, 3), GROUND, np.int16)
        image[outline(rot.rotate(np.broadcast_to(turn, (len(BOX), 4)), BOX) + position, FACES, CAMERA)] = paint
        yield np.clip(image + rng.integers(-12, 12, image.shape), 0, 255).astype(np.uint8)


def named(figures: list[QualityFigure], name: str) -> QualityFigure:
    return next(figure for figure in figures if figure.name.startswith(name))


def test_the_film_of_a_clip_has_nothing_against_it(truth, seen):
    figures = quality(truth, seen, pictures(truth))
    assert not of_verdict(figures, "poor") and not of_verdict(figures, "not measured"), table(figures)
    refuse_poor(figures, "film.mp4")
    for name in ("wrists", "body from", "object from its tracks"):
        assert named(figures, name).value == pytest.approx(0, abs=1e-6)
    assert named(figures, "object followed").value == named(figures, "body seen").value == 1
    assert named(figures, "object over its silhouette").value > 0.9
    assert named(figures, "bones").value < 1.5  # short ones, stored to a tenth of a millimetre
    moves = np.linalg.norm(object_px(truth) - object_px(truth)[0], axis=-1)
    assert named(figures, "object moves").value == pytest.approx((np.median(moves, axis=1) > 2).sum(), abs=1)


def test_wrists_elsewhere_than_their_landmarks_are_told_in_pixels_with_their_frames(truth, seen):
    hands = seen.human.hands
    px, late = hands.px.copy(), truth.frames // 2
    px[late:, :] += [15.0, 20.0]  # at half the size in which figures are told
    body = seen.human.body
    arms = replace(
        body, confidence=body.confidence * [p not in (HAND_BODIES[0][0], HAND_BODIES[1][0]) for p in body.points]
    )
    far = replace(seen, human=replace(seen.human, body=arms, hands=replace(hands, px=px)))
    figures = quality(truth, far, pictures(truth))
    worst = named(figures, "wrists from their landmarks, 95th")
    assert worst.value == pytest.approx(50) and worst.verdict == "poor" and worst.frames == (late, truth.frames - 1)
    with pytest.raises(EstimateError, match="95th percentile 50 px") as refused:
        refuse_poor(figures, "film.mp4")
    assert f"frames {late} to {truth.frames - 1}" in str(refused.value) and "--accept-poor" in str(refused.value)


def test_pixels_are_of_a_picture_of_one_size(truth, seen):
    """A film twice as large, with errors twice as large, has the same figures."""
    K = CAMERA.K * np.array([[2.0], [2.0], [1.0]])
    large = replace(CAMERA, K=K, width=2 * CAMERA.width, height=2 * CAMERA.height)
    body = replace(seen.human.body, px=2 * (seen.human.body.px + [7.0, 0.0]))
    hands = replace(seen.human.hands, px=2 * seen.human.hands.px)
    far = replace(seen, human=replace(seen.human, body=body, hands=hands), known=replace(seen.known, camera=large))
    bare = replace(truth, object_poses=None)
    assert named(quality(bare, far, ()), "body from its landmarks, median").value == pytest.approx(14)


def test_hands_and_bodies_that_nobody_sees_are_told(truth, seen):
    hands, body = seen.human.hands, seen.human.body
    gone = replace(hands, confidence=0 * hands.confidence)
    part = replace(body, confidence=body.confidence * (np.arange(truth.frames) % 2 == 0)[:, None])
    figures = quality(truth, replace(seen, human=replace(seen.human, body=part, hands=gone)), pictures(truth))
    assert named(figures, "right hand seen").value == 0 and named(figures, "right hand seen").verdict == "poor"
    assert named(figures, "body seen").value == pytest.approx(0.5, abs=0.02)


def test_an_object_whose_tracks_die_and_whose_looks_do_not_find_it_is_not_followed(truth, seen):
    """Tracks lost soon after it began to move, with nothing else that tells where it is."""
    moves, late = seen.moves, int(np.flatnonzero(seen.moves)[0]) + 5
    visible = np.ones(seen.points.visible.shape, bool)
    visible[late:] = False
    dead = replace(seen, points=replace(seen.points, visible=visible))
    figures = quality(truth, dead, pictures(truth))
    alive = named(figures, "tracks alive")
    assert alive.value == pytest.approx(5 / moves.sum()) and alive.verdict == "unusual"
    assert alive.frames == (late, truth.frames - 1) and named(figures, "object followed").verdict == "ok"
    unfound = replace(dead, path=replace(dead.path, found=visible[:, 0]))
    lost = named(quality(truth, unfound, pictures(truth)), "object followed")
    assert lost.value == alive.value and lost.verdict == "poor" and lost.frames == alive.frames


def test_an_object_beside_its_tracks_and_its_silhouette_is_told(truth, seen):
    aside = replace(
        truth, object_poses=replace(truth.object_poses, positions=truth.object_poses.positions + [0.05, 0, 0])
    )
    figures = quality(aside, seen, pictures(truth))
    off = np.linalg.norm(object_px(aside) - object_px(truth), axis=-1)
    assert named(figures, "object from its tracks, median").value == pytest.approx(2 * np.median(off))
    assert named(figures, "object from its tracks, median").verdict == "poor"
    assert named(figures, "object over its silhouette").verdict == "unusual"
    # a mask of a tool is believed in place of colours
    masks = np.stack([(image == 1).all(-1) for image in pictures_of_masks(truth)])[:, None]
    there = Masks(
        fps=truth.fps, size_px=SIZE, masks=masks, ids=np.array([1]), scores=np.ones((truth.frames, 1)), labels=("box",)
    )
    assert named(quality(truth, seen, pictures(truth), there), "object over").value == pytest.approx(1, abs=0.01)
    assert named(quality(aside, seen, pictures(truth), there), "object over").verdict == "poor"


def pictures_of_masks(clip: Clip) -> Iterator[np.ndarray]:
    for position, turn in zip(clip.object_poses.positions, clip.object_poses.rotations, strict=True):
        on = outline(rot.rotate(np.broadcast_to(turn, (len(BOX), 4)), BOX) + position, FACES, CAMERA)
        yield np.repeat(on[..., None], 3, axis=-1).astype(np.uint8)


def test_colours_of_the_ground_tell_no_silhouette(truth, seen):
    figure = named(quality(truth, seen, pictures(truth, GROUND)), "object over its silhouette")
    assert figure.value is None and figure.verdict == "not measured"


def test_contact_far_from_the_object_bones_and_jumps_are_told(truth, seen):
    figures = quality(truth, seen, pictures(truth))
    near = named(figures, "right hand from the object").value
    away = replace(truth.object_poses, positions=truth.object_poses.positions + [0, 0.5, 0])
    gap = named(quality(replace(truth, object_poses=away), seen, ()), "right hand from the object")
    assert near < 30 and gap.value > 300 and gap.verdict == "poor"
    at = truth.joint_positions.copy()
    at[5, INDEX["left_hand"] if "left_hand" in INDEX else HAND_BODIES[0][0]] += [0, 0, 1.0]
    figures = quality(replace(truth, joint_positions=at), seen, pictures(truth))
    assert named(figures, "bones").verdict == "poor"
    assert named(figures, "fastest joint").value == pytest.approx(1.0 * truth.fps, rel=0.1)
    assert named(figures, "fastest joint").frames == (5, 6)


def test_a_figure_says_its_verdict_and_bounds_either_way():
    high, low = (QualityFigure("a", value, "px", 10, 15, "") for value in (12.0, 9.0))
    assert (high.verdict, low.verdict, high.bounds) == ("unusual", "ok", "<= 10, at most 15")
    share = QualityFigure("b", 0.5, "", 0.9, 0.6, "", (3, 9))
    assert (share.verdict, share.bounds) == ("poor", ">= 0.9, at least 0.6") and "frames 3 to 9" in share.line
    assert replace(share, value=float("nan")).verdict == "poor" and replace(share, value=None).verdict == "not measured"
