"""Kinematics in torch against the NumPy one, its gradients against finite differences."""

import numpy as np
import pytest
import torch

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.skeleton import JOINTS, PARENTS, TIPS
from perception.human import so3
from perception.human.kinematics import forward, points
from perception.human.skeleton_points import N_POINTS, fingertips

RNG = np.random.default_rng(0)


def random_pose(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Local quaternions (T, 52, 4), root positions (T, 3), offsets (52, 3)."""
    quats = rot.quat_exp(RNG.normal(size=(frames, len(JOINTS), 3)))
    return quats, RNG.normal(size=(frames, 3)), RNG.normal(size=(len(JOINTS), 3)) * 0.2


def test_positions_and_rotations_are_those_of_the_core():
    quats, root, offsets = random_pose(4)
    local = torch.from_numpy(rot.quat_to_matrix(quats))
    positions, rotations = forward(local, torch.from_numpy(root), torch.from_numpy(offsets))
    np.testing.assert_allclose(positions, forward_kinematics(quats, root, offsets), atol=1e-5)
    np.testing.assert_allclose(rotations, rot.quat_to_matrix(global_rotations(quats)), atol=1e-5)


def test_fingertips_continue_straight_fingers():
    _, root, offsets = random_pose(1)
    local = torch.eye(3, dtype=torch.float64).expand(1, len(JOINTS), 3, 3)
    at, turned = forward(local, torch.from_numpy(root), torch.from_numpy(offsets))
    every = points(at, turned, torch.from_numpy(fingertips(offsets, share=0.5))).numpy()[0]
    assert every.shape == (N_POINTS, 3)
    for tip, distal in zip(every[len(JOINTS) :], TIPS, strict=True):
        np.testing.assert_allclose(tip - every[distal], 0.5 * (every[distal] - every[PARENTS[distal]]), atol=1e-12)


def test_gradients_agree_with_finite_differences():
    _, root, offsets = random_pose(1)
    parts = [5, 18, 20, 30]

    def ends(rotvec: torch.Tensor, root: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        full = torch.zeros((1, len(JOINTS), 3), dtype=torch.float64).index_copy(1, torch.tensor(parts), rotvec)
        at, turned = forward(so3.exp(full), root, offsets)
        return points(at, turned, offsets[:10])[:, [15, 18, 20, 33, 55]]

    rotvec = torch.from_numpy(RNG.normal(size=(1, len(parts), 3)))
    rotvec[0, 0] = 0.0
    given = [x.requires_grad_() for x in (rotvec, torch.from_numpy(root), torch.from_numpy(offsets))]
    assert torch.autograd.gradcheck(ends, given, atol=1e-6)


def test_exponential_is_the_cores():
    rotvec = np.concatenate([RNG.normal(size=(20, 3)), np.zeros((1, 3)), np.full((1, 3), 1e-6)])
    matrix = so3.exp(torch.from_numpy(rotvec))
    np.testing.assert_allclose(matrix, rot.quat_to_matrix(rot.quat_exp(rotvec)), atol=1e-10)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 0.5, 3.0, np.pi])
def test_geodesic_is_the_angle_and_its_gradient_is_finite(angle):
    start = so3.exp(torch.tensor([[0.3, -1.0, 0.4]], dtype=torch.float64))
    turn = torch.tensor([[0.0, 0.6 * angle, 0.8 * angle]], dtype=torch.float64, requires_grad=True)
    between = so3.geodesic(start, start @ so3.exp(turn), softness=1e-5)
    assert between.item() == pytest.approx(angle, abs=2e-5 if angle < 3.1 else 2e-3)
    between.sum().backward()
    assert turn.grad is not None and torch.isfinite(turn.grad).all()
    if 0 < angle < 3.1:
        np.testing.assert_allclose(turn.grad[0], [0.0, 0.6, 0.8], atol=1e-3)
