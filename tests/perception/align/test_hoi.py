"""Visual HOI alignment where the truth is known: the bundled clip's joints projected, spoiled, and recovered."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip, bone_offsets
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.core.skeleton import BODY19, HAND32, INDEX, JOINTS, TIPS, joint_class
from perception.align.calibrate import calibrate, first_points
from perception.align.config import AlignConfig, optimised, paper
from perception.align.first_frame import carry_first_pose
from perception.align.hoi import AlignmentRecord, align_hoi
from perception.align.objective import make_problem, weighted_terms
from perception.evaluation.metrics import closeness, mpjpe, reach_m
from perception.human.evidence import Evidence, FirstPose, Landmarks2D, ReachTarget
from perception.human.motion import SkeletonMotion, joint_positions

EVERY = 3
"""Of the clip's frames, one in so many: tests are quick."""

QUICK = AlignConfig(iterations=150, calibrate_frames=3)
RIGHT_TIPS = list(range(len(JOINTS) + 5, len(JOINTS) + 10))
WRIST = INDEX["right_wrist"]


@dataclass(frozen=True)
class Case:
    """The truth, what estimators made of it, and what may be looked at. `surface`: in the object's own frame."""

    clip: Clip
    truth: SkeletonMotion
    estimate: SkeletonMotion
    evidence: Evidence
    surface: np.ndarray


def can_surface(radius: float, height: float) -> np.ndarray:
    """Points on the side and the two ends of a can along z."""
    angle, z = np.meshgrid(np.linspace(0, 2 * np.pi, 32, endpoint=False), np.linspace(-height / 2, height / 2, 13))
    side = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1).reshape(-1, 3)
    return np.concatenate([side, side[:32] * [0.5, 0.5, 1], side[-32:] * [0.5, 0.5, 1]])


def every_point(motion: SkeletonMotion) -> np.ndarray:
    """The 62 points of each frame (T, 62, 3)."""
    frames = zip(motion.rotations, motion.root, strict=True)
    return np.stack([first_points(FirstPose(r, p, motion.offsets)) for r, p in frames])


def misread(truth: SkeletonMotion, rng: np.random.Generator) -> SkeletonMotion:
    """A motion as one view tells it: turns cut short, a bias and slow jitter in each joint of the upper body."""
    degrees = {"arm": 6.0, "wrist": 12.0, "finger": 10.0, "spine": 2.0, "leg": 0.0}
    size = np.radians([degrees[joint_class(n)] * (n not in ("pelvis", "neck", "head")) for n in JOINTS])
    start = np.broadcast_to(truth.rotations[:1], truth.rotations.shape)
    turn = rot.quat_log(rot.quat_mul(rot.quat_conj(start), truth.rotations)) * np.where(size > 0, 0.85, 1.0)[:, None]
    wave = np.sin(np.linspace(0, 6, truth.frames)[:, None, None] + rng.uniform(0, 6, size=(1, len(JOINTS), 3)))
    bias = size[None, :, None] * (rng.normal(size=(1, len(JOINTS), 3)) / np.sqrt(3) + 0.2 * wave)
    return replace(truth, rotations=rot.quat_mul(rot.quat_mul(start, rot.quat_exp(turn)), rot.quat_exp(bias)))


def landmarks(px: np.ndarray, points: tuple[int, ...], rng: np.random.Generator, noise_px: float) -> Landmarks2D:
    """Points as a network reads them: another idea of where each is (5 px), and noise."""
    shape = px[:, list(points)].shape
    seen = px[:, list(points)] + rng.normal(size=(1, *shape[1:])) * 5 + rng.normal(size=shape) * noise_px
    return Landmarks2D(seen, np.ones(shape[:2]), points)


