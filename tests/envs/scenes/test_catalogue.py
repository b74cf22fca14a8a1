"""The catalogue: closed solids in real sizes with textures that a tracker can hold; and how they are made."""

import numpy as np
import pytest
import trimesh
from scipy.ndimage import gaussian_filter, maximum_filter

from envs.scenes.catalogue import CATALOGUE
from envs.scenes.catalogue.shapes import SIDES, Strip, lathe, rounded, slab, sweep
from envs.scenes.catalogue.solid import WHOLE, Form, Rect, carved, placed, union
from envs.scenes.objects.material import MATERIALS
from envs.scenes.objects.textured_model import Model, scaled

MODELS = {name: make() for name, make in CATALOGUE.items()}


def solid(form: Form | Model) -> trimesh.Trimesh:
    """The mesh with the seams of its texture closed."""
    mesh = form.mesh if isinstance(form, Model) else form
    points, index = np.unique(np.round(mesh.vertices, 9), axis=0, return_inverse=True)
    return trimesh.Trimesh(points, index.ravel()[mesh.faces], process=False)


def crossings(mesh: trimesh.Trimesh, origin: np.ndarray, way: np.ndarray) -> np.ndarray:
    """How far along a line (unit `way` through `origin`) it crosses the surface, metres (Moller and Trumbore 1997)."""
    a, b, c = np.moveaxis(mesh.triangles, 1, 0)
    normal = np.cross(way, c - a)
    scale = (normal * (b - a)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = ((origin - a) * normal).sum(axis=1) / scale
        other = np.cross(origin - a, b - a)
        v = (other @ way) / scale
        along = (other * (c - a)).sum(axis=1) / scale
        return along[(np.abs(scale) > 1e-15) & (u >= 0) & (v >= 0) & (u + v <= 1)]


def corners(texture: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) that a tracker finds: local maxima of the lesser eigenvalue of the structure tensor."""
    grey = gaussian_filter(texture.mean(axis=2), 1.0)
    dy, dx = np.gradient(grey)
    xx, yy, xy = (gaussian_filter(g, 3.0) for g in (dx * dx, dy * dy, dx * dy))
    least = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return np.argwhere((least == maximum_filter(least, 9)) & (least > 1.0))


def test_there_are_more_than_twenty_things_of_their_own_name():
    assert len(MODELS) >= 20 and all(model.name == name for name, model in MODELS.items())


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_closed_wound_outwards_and_of_moderate_size(name):
    model, mesh = MODELS[name], solid(MODELS[name])
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
    assert mesh.body_count == 1
    assert len(mesh.faces) <= 3000
    assert 0.005 < mesh.extents.min() and mesh.extents.max() < 0.5
    assert (np.abs(model.bounds.mean(axis=0)) < 0.6 * mesh.extents).all(), "its origin is inside"
    if model.shape != "mesh":
        wanted = {"box": lambda s: s, "sphere": lambda s: [2 * s[0]] * 3, "can": lambda s: [2 * s[0]] * 2 + [s[1]]}
        np.testing.assert_allclose(mesh.extents, wanted[model.shape](model.size), atol=2e-4)


@pytest.mark.parametrize("name", MODELS)
def test_its_mass_is_between_that_of_paper_walls_and_of_steel(name):
    model = MODELS[name]
    assert model.material in MATERIALS
    mean_density = model.mass_kg / solid(model).volume
    assert 80 < mean_density < 8000 and 0.01 < model.mass_kg < 7


@pytest.mark.parametrize("name", MODELS)
def test_its_texture_has_corners_wherever_the_surface_is(name):
    model = MODELS[name]
    assert model.texture is not None and model.uv is not None
    assert model.texture.dtype == np.uint8 and model.texture.shape == (512, 512, 3)
    assert model.uv.shape == (len(model.mesh.vertices), 2) and model.uv.min() >= 0 and model.uv.max() <= 1
    # three quarters of the surface's samples have a corner within 30 pixels
    mesh = trimesh.Trimesh(model.mesh.vertices, model.mesh.faces, process=False)
    points, faces = trimesh.sample.sample_surface(mesh, 500, seed=0)
    weights = trimesh.triangles.points_to_barycentric(mesh.triangles[faces], points)
    pixels = (model.uv[model.mesh.faces[faces]] * weights[:, :, None]).sum(axis=1)[:, ::-1] * 512
    near = np.linalg.norm(pixels[:, None] - corners(model.texture), axis=2).min(axis=1) < 30
    assert near.mean() > 0.75, near.mean()


@pytest.mark.parametrize("name", MODELS)
def test_a_hand_finds_what_it_takes(name):
    """Across the axis of the grip, some way through its centre, the thing is as thick as the grip says."""
    grip, mesh = MODELS[name].grip, solid(MODELS[name])
    assert grip is not None
    axis = np.array(grip.axis)
    assert np.linalg.norm(axis) == pytest.approx(1, abs=1e-6)
    first = np.cross(axis, [0.3, 0.5, 0.81])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    angles = np.linspace(0, np.pi, 24, endpoint=False)
    thickness = []
    for way in np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second:
        along = crossings(mesh, np.array(grip.centre), way)
        if len(along):
            thickness.append(np.ptp(along))
    assert min(np.abs(np.array(thickness) - grip.width_m)) < 0.006
    assert grip.width_m < 0.15 or name in ("box", "large_box", "ball")


def test_a_model_is_the_same_every_time():
    for name in ("mug", "apple", "book"):
        again = CATALOGUE[name]()
        np.testing.assert_array_equal(again.mesh.vertices, MODELS[name].mesh.vertices)
        np.testing.assert_array_equal(again.texture, MODELS[name].texture)


def test_what_holds_something_is_open_at_its_top():
    for name in ("mug", "cup", "bowl", "wine_glass", "pan"):
        mesh = solid(MODELS[name])
        low, high = mesh.bounds[:, 2]
        # up and down from within the upper part: nothing above, the bottom's two sides below
        along = crossings(mesh, np.array([0.001, 0.002, high - 0.2 * (high - low)]), np.array([0.0, 0.0, 1.0]))
        assert (along < 0).all() and len(along) in (2, 3, 4)


def test_a_handle_has_a_hole():
    for name in ("mug", "kettle"):
        assert 2 - solid(MODELS[name]).euler_number == 2, f"a {name} is a torus"


def test_scaling_takes_everything_along():
    twice = scaled(MODELS["can"], 2.0)
    assert twice.mass_kg == pytest.approx(8 * 0.35) and twice.size == (0.066, 0.24)
    np.testing.assert_allclose(twice.bounds, 2 * MODELS["can"].bounds)
    assert twice.grip is not None and twice.grip.width_m == pytest.approx(0.132)
    assert scaled(MODELS["can"], 1.0) is MODELS["can"]


AREA = SIDES / 2 * np.sin(2 * np.pi / SIDES)
"""Of a regular polygon of circumradius 1."""


def closed(form: Form) -> float:
    """Volume of a form that is closed and wound outwards."""
    mesh = solid(form)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert form.volume == pytest.approx(mesh.volume)
    return form.volume


def test_a_lathe_turns_frustums():
    cone = lathe(Strip([(0, 0), (0.2, 0)], WHOLE, disc=True), Strip([(0.2, 0), (0.1, 0.3), (0, 0.3)], WHOLE))
    assert closed(cone) == pytest.approx(AREA * 0.3 / 3 * (0.2**2 + 0.2 * 0.1 + 0.1**2))


def test_wrapped_textures_run_counter_clockwise_from_behind_and_upwards():
    form = lathe(
        Strip([(0, -1), (1, -1)], Rect(0, 0, 1, 0.1), disc=True),
        Strip([(1, -1), (1, 1), (0, 1)], Rect(0.2, 0.5, 1.0, 1.0)),
    )
    wall = (np.hypot(*form.vertices[:, :2].T) > 0.99) & (form.uv[:, 1] > 0.4)
    left, front = (wall & (form.vertices @ way > 0.99) for way in (np.array([1, 0, 0]), np.array([0, 1, 0])))
    assert form.uv[left, 0].mean() < form.uv[front, 0].mean()
    assert form.uv[front, 0] == pytest.approx(0.6, abs=0.01)
    low, high = (wall & (np.sign(form.vertices[:, 2]) == s) for s in (-1, 1))
    assert form.uv[high, 1].mean() < form.uv[low, 1].mean()


def test_a_sweep_along_a_line_is_an_elliptic_cylinder_and_along_a_bow_part_of_a_torus():
    sides = 20
    area = sides / 2 * np.sin(2 * np.pi / sides)
    straight = sweep([(0, 0, 0), (0.1, 0, 0), (0.4, 0, 0)], [(0.02, 0.01)] * 3, WHOLE, up=(0, 0, 1), sides=sides)
    assert closed(straight) == pytest.approx(area * 0.02 * 0.01 * 0.4)
    np.testing.assert_allclose(np.ptp(straight.vertices, axis=0), [0.4, 0.04, 0.02], atol=1e-9)
    angle = np.linspace(0, np.pi, 60)
    bow = sweep(np.c_[np.cos(angle), 0 * angle, np.sin(angle)], np.full((60, 2), 0.1), WHOLE, sides=sides)
    assert closed(bow) == pytest.approx(area * 0.01 * np.pi, rel=2e-3)


def test_a_slab_is_its_outline_times_its_thickness_less_its_bevels():
    outline = np.array([(0, 0), (0.3, 0), (0.3, 0.1), (0.1, 0.1), (0.1, 0.2), (0, 0.2)])
    area, around = 0.04, 1.0
    assert closed(slab(outline, 0.05, WHOLE, WHOLE, WHOLE)) == pytest.approx(area * 0.05)
    # a layer at the depth x of the bevel b has lost (b - x) along the rim; corners are 5 convex, 1 concave
    b = 0.01
    lost = 2 * (around * b**2 / 2 - (5 - 1) * b**3 / 3)
    assert closed(slab(outline, 0.05, WHOLE, WHOLE, WHOLE, bevel=b)) == pytest.approx(area * 0.05 - lost)


def test_rounded_corners_take_away_what_a_circle_leaves_of_a_square():
    x, y = rounded(0.3, 0.2, 0.05, steps=40).T
    area = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    assert area == pytest.approx(0.06 - (4 - np.pi) * 0.05**2, rel=1e-4)


def test_booleans_add_and_take_away_volume_and_keep_the_texture():
    left, right = Rect(0, 0, 0.5, 1), Rect(0.5, 0, 1, 1)
    square = np.array([(0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])
    cube, other = slab(square, 1.0, left, left, left), slab(square, 1.0, right, right, right)
    shifted = placed(other, (0.5, 0.2, 0.0), (0, 0, 90))
    assert closed(union(cube, shifted)) == pytest.approx(2 - 0.5 * 0.8)
    cut = carved(cube, shifted)
    assert closed(cut) == pytest.approx(1 - 0.5 * 0.8)
    inside = np.abs(cut.vertices[cut.faces][..., 0]).max(axis=1) < 1e-9
    assert (cut.uv[cut.faces[inside]][..., 0] >= 0.5).all(), "the cut shows what cut it"
    assert (cut.uv[cut.faces[~inside]][..., 0] <= 0.5).sum() > 20
