"""Each term of visual HOI alignment against its formula."""

import numpy as np
import pytest
import torch

from devi_jax.core import camera as core_camera
from devi_jax.core import rotations as rot
from perception.align import losses
from perception.human import so3

RNG = np.random.default_rng(0)


def tensor(x) -> torch.Tensor:
    return torch.as_tensor(np.asarray(x), dtype=torch.float64)


def test_projection_is_the_cores():
    camera = core_camera.frontal(30)
    points = RNG.uniform(-0.3, 0.3, size=(4, 6, 3)) + [0, 0, 1]
    px, _ = core_camera.project(points, camera.K, camera.T_camera_world)
    seen = losses.project(tensor(points), tensor(camera.K), tensor(camera.T_camera_world))
    np.testing.assert_allclose(seen, px, atol=1e-9)


def test_projection_loss_is_a_square_that_becomes_a_line():
    px = torch.zeros((1, 3, 2), dtype=torch.float64)
    seen = tensor([[[3.0, 4.0], [0.0, 10.0], [0.0, 20.0]]])
    confidence = tensor([[1.0, 0.5, 1.0]])
    np.testing.assert_allclose(losses.reprojection(seen, px, confidence, float("inf")), [[25, 50, 400]])
    np.testing.assert_allclose(losses.reprojection(seen, px, confidence, 8.0), [[25, 0.5 * 96, 2 * 8 * 20 - 64]])


def test_a_point_that_agrees_has_no_pull_and_no_nan():
    px = torch.zeros((1, 1, 2), dtype=torch.float64, requires_grad=True)
    losses.reprojection(px, torch.zeros((1, 1, 2)), torch.ones((1, 1)), 8.0).sum().backward()
    assert px.grad is not None and (px.grad == 0).all()


def test_temporal_loss_is_the_mean_angle_to_the_next_frame():
    quats = rot.quat_exp(RNG.normal(size=(5, 7, 3)))
    angles = rot.angle_between(quats[1:], quats[:-1]).mean(-1)
    np.testing.assert_allclose(losses.geodesic_step(tensor(rot.quat_to_matrix(quats))), angles, atol=1e-6)


def test_reach_is_the_chamfer_distance_from_hand_to_object():
    parts, surface = RNG.normal(size=(4, 3, 3)), RNG.normal(size=(20, 3))
    gaps = np.linalg.norm(parts[:, :, None] - surface, axis=-1).min(-1)
    np.testing.assert_allclose(losses.chamfer_to_surface(tensor(parts), tensor(surface)), gaps.mean(-1), atol=1e-9)
    some = float(np.median(gaps))
    near = np.maximum(gaps - some, 0).mean(-1)
    np.testing.assert_allclose(losses.chamfer_to_surface(tensor(parts), tensor(surface), some), near, atol=1e-9)


def test_touch_once_is_the_minimum_and_its_soft_form_nears_it():
    distance = tensor([0.3, 0.1, 0.2])
    assert losses.min_over_time(distance, 0.0) == 0.1
    soft = [float(losses.min_over_time(distance, s)) for s in (1e-3, 0.1, 10.0)]
    assert soft[0] == pytest.approx(0.1 + 1e-3 * np.log(3))
    assert soft[0] < soft[1] < soft[2] == pytest.approx(0.2, abs=1e-3)


def test_departure_and_unrest_in_numbers():
    tangent = torch.zeros((3, 2, 3), dtype=torch.float64)
    tangent[1, 0, 0], tangent[2, 1, 2] = 0.2, 0.1
    weight = tensor([10.0, 1.0])
    assert losses.deviation(tangent, weight).item() == pytest.approx((10 * 0.04 + 0.01) / 6)
    assert losses.deviation_change(tangent).item() == pytest.approx((0.04 + 0.04 + 0.01) / 4)


@pytest.mark.parametrize(
    "term",
    [
        lambda x: losses.reprojection(x[..., :2], torch.zeros((2, 3, 2)), torch.ones((2, 3)), 0.5),
        lambda x: losses.geodesic_step(so3.exp(x)),
        lambda x: losses.chamfer_to_surface(x, torch.eye(3, dtype=x.dtype), 0.1),
        lambda x: losses.min_over_time(x[:, 0, 0], 0.3),
        lambda x: losses.deviation(x, torch.ones(3)),
        losses.deviation_change,
    ],
    ids=["projection", "temporal", "reach", "touch_once", "departure", "unrest"],
)
def test_gradients_agree_with_finite_differences(term):
    x = tensor(RNG.normal(size=(2, 3, 3))).requires_grad_()
    assert torch.autograd.gradcheck(term, x, atol=1e-6)