@pytest.fixture(scope="module")
def case(request) -> Case:
    from devi_jax.core.clip_io import load_clip

    clip = load_clip(request.config.rootpath / "devi_jax/data/clips/lift_can.npz")
    assert clip.camera is not None and clip.object_start is not None
    rng = np.random.default_rng(1)
    quats, root = rot.quat_normalise(clip.joint_rotations.astype(float)), clip.joint_positions[:, 0].astype(float)
    truth = SkeletonMotion(clip.fps / EVERY, quats[::EVERY], root[::EVERY], bone_offsets(clip))
    px, _ = project(every_point(truth), clip.camera.K, clip.camera.T_camera_world)
    hands = (*HAND32, *range(len(JOINTS), len(JOINTS) + len(TIPS)))
    surface = can_surface(0.033, 0.12)
    moves = int(np.argmax(clip.object_poses.positions[:, 2] > clip.object_start[2] + 2e-3))  # type: ignore[union-attr]
    evidence = Evidence(
        camera=clip.camera,
        body=landmarks(px, BODY19, rng, 2.0),
        hands=landmarks(px, hands, rng, 2.0),
        first=FirstPose(truth.rotations[0], truth.root[0], truth.offsets),
        touch=ReachTarget(surface + clip.object_start[:3], (1,), moves // EVERY, -(-clip.onset // EVERY)),
    )
    return Case(clip, truth, misread(truth, rng), evidence, surface)


@pytest.fixture(scope="module")
def aligned(case) -> tuple[SkeletonMotion, AlignmentRecord]:
    assert case.evidence.first is not None
    return align_hoi(carry_first_pose(case.estimate, case.evidence.first), case.evidence, QUICK)


def contact(case: Case, motion: SkeletonMotion):
    poses = case.clip.object_poses
    assert poses is not None
    tips = every_point(motion)[:, RIGHT_TIPS]
    distance = reach_m(tips, case.surface, poses.positions[::EVERY], poses.rotations[::EVERY].astype(float))
    return closeness(distance, case.clip.contact[::EVERY, 1])


def pixels(case: Case, motion: SkeletonMotion) -> np.ndarray:
    return project(joint_positions(motion), case.evidence.camera.K, case.evidence.camera.T_camera_world)[0]


def test_hands_are_found_again_in_the_picture_and_on_the_object(case, aligned):
    truth = pixels(case, case.truth)
    before, after = (mpjpe(pixels(case, m), truth) for m in (case.estimate, aligned[0]))
    assert after.hand < before.hand / 4 and after.hand < 3
    assert after.body < before.body
    raw, reached = contact(case, case.estimate), contact(case, aligned[0])
    assert reached.precision[1] > max(0.8, 4 * raw.precision[1]) and reached.precision[0] == 1
    assert reached.d_hoi_m < raw.d_hoi_m / 2


def test_the_wrist_is_recovered_in_depth_too(case, aligned):
    around = slice(48 // EVERY, 64 // EVERY)
    true = joint_positions(case.truth)
    before, after = (
        np.linalg.norm(joint_positions(m) - true, axis=-1)[around, WRIST].mean() for m in (case.estimate, aligned[0])
    )
    assert before > 0.05 and after < 0.03
    assert mpjpe(joint_positions(aligned[0]), true).all < 0.6 * mpjpe(joint_positions(case.estimate), true).all


def test_legs_head_and_root_stay_and_the_first_frame_is_the_scenes(case, aligned):
    motion, first = aligned[0], case.evidence.first
    still = [i for i in range(len(JOINTS)) if i not in optimised(QUICK)]
    assert {JOINTS[i] for i in still} >= {"pelvis", "left_knee", "right_foot", "head", "left_collar"}
    carried = carry_first_pose(case.estimate, first)
    assert rot.angle_between(motion.rotations[:, still], carried.rotations[:, still]).max() < 1e-3
    np.testing.assert_allclose(motion.root, carried.root, atol=1e-6)
    assert rot.angle_between(motion.rotations[0], first.rotations).max() < 1e-3


def test_the_record_has_every_term_at_every_step(aligned):
    motion, record = aligned
    assert set(record.losses) == {"body", "hand", "temporal", "departure", "unrest", "hoi"}
    assert all(len(values) == record.steps for values in record.losses.values())
    total = sum(record.losses.values())
    assert total[-1] < 0.5 * total[0]
    assert motion.provenance["align_hoi"]["steps"] == record.steps


def test_a_true_motion_seen_truly_stays(case):
    truth = replace(case.truth, rotations=case.truth.rotations[::3], root=case.truth.root[::3])
    px, _ = project(every_point(truth), case.evidence.camera.K, case.evidence.camera.T_camera_world)
    both = (case.evidence.body.points, case.evidence.hands.points)
    seen = [Landmarks2D(px[:, list(p)], np.ones((truth.frames, len(p))), p) for p in both]
    evidence = Evidence(case.evidence.camera, *seen, first=case.evidence.first)
    config = replace(QUICK, iterations=100, weight_temporal=0.0, calibrate_frames=1)
    motion, _ = align_hoi(truth, evidence, config)
    gap = np.linalg.norm(joint_positions(motion) - joint_positions(truth), axis=-1)
    # Adam without decay shakes what the picture does not show
    assert gap.mean() < 8e-3 and gap.max() < 3e-2


def test_calibration_removes_constant_offsets_and_nothing_else(case):
    px, _ = project(first_points(case.evidence.first), case.evidence.camera.K, case.evidence.camera.T_camera_world)
    offset = np.random.default_rng(1).normal(size=(19, 2)) * 9
    moving = np.arange(10)[:, None, None] * np.where(np.arange(10) < 4, 0, 1)[:, None, None]
    seen = Landmarks2D(px[list(BODY19)] + offset + moving, np.ones((10, 19)), BODY19)
    seen.confidence[:, 3] = 0
    evidence = replace(case.evidence, body=seen)
    body = calibrate(evidence, 4).body
    kept = [i for i in range(19) if i != 3]
    np.testing.assert_allclose(body.px[:, kept], (px[list(BODY19)] + moving)[:, kept], atol=1e-9)
    np.testing.assert_array_equal(body.px[:, 3], seen.px[:, 3])
    assert calibrate(evidence, 0) is evidence and calibrate(replace(evidence, first=None), 4).body is seen


def test_the_papers_objective_is_the_sum_of_its_printed_terms(case):
    config, t = paper(), case.truth.frames
    problem = make_problem(case.estimate, case.evidence, config)
    parts = {n: float(v) for n, v in weighted_terms(problem, torch.zeros((t, len(problem.moving), 3)), config).items()}
    at = every_point(case.estimate)
    px, _ = project(at, case.evidence.camera.K, case.evidence.camera.T_camera_world)
    for name, seen in (("body", case.evidence.body), ("hand", case.evidence.hands)):
        square = ((px[:, list(seen.points)] - seen.px) ** 2).sum(-1)
        assert parts[name] == pytest.approx(square.mean(), rel=1e-3)
    quats = case.estimate.rotations
    angle = rot.angle_between(quats[1:], quats[:-1])
    body = [i for i in optimised(config) if i not in HAND32]
    hand = [i for i in optimised(config) if i in HAND32]
    expected = 1e4 * (angle[:, body].mean(-1) + angle[:, hand].mean(-1)).mean()
    assert parts["temporal"] == pytest.approx(expected, rel=1e-2)
    hands = at[: case.evidence.touch.moves, list(HAND32[16:])]
    gap = np.linalg.norm(hands[:, :, None] - case.evidence.touch.points, axis=-1).min(-1).mean(-1)
    assert parts["hoi"] == pytest.approx(500 * gap.min(), rel=1e-3)
    assert parts["departure"] == parts["unrest"] == 0


def test_sums_and_means_differ_by_the_number_of_terms(case):
    zero = torch.zeros((case.truth.frames, len(optimised(paper())), 3))
    problem = make_problem(case.estimate, case.evidence, paper())
    mean, total = (weighted_terms(problem, zero, replace(paper(), reduction=r)) for r in ("mean", "sum"))
    assert float(total["body"] / mean["body"]) == pytest.approx(19 * case.truth.frames, rel=1e-4)
    assert float(total["temporal"] / mean["temporal"]) == pytest.approx(case.truth.frames - 1, rel=1e-4)


def test_it_stops_when_nothing_is_won_and_gives_threads_back(case):
    before = torch.get_num_threads()
    steps = []
    _, record = align_hoi(
        case.estimate, case.evidence, replace(QUICK, patience=5, tolerance=0.9), lambda step, total: steps.append(step)
    )
    assert record.stopped == "settled" and record.steps == 10 == len(steps)
    assert torch.get_num_threads() == before
    _, record = align_hoi(case.truth, case.evidence, replace(QUICK, iterations=12, patience=2, tolerance=0.0))
    assert record.stopped == "steps" and record.steps == 12


def test_what_cannot_be_aligned_is_refused(case):
    with pytest.raises(ClipError, match="2D joints have shapes"):
        align_hoi(
            replace(case.estimate, rotations=case.estimate.rotations[:9], root=case.estimate.root[:9]), case.evidence
        )
    with pytest.raises(ConfigError, match="camera"):
        align_hoi(replace(case.estimate, frame="camera"), case.evidence)
    with pytest.raises(ConfigError, match="learning_rate"):
        align_hoi(case.estimate, case.evidence, AlignConfig(learning_rate=0.0))
    with pytest.raises(ClipError, match="contact at frame"):
        align_hoi(case.estimate, replace(case.evidence, touch=replace(case.evidence.touch, moves=10**6)))
