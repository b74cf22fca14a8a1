"""Things to hold: volume, mass, surface points and convex parts, against geometry."""

import os
from dataclasses import replace

import mujoco
import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Mesh, ObjectSpec
from envs.scenes.objects import ConvexSettings, add_object, convex_parts, sample_surface, surface_mesh
from envs.scenes.objects.convex import cache_folder
from envs.scenes.objects.convex_decomposition import limit_vertices

CAN = ObjectSpec(shape="can", size=(0.033, 0.12), mass_kg=0.3)
BOX = ObjectSpec(shape="box", size=(0.05, 0.08, 0.1), mass_kg=0.4)
SPHERE = ObjectSpec(shape="sphere", size=(0.04,), mass_kg=0.2)


def as_mesh(solid) -> Mesh:
    return Mesh(np.asarray(solid.vertices, float), np.asarray(solid.faces))


def l_shape() -> trimesh.Trimesh:
    """Two boxes that share an edge region, as one watertight solid: 0.1 x 0.1 m with a quarter missing."""
    outline = np.array([[0, 0], [0.1, 0], [0.1, 0.05], [0.05, 0.05], [0.05, 0.1], [0, 0.1]])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]])
    return trimesh.creation.extrude_triangulation(outline, triangles, 0.04)


def mesh_object(solid, mass_kg=0.5) -> ObjectSpec:
    return ObjectSpec(shape="mesh", size=(), mass_kg=mass_kg, mesh=as_mesh(solid))


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVI_JAX_CACHE", str(tmp_path / "cache"))


def compile_object(thing: ObjectSpec, can_sides: int = 0) -> tuple[mujoco.MjModel, tuple[str, ...]]:
    spec = mujoco.MjSpec()
    names = add_object(spec, thing, can_sides)
    return spec.compile(), names


@pytest.mark.parametrize("sides", [6, 16, 33])
def test_prism_has_the_cans_volume_and_height(sides):
    model, names = compile_object(CAN, sides)
    radius, height = CAN.size
    vertices = model.mesh_vert[: model.mesh_vertnum[0]]
    hull = ConvexHull(vertices)
    assert names == ("object",) and len(vertices) == 2 * sides
    assert hull.volume == pytest.approx(np.pi * radius**2 * height, rel=1e-5)
    assert np.ptp(vertices, axis=0).max() == pytest.approx(height, rel=1e-6)
    if sides == 16:
        # and nearly its moments of inertia
        wanted = CAN.mass_kg * np.array([(3 * radius**2 + height**2) / 12] * 2 + [radius**2 / 2])
        np.testing.assert_allclose(np.sort(model.body("object").inertia), np.sort(wanted), rtol=0.02)


@pytest.mark.parametrize("sides", [0, 16])
@pytest.mark.parametrize("thing", [CAN, BOX, SPHERE], ids=lambda t: t.shape)
def test_primitive_weighs_what_it_should_and_is_centred(thing, sides):
    model, names = compile_object(thing, sides)
    assert model.body("object").mass[0] == pytest.approx(thing.mass_kg, rel=1e-6)
    assert len(names) == 1 and model.nq == 7
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(data.subtree_com[1], 0, atol=1e-7)


@pytest.mark.parametrize(
    ("thing", "inertia"),
    [
        (CAN, [0.3 * (3 * 0.033**2 + 0.12**2) / 12] * 2 + [0.3 * 0.033**2 / 2]),
        (BOX, [0.4 / 12 * (0.08**2 + 0.1**2), 0.4 / 12 * (0.05**2 + 0.1**2), 0.4 / 12 * (0.05**2 + 0.08**2)]),
        (SPHERE, [0.4 * 0.2 * 0.04**2] * 3),
    ],
    ids=["can", "box", "sphere"],
)
def test_moments_of_inertia_are_those_of_the_solid(thing, inertia):
    model, _ = compile_object(thing)
    np.testing.assert_allclose(np.sort(model.body("object").inertia), np.sort(inertia), rtol=1e-6)


