"""Figures of quality on a clip and the film it truly is of, and on films that differ from it in one planted fault."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, bone_offsets, global_rotations
from devi_jax.core.skeleton import BODY19, HAND_BODIES, INDEX, SIDES
from perception.contracts import EstimateError, Masks, ObjectMotion, Origin, PointTracks
from perception.contracts.hand import HAND21
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.motion import SkeletonMotion
from perception.human.scene_prior import ScenePrior
from perception.landmarks.network_palm import KNUCKLES, network_shifts
from perception.object_tracks.visible import outline
from perception.pipeline.steps import EstimatedHuman
from perception.quality.against_seen import SeenVideo, projected_points, quality
from perception.quality.figure import QualityFigure, brief, of_verdict, refuse_poor, table

pytest.importorskip("cv2")

CAMERA = frontal(-45.0, width=512, height=288)
SIZE = (CAMERA.width, CAMERA.height)
EVERY = 3
BOX = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.06, 0.06)])
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([[q[i] for i in t] for q in QUADS for t in ((0, 1, 2), (0, 2, 3))])


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


def masks(clip: Clip, *, object_first: bool) -> Masks:
    """A tool's masks: a person's, who stands elsewhere, and the box where a clip has it."""
    poses = zip(clip.object_poses.positions, clip.object_poses.rotations, strict=True)
    box = np.stack([outline(rot.rotate(np.broadcast_to(q, (len(BOX), 4)), BOX) + p, FACES, CAMERA) for p, q in poses])
    person = np.zeros_like(box)
    person[:, 40:90, 60:90] = True
    both = np.stack([box, person] if object_first else [person, box], axis=1)
    labels = ("box", "person") if object_first else ("person", "box")
    return Masks(
        fps=clip.fps, size_px=SIZE, masks=both, ids=np.arange(2), scores=np.ones((clip.frames, 2)), labels=labels
    )


def named(figures: list[QualityFigure], name: str) -> QualityFigure:
    return next(figure for figure in figures if figure.name.startswith(name))


def test_the_film_of_a_clip_has_nothing_against_it(truth, seen):
    figures = quality(truth, seen)
    assert not of_verdict(figures, "poor"), table(figures)
    assert [figure.name for figure in of_verdict(figures, "not measured")] == ["object over its mask, median"]
    refuse_poor(figures, "film.mp4")
    for name in ("wrists", "body from", "object from its tracks"):
        assert named(figures, name).value == pytest.approx(0, abs=1e-6)
    assert named(figures, "object followed").value == named(figures, "body seen").value == 1
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
    figures = quality(truth, far)
    worst = named(figures, "wrists from their landmarks, 95th")
    assert worst.value == pytest.approx(50) and worst.verdict == "poor" and worst.frames == (late, truth.frames - 1)
    with pytest.raises(EstimateError, match="95th percentile 50 px") as refused:
        refuse_poor(figures, "film.mp4")
    assert f"frames {late} to {truth.frames - 1}" in str(refused.value) and "--accept-poor" in str(refused.value)


def test_of_hands_alone_palms_are_held_against_where_the_network_has_them(truth, seen):
    """A skeleton's wrist in the network's place is 24 mm off; knuckles elsewhere are told though wrists are right."""
    turned = global_rotations(truth.joint_rotations)
    shown = projected_points(truth, seen)
    for side, hand in zip(SIDES, HAND_BODIES, strict=True):
        shifts = network_shifts(bone_offsets(truth), side)
        for name in ("wrist", *KNUCKLES):
            joint = INDEX[f"{side}_{name}"]
            shift = np.broadcast_to(shifts[HAND21.index(name)], (truth.frames, 3))
            at = truth.joint_positions[:, joint] + rot.rotate(turned[:, hand[0]], shift)
            shown[:, joint] = project(at, CAMERA.K, CAMERA.T_camera_world)[0]
    own = landmarks(shown, seen.human.hands.points)
    alone = replace(seen, known=replace(seen.known, person="hands"), human=replace(seen.human, hands=own))
    figures = quality(truth, alone)
    assert named(figures, "wrists").value == pytest.approx(0, abs=1e-6)
    assert named(figures, "knuckles").value == pytest.approx(0, abs=1e-6)
    body = replace(seen.human.body, confidence=0 * seen.human.body.confidence)
    as_joints = quality(truth, replace(alone, human=replace(seen.human, body=body)))
    assert named(as_joints, "wrists").value > 1
    px = own.px.copy()
    knuckles = [k for k, p in enumerate(own.points) if p in [INDEX[f"{s}_{n}"] for s in SIDES for n in KNUCKLES]]
    px[:, knuckles] += [15.0, 20.0]
    bent = quality(truth, replace(alone, human=replace(alone.human, hands=replace(own, px=px))))
    assert named(bent, "wrists").verdict == "ok"
    assert named(bent, "knuckles").value == pytest.approx(50) and named(bent, "knuckles").verdict == "poor"


def test_poses_that_nothing_shows_are_told_with_their_frames_though_tracks_live(truth, seen):
    assert named(quality(truth, seen), "poses that something shows").value == 1
    moves = np.flatnonzero(seen.moves)
    gone = moves[: len(moves) // 2]
    found = ~np.isin(np.arange(truth.frames), gone)
    told = named(quality(truth, replace(seen, path=replace(seen.path, found=found))), "poses that something shows")
    assert told.value == pytest.approx(1 - len(gone) / len(moves)) and told.verdict == "unusual"
    assert told.frames == (gone[0], gone[-1])
    without = replace(truth, object_poses=None)
    assert not [f for f in quality(without, seen) if f.name.startswith("poses that")]


def test_pixels_are_of_a_picture_of_one_size(truth, seen):
    """A film twice as large, with errors twice as large, has the same figures."""
    K = CAMERA.K * np.array([[2.0], [2.0], [1.0]])
    large = replace(CAMERA, K=K, width=2 * CAMERA.width, height=2 * CAMERA.height)
    body = replace(seen.human.body, px=2 * (seen.human.body.px + [7.0, 0.0]))
    hands = replace(seen.human.hands, px=2 * seen.human.hands.px)
    far = replace(seen, human=replace(seen.human, body=body, hands=hands), known=replace(seen.known, camera=large))
    bare = replace(truth, object_poses=None)
    assert named(quality(bare, far), "body from its landmarks, median").value == pytest.approx(14)


def test_hands_and_bodies_that_nobody_sees_are_told(truth, seen):
    hands, body = seen.human.hands, seen.human.body
    gone = replace(hands, confidence=0 * hands.confidence)
    part = replace(body, confidence=body.confidence * (np.arange(truth.frames) % 2 == 0)[:, None])
    figures = quality(truth, replace(seen, human=replace(seen.human, body=part, hands=gone)))
    assert named(figures, "right hand seen").value == 0 and named(figures, "right hand seen").verdict == "poor"
    assert named(figures, "body seen").value == pytest.approx(0.5, abs=0.02)


def test_an_object_whose_tracks_die_and_whose_looks_do_not_find_it_is_not_followed(truth, seen):
    """Tracks lost soon after it began to move, with nothing else that tells where it is."""
    moves, late = seen.moves, int(np.flatnonzero(seen.moves)[0]) + 5
    visible = np.ones(seen.points.visible.shape, bool)
    visible[late:] = False
    dead = replace(seen, points=replace(seen.points, visible=visible))
    figures = quality(truth, dead)
    alive = named(figures, "tracks alive")
    assert alive.value == pytest.approx(5 / moves.sum()) and alive.verdict == "unusual"
    assert alive.frames == (late, truth.frames - 1) and named(figures, "object followed").verdict == "ok"
    unfound = replace(dead, path=replace(dead.path, found=visible[:, 0]))
    lost = named(quality(truth, unfound), "object followed")
    assert lost.value == alive.value and lost.verdict == "poor" and lost.frames == alive.frames


def test_an_object_beside_its_tracks_is_told(truth, seen):
    aside = replace(
        truth, object_poses=replace(truth.object_poses, positions=truth.object_poses.positions + [0.05, 0, 0])
    )
    figures = quality(aside, seen)
    off = np.linalg.norm(object_px(aside) - object_px(truth), axis=-1)
    assert named(figures, "object from its tracks, median").value == pytest.approx(2 * np.median(off))
    assert named(figures, "object from its tracks, median").verdict == "poor"


@pytest.mark.parametrize("object_first", [True, False])
def test_the_object_is_held_against_the_mask_that_covers_it_at_first_and_against_no_other(truth, seen, object_first):
    told = masks(truth, object_first=object_first)
    assert named(quality(truth, seen, told), "object over").value == pytest.approx(1, abs=0.01)
    late = seen.moves
    moved = truth.object_poses.positions + np.where(late[:, None], [0.1, 0, 0], 0.0)
    aside = replace(truth, object_poses=replace(truth.object_poses, positions=moved))
    figure = named(quality(aside, seen, told), "object over")
    assert figure.verdict == "poor" and figure.value < 0.3 and figure.frames == (late.argmax(), truth.frames - 1)
    # frames in which the tool did not see it, and the mask of a person alone, tell nothing
    which = 0 if object_first else 1
    unseen = replace(told, scores=np.where(np.arange(2) == which, 0.0, told.scores))
    person = replace(
        told, masks=told.masks[:, [1 - which]], ids=np.arange(1), scores=told.scores[:, :1], labels=("person",)
    )
    for nothing in (unseen, person):
        assert named(quality(aside, seen, nothing), "object over").verdict == "not measured"


def test_contact_far_from_the_object_bones_and_jumps_are_told(truth, seen):
    figures = quality(truth, seen)
    near = named(figures, "right hand from the object").value
    away = replace(truth.object_poses, positions=truth.object_poses.positions + [0, 0.5, 0])
    gap = named(quality(replace(truth, object_poses=away), seen), "right hand from the object")
    assert near < 30 and gap.value > 300 and gap.verdict == "poor"
    at = truth.joint_positions.copy()
    at[5, HAND_BODIES[0][0]] += [0, 0, 1.0]
    figures = quality(replace(truth, joint_positions=at), seen)
    assert named(figures, "bones").verdict == "poor"
    assert named(figures, "fastest joint").value == pytest.approx(1.0 * truth.fps, rel=0.1)
    assert named(figures, "fastest joint").frames == (5, 6)


def test_a_figure_says_its_verdict_and_bounds_either_way():
    high, low = (QualityFigure("a", value, "px", 10, 15, "") for value in (12.0, 9.0))
    assert (high.verdict, low.verdict, high.bounds) == ("unusual", "ok", "<= 10, at most 15")
    share = QualityFigure("b", 0.5, "", 0.9, 0.6, "", (3, 9))
    assert (share.verdict, share.bounds) == ("poor", ">= 0.9, at least 0.6") and "frames 3 to 9" in share.line
    never = replace(share, accepted=-np.inf)
    assert (never.verdict, never.bounds, never.record["accepted"]) == ("unusual", ">= 0.9", None)
    assert brief([high, low, share]) == "1 ok, 1 unusual, 1 poor, 0 not measured"
    assert replace(share, value=float("nan")).verdict == "poor" and replace(share, value=None).verdict == "not measured"
