"""Rigid poses against homogeneous matrices."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.poses import compose, inverse, pose_of, relative


def matrix(pose: np.ndarray) -> np.ndarray:
    """Homogeneous (..., 4, 4)."""
    out = np.zeros((*pose.shape[:-1], 4, 4))
    out[..., :3, :3], out[..., :3, 3], out[..., 3, 3] = rot.quat_to_matrix(pose[..., 3:]), pose[..., :3], 1
    return out


@pytest.mark.parametrize("shapes", [((5,), (5,)), ((5,), ()), ((), (5,)), ((4, 1), (5,))])
def test_poses_are_homogeneous_matrices(shapes, rng):
    a, b = (pose_of(rng.normal(size=(*s, 3)), rot.quat_exp(rng.normal(size=(*s, 3)))) for s in shapes)
    np.testing.assert_allclose(matrix(compose(a, b)), matrix(a) @ matrix(b), atol=1e-12)
    np.testing.assert_allclose(matrix(relative(a, b)), np.linalg.inv(matrix(a)) @ matrix(b), atol=1e-12)
    np.testing.assert_allclose(matrix(inverse(a)), np.linalg.inv(matrix(a)), atol=1e-12)