def test_mesh_weighs_what_it_should_wherever_its_frame_lies():
    solid = l_shape()
    solid.apply_translation([0.5, -0.2, 0.3])
    model, names = compile_object(mesh_object(solid))
    assert model.body("object").mass[0] == pytest.approx(0.5, rel=1e-6)
    assert len(names) == model.ngeom > 1
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(data.subtree_com[1], solid.center_mass, atol=2e-3)
    # each part stays where the mesh has it
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for name in names:
        geom = data.geom(name)
        mesh = model.geom(name).dataid[0]
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        world = geom.xpos + model.mesh_vert[start : start + count] @ geom.xmat.reshape(3, 3).T
        low, high = np.minimum(low, world.min(axis=0)), np.maximum(high, world.max(axis=0))
    np.testing.assert_allclose([low, high], solid.bounds, atol=3e-3)


def test_a_mesh_without_its_mesh_says_so():
    with pytest.raises(SceneError, match="holds none") as caught:
        compile_object(ObjectSpec(shape="mesh", size=()))
    assert "object_mesh_vertices" in caught.value.valid


@pytest.mark.parametrize("solid", [trimesh.creation.box((0.1, 0.2, 0.05)), trimesh.creation.icosphere(3, 0.05)])
def test_a_convex_mesh_is_one_part(solid):
    (part,) = convex_parts(as_mesh(solid))
    assert len(part) <= ConvexSettings().vertices
    # no 32 points on a sphere enclose more than about 0.83 of it
    assert ConvexHull(part).volume == pytest.approx(solid.volume, rel=0.2)
    if len(solid.vertices) == 8:
        np.testing.assert_allclose(np.sort(part, axis=0), np.sort(solid.vertices, axis=0))


def test_an_l_is_several_parts_that_cover_it_and_little_more(rng):
    solid = l_shape()
    assert solid.volume == pytest.approx(0.75 * 0.01 * 0.04)
    parts = convex_parts(as_mesh(solid))
    assert 1 < len(parts) <= ConvexSettings().parts
    # volume of the union, by points in the bounding box of the hulls
    hulls = [ConvexHull(part) for part in parts]
    corners = np.concatenate(parts)
    low, high = corners.min(axis=0), corners.max(axis=0)
    points = rng.uniform(low, high, size=(200_000, 3))
    inside = np.zeros(len(points), bool)
    for hull in hulls:
        inside |= (points @ hull.equations[:, :3].T + hull.equations[:, 3] <= 0).all(axis=1)
    union = inside.mean() * np.prod(high - low)
    assert union == pytest.approx(solid.volume, rel=0.1)
    # its hull, what one part would be, has a sixth more
    assert solid.convex_hull.volume > 1.15 * solid.volume


def kettle() -> trimesh.Trimesh:
    """A hollow ball of radius 50 mm without a lid, and a handle: a ring of radius 25 mm beside it, its axis along y."""
    ball = trimesh.creation.icosphere(3, 0.05)
    ball.update_faces(ball.triangles_center[:, 2] < 0.045)
    ring = trimesh.creation.torus(0.025, 0.005, 32, 12)
    ring.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    ring.apply_translation([0.072, 0, 0])
    return trimesh.util.concatenate([ball, ring])


def outside_m(points: np.ndarray, parts) -> np.ndarray:
    """How far points (N, 3) are outside of the nearest part, negative inside (a lower bound, by planes)."""
    planes = [ConvexHull(part).equations for part in parts]
    return np.min([(points @ e[:, :3].T + e[:, 3]).max(axis=1) for e in planes], axis=0)


def test_a_handle_keeps_its_hole_and_a_shell_becomes_a_body(rng):
    solid = kettle()
    assert not solid.is_watertight
    parts = convex_parts(as_mesh(solid))
    assert 3 < len(parts) <= ConvexSettings().parts
    through = np.stack(np.meshgrid([0.066, 0.072, 0.08], np.linspace(-0.02, 0.02, 41), [-0.007, 0, 0.007]), -1)
    assert outside_m(through.reshape(-1, 3), parts).min() > 0, "a ray through the hole hits nothing"
    around = 0.025 * np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 16)), 0 * a, np.sin(a)], axis=1) + [0.072, 0, 0]
    assert outside_m(around, parts).max() < 0.001, "the handle is whole"
    assert np.percentile(outside_m(solid.triangles_center, parts), 99) < 0.002
    lower = rng.normal(size=(500, 3))
    lower[:, 2] = -np.abs(lower[:, 2])
    lower *= 0.045 / np.linalg.norm(lower, axis=1, keepdims=True)
    assert (outside_m(lower, parts) < 0).mean() > 0.9, "parts are solid, not spent on the wall"


