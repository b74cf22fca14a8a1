"""Points all over a thing's surface, however few its vertices are."""

import numpy as np
from scipy.spatial import KDTree

from perception.human.scene_prior import surface_lattice

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * 0.2
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def test_no_place_on_a_face_is_far_from_a_point():
    spacing = 0.02
    points = surface_lattice(SQUARE, FACES, spacing)
    grid = np.stack(np.meshgrid(*[np.linspace(0, 0.2, 41)] * 2, [0.0]), axis=-1).reshape(-1, 3)
    assert KDTree(np.concatenate([SQUARE, points])).query(grid)[0].max() < spacing
    assert np.ptp(points[:, :2], axis=0).max() <= 0.2 + 1e-12 and not points[:, 2].any()


def test_points_of_a_shared_edge_and_corners_stand_once():
    points = surface_lattice(SQUARE, FACES, 0.05)
    assert len(np.unique(points.round(9), axis=0)) == len(points)
    assert KDTree(points).query(SQUARE)[0].min() > 0.01


def test_a_fine_mesh_needs_none():
    assert surface_lattice(SQUARE, FACES, 0.3).shape == (0, 3)
