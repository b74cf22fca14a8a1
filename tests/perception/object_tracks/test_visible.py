"""What a camera sees of a box."""

import numpy as np
import pytest
import trimesh

from devi_jax.core.camera import look_at, project
from perception.object_tracks.visible import is_occluded, outline, spread_points, visible_vertices

BOX = trimesh.creation.box(extents=(0.2, 0.2, 0.2))
VERTICES, FACES = np.asarray(BOX.vertices), np.asarray(BOX.faces)


@pytest.mark.parametrize(("eye", "count"), [((0.0, 2.0, 0.0), 4), ((1.5, 1.5, 0.0), 6), ((1.0, 1.2, 0.9), 7)])
def test_a_box_shows_four_six_or_seven_corners(eye: tuple[float, ...], count: int):
    camera = look_at(np.array(eye), np.zeros(3), 500.0, 320, 240)
    ids, px = visible_vertices(VERTICES, FACES, camera)
    assert len(ids) == count
    facing = VERTICES @ np.array(eye)
    assert set(ids) == set(np.argsort(-facing)[:count])
    np.testing.assert_allclose(px, project(VERTICES[ids], camera.K, camera.T_camera_world)[0])


def test_vertices_at_one_place_count_once():
    camera = look_at(np.array([0.0, 2.0, 0.0]), np.zeros(3), 500.0, 320, 240)
    twice = np.concatenate([VERTICES, VERTICES])
    ids, _ = visible_vertices(twice, FACES, camera)
    assert len(ids) == 4 and ids.max() < 8


def test_what_stands_before_the_object_hides_it():
    camera = look_at(np.array([0.0, 2.0, 0.0]), np.zeros(3), 500.0, 320, 240)
    mask = outline(VERTICES, FACES, camera)
    mask[:, 160:] = False
    ids, px = visible_vertices(VERTICES, FACES, camera, mask=mask)
    assert len(ids) == 2 and (px[:, 0] < 160).all()
    depth = np.full((240, 320), 9.0)
    depth[:120] = 1.0  # something at 1 m before the upper half
    ids, px = visible_vertices(VERTICES, FACES, camera, depth=depth)
    assert len(ids) == 2 and (px[:, 1] > 120).all()


def test_the_outline_of_a_square_is_its_projection():
    camera = look_at(np.array([0.0, 2.1, 0.0]), np.zeros(3), 500.0, 320, 240)
    inside = outline(VERTICES, FACES, camera)  # the front face is 2 m away: 50 x 50 pixels about the middle
    rows, columns = np.nonzero(inside)
    assert abs(rows.min() - 95) <= 1 and abs(rows.max() - 144) <= 1
    assert abs(columns.min() - 135) <= 1 and abs(columns.max() - 184) <= 1
    assert inside[95:145, 135:185].mean() > 0.99


def test_a_triangle_blocks_only_what_lies_behind_it():
    triangle = np.array([[[-1.0, 1, -1], [1, 1, -1], [0, 1, 2]]])
    points = np.array([[0.0, 2, 0], [0, 0.5, 0], [5, 2, 0], [0, 1, 0]])
    assert is_occluded(points, np.zeros(3), triangle).tolist() == [True, False, False, False]


def test_points_are_chosen_far_from_each_other():
    px = np.array([[0.0, 0], [1, 0], [0, 1], [10, 0], [10, 1], [5, 20]])
    chosen = spread_points(px, 3)
    gaps = np.linalg.norm(px[chosen][:, None] - px[chosen], axis=-1)[np.triu_indices(3, 1)]
    assert len(chosen) == 3 and gaps.min() > 9
    assert spread_points(px, 9).tolist() == list(range(6))