def test_limited_vertices_keep_the_extremes_and_lose_little():
    points = trimesh.creation.icosphere(3, 1.0).vertices
    few = limit_vertices(np.asarray(points), 64)
    assert len(few) == 64 and {tuple(p) for p in few} <= {tuple(p) for p in points}
    np.testing.assert_allclose([few.min(axis=0), few.max(axis=0)], [points.min(axis=0), points.max(axis=0)])
    # 64 points spread evenly over a sphere: no cap higher than about 0.08 is cut off
    missed = (points @ ConvexHull(few).equations[:, :3].T + ConvexHull(few).equations[:, 3]).max()
    assert missed < 0.1


def test_cache_returns_the_same_parts_without_decomposing(monkeypatch):
    mesh = as_mesh(l_shape())
    first = convex_parts(mesh)
    files = os.listdir(cache_folder())
    assert len(files) == 1 and files[0].endswith(".npz")

    def refuse(*_):
        raise AssertionError("decomposed again")

    monkeypatch.setattr("envs.scenes.objects.convex._decompose", refuse)
    for a, b in zip(first, convex_parts(mesh), strict=True):
        assert np.array_equal(a, b)
    # other content or other settings are another entry
    with pytest.raises(AssertionError, match="decomposed again"):
        convex_parts(Mesh(mesh.vertices * 1.01, mesh.faces))
    with pytest.raises(AssertionError, match="decomposed again"):
        convex_parts(mesh, ConvexSettings(parts=3))


def test_a_flat_mesh_is_refused():
    flat = Mesh(np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]] * 2))
    with pytest.raises(SceneError, match="flat"):
        convex_parts(flat)


def test_surface_points_lie_on_a_sphere_and_a_box():
    points = sample_surface(SPHERE, 500)
    radius = np.linalg.norm(points, axis=1)
    # flat triangles between vertices of the icosphere: a little inside
    assert radius.max() <= 0.04 + 1e-9 and radius.min() > 0.04 * 0.99
    points = np.abs(sample_surface(BOX, 500)) / (np.array(BOX.size) / 2)
    np.testing.assert_allclose(points.max(axis=1), 1.0, atol=1e-9)


def test_surface_points_of_a_can_are_spread_by_area():
    count = 4000
    points = sample_surface(CAN, count)
    radius, height = CAN.size
    ends = np.abs(np.abs(points[:, 2]) - height / 2) < 1e-9
    side = np.hypot(points[:, 0], points[:, 1])
    assert (ends | (side > 0.99 * radius)).all() and side.max() <= radius + 1e-9
    share = radius / (radius + height)
    assert abs(ends.mean() - share) < 4 * np.sqrt(share * (1 - share) / count)


def test_surface_points_of_a_mesh_lie_on_its_faces():
    solid = l_shape()
    points = sample_surface(mesh_object(solid), 300)
    # a point in a plane of the extruded outline
    x, y, z = points.T
    faces = [x, y, 0.1 - x, 0.1 - y, z, 0.04 - z, 0.05 - x, 0.05 - y]
    assert np.abs(np.stack(faces)).min(axis=0).max() < 1e-9
    assert not ((x > 0.05 + 1e-9) & (y > 0.05 + 1e-9)).any()


@pytest.mark.parametrize("thing", [CAN, BOX, SPHERE], ids=lambda t: t.shape)
def test_surface_points_are_the_same_for_a_seed(thing):
    first = sample_surface(thing, 64, seed=3)
    assert first.shape == (64, 3)
    assert np.array_equal(first, sample_surface(thing, 64, seed=3))
    assert not np.array_equal(first, sample_surface(thing, 64, seed=4))


@pytest.mark.parametrize("thing", [CAN, BOX, SPHERE], ids=lambda t: t.shape)
def test_surface_mesh_encloses_the_volume(thing):
    mesh = surface_mesh(thing)
    volume = {"can": np.pi * 0.033**2 * 0.12, "box": 0.05 * 0.08 * 0.1, "sphere": 4 / 3 * np.pi * 0.04**3}[thing.shape]
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
    assert solid.is_watertight and solid.volume == pytest.approx(volume, rel=0.02)
    given = replace(thing, shape="mesh", size=(), mesh=mesh)
    assert surface_mesh(given) is mesh
