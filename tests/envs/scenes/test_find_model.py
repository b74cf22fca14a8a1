"""Models by name, by path and by package, and how a setup becomes a scene."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from devi_jax.core.errors import SceneError
from devi_jax.core.rotations import quat_exp, rotate
from devi_jax.core.scene import Table
from devi_jax.core.scene_file import Setup, Thing
from envs.scenes.arrange import arrange
from envs.scenes.catalogue import CATALOGUE
from envs.scenes.find_model import PACKAGES, find_model
from envs.scenes.objects import surface_mesh
from envs.scenes.objects.material import MATERIALS


@pytest.fixture
def brick() -> trimesh.Trimesh:
    """A block of 0.1 x 0.2 x 0.05 m."""
    return trimesh.creation.box((0.1, 0.2, 0.05))


def thing(path: Path | str, **more) -> Thing:
    return Thing("thing", str(path), **{"material": "wood", **more})


def refused(given: Thing, match: str) -> SceneError:
    with pytest.raises(SceneError, match=match) as caught:
        find_model(given, "s.json: thing")
    assert caught.value.where.startswith("s.json: thing") and caught.value.valid
    return caught.value


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "glb"])
def test_a_users_mesh_comes_as_it_is_and_weighs_volume_times_density(tmp_path, brick, suffix):
    brick.export(tmp_path / f"brick.{suffix}")
    model = find_model(thing(tmp_path / f"brick.{suffix}"), "")
    size = [0.1, 0.05, 0.2] if suffix == "glb" else [0.1, 0.2, 0.05]  # in .glb y is up
    np.testing.assert_allclose(np.ptp(model.bounds, axis=0), size, atol=1e-7)
    assert model.mass_kg == pytest.approx(1e-3 * MATERIALS["wood"].density_kg_m3)
    assert (model.name, model.material, model.grip) == ("brick", "wood", None)
    assert find_model(thing(tmp_path / f"brick.{suffix}", mass_kg=0.3), "").mass_kg == 0.3
    half = find_model(thing(tmp_path / f"brick.{suffix}", scale=0.5), "")
    np.testing.assert_allclose(np.ptp(half.bounds, axis=0), np.array(size) / 2, atol=1e-7)


def test_y_up_becomes_z_up_without_mirroring(tmp_path):
    """A wedge whose high corner is at +x and whose far side, in the file, is at -z."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 0, -1], [1, 0.5, 0]]) * 0.1
    solid = trimesh.convex.convex_hull(points)
    solid.export(tmp_path / "wedge.glb")
    mesh = find_model(thing(tmp_path / "wedge.glb"), "").mesh
    wanted = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0.5]]) * 0.1
    assert {tuple(p) for p in np.round(mesh.vertices, 6).tolist()} == {tuple(p) for p in wanted.tolist()}
    assert np.linalg.det(mesh.vertices[mesh.faces]).sum() > 0


@pytest.mark.parametrize("suffix", ["obj", "glb"])
def test_a_texture_comes_along_with_v_downwards(tmp_path, suffix):
    picture = np.zeros((64, 32, 3), np.uint8)
    picture[:16, :, 0] = 255  # the top quarter is red
    solid = trimesh.creation.box((0.1, 0.1, 0.1))
    uv = np.where(solid.vertices[:, [0, 2]] > 0, 1.0, 0.0)  # trimesh counts v upwards: the upper corners are at the top
    visual = trimesh.visual.TextureVisuals(uv=uv, image=Image.fromarray(picture))
    trimesh.Trimesh(solid.vertices, solid.faces, visual=visual, process=False).export(tmp_path / f"box.{suffix}")
    model = find_model(thing(tmp_path / f"box.{suffix}"), "")
    assert model.texture is not None and model.uv is not None
    assert (model.texture.shape, model.texture.dtype) == ((64, 32, 3), np.uint8)
    assert abs(model.texture[4, 4].astype(int) - [255, 0, 0]).max() < 8 and model.texture[40, 4].max() < 8
    height = model.mesh.vertices[:, 2] if suffix == "obj" else -model.mesh.vertices[:, 1]
    assert set(np.round(model.uv[height > 0, 1], 5)) == {0.0} and set(np.round(model.uv[height < 0, 1], 5)) == {1.0}


def test_a_file_turned_inside_out_is_turned_back(tmp_path, brick):
    brick.invert()
    brick.export(tmp_path / "brick.stl")
    mesh = find_model(thing(tmp_path / "brick.stl"), "").mesh
    assert np.linalg.det(mesh.vertices[mesh.faces]).sum() / 6 == pytest.approx(1e-3)


def test_open_and_ill_wound_and_flat_meshes_are_refused_with_numbers(tmp_path, brick):
    trimesh.Trimesh(brick.vertices, brick.faces[1:], process=False).export(tmp_path / "open.obj")
    error = refused(thing(tmp_path / "open.obj"), "open.obj is not closed: 3 of its 18 edges")
    assert "Fill Holes" in error.fix
    faces = np.array(brick.faces)
    faces[0] = faces[0, ::-1]
    trimesh.Trimesh(brick.vertices, faces, process=False).export(tmp_path / "wound.obj")
    assert "Recalculate" in refused(thing(tmp_path / "wound.obj"), "wound both ways: at 3 edges").fix
    sheet = np.concatenate([brick.faces, brick.faces[:, ::-1]])
    trimesh.Trimesh(brick.vertices, sheet, process=False).export(tmp_path / "sheet.obj")
    assert "Solidify" in refused(thing(tmp_path / "sheet.obj"), "no volume").fix


@pytest.mark.parametrize(("factor", "length"), [(1000.0, "200 m"), (100.0, "20 m"), (0.01, "0.002 m")])
def test_other_units_are_not_guessed(tmp_path, brick, factor, length):
    brick.apply_scale(factor)
    brick.export(tmp_path / "brick.stl")
    error = refused(thing(tmp_path / "brick.stl"), f"brick.stl is {length} long")
    assert error.where.endswith("scale") and "millimetres" in error.fix
    model = find_model(thing(tmp_path / "brick.stl", scale=1 / factor), "")
    assert np.ptp(model.bounds[:, 1]) == pytest.approx(0.2)


def test_what_is_no_mesh_or_no_name_is_refused_with_what_there_is(tmp_path, brick):
    (tmp_path / "bad.obj").write_text("nothing here")
    refused(thing(tmp_path / "bad.obj"), "bad.obj")
    refused(thing(tmp_path / "absent.stl"), "no such mesh")
    error = refused(thing("bottel"), "no model 'bottel'; did you mean bottle")
    assert "can" in error.valid and "object_sim:NAME" in error.valid and ".glb" in error.valid
    brick.export(tmp_path / "brick.stl")
    assert "wood" in refused(thing(tmp_path / "brick.stl", material=""), "made of").valid
    refused(thing(tmp_path / "brick.stl", material="woood"), "unknown material 'woood'; did you mean wood")
    refused(thing("can", material="gold"), "unknown material")


def test_a_material_changes_what_the_catalogues_things_weigh():
    light, heavy = find_model(Thing("a", "cup"), ""), find_model(Thing("a", "cup", "steel"), "")
    assert heavy.mass_kg / light.mass_kg == pytest.approx(7850 / 2300) and heavy.material == "steel"
    assert find_model(Thing("a", "cup", mass_kg=0.1, scale=2.0), "").mass_kg == 0.1


@pytest.fixture
def package(tmp_path, monkeypatch, brick) -> None:
    """A package with one thing and a piece of it for collisions, where the real one would have fifty."""
    home = PACKAGES["object_sim"]
    folder = tmp_path / home.module / home.folder
    (folder / "brick").mkdir(parents=True)
    (tmp_path / home.module / "__init__.py").write_text("raise ImportError('must not be imported')")
    brick.export(folder / "brick" / "brick.stl")
    brick.export(folder / "brick" / "contact0.stl")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()


def test_things_of_a_package_are_found_by_name(package):
    model = find_model(thing("object_sim:brick"), "")
    assert model.name == "brick" and model.mass_kg == pytest.approx(0.65)
    assert PACKAGES["object_sim"].module not in sys.modules
    assert refused(thing("object_sim:brik"), "no 'brik'; did you mean brick").valid == "brick"


def test_a_package_that_is_not_there_is_named_for_pip(monkeypatch):
    monkeypatch.setattr("envs.scenes.find_model.find_spec", lambda _: None)
    error = refused(thing("robosuite:can"), "not installed")
    assert error.fix == "pip install robosuite" and "can" in error.valid


TABLE = Table(centre=(0.0, 0.4), size=(1.0, 0.5, 0.8))


def test_things_without_a_height_rest_on_what_is_under_them():
    things = (
        Thing("can", "can", position=(0.1, 0.35), yaw_deg=30.0),
        Thing("lying", "can", position=(-0.2, 0.35), rotation=(0.5**0.5, 0.5**0.5, 0.0, 0.0), role="prop"),
        Thing("beside", "box", position=(1.0, 0.4), role="prop"),
        Thing("high", "cup", position=(0.3, 0.4, 1.5), mass_kg=0.2, role="target"),
    )
    arranged = arrange(Setup("s", table=TABLE, things=things))
    heights = {name: pose[2] for name, pose in arranged.poses.items()}
    assert heights["can"] == pytest.approx(0.8 + 0.06, abs=2e-4)
    assert heights["lying"] == pytest.approx(0.8 + 0.033, abs=2e-4)
    assert heights["beside"] == pytest.approx(0.1, abs=2e-4)
    assert heights["high"] == 1.5
    np.testing.assert_allclose(arranged.poses["can"][3:], [np.cos(np.pi / 12), 0, 0, np.sin(np.pi / 12)])
    assert [prop.name for prop in arranged.scene.props] == ["lying", "beside", "high"]
    assert arranged.scene.props[2].object.mass_kg == 0.2 and arranged.scene.object is not None
    assert (arranged.scene.object.shape, arranged.scene.object.friction) == ("can", MATERIALS["aluminium"].friction)
    np.testing.assert_array_equal(arranged.object_start, arranged.poses["can"])


@pytest.mark.parametrize("model", ["can", "box", "ball", "bottle"])
def test_a_tilted_thing_touches_its_support_with_its_lowest_point(model):
    tilt = tuple(quat_exp(np.array([0.4, -0.7, 0.2])).tolist())
    arranged = arrange(Setup("s", things=(Thing("a", model, position=(0.3, 0.4), rotation=tilt),)))
    assert arranged.scene.object is not None
    points = rotate(arranged.object_start[3:], surface_mesh(arranged.scene.object).vertices)
    # surfaces of primitives are triangles between points of them: a little inside where they are round
    assert points[:, 2].min() + arranged.object_start[2] == pytest.approx(-1e-4, abs=1e-9 if model == "box" else 8e-4)


def test_the_grip_is_where_the_thing_is():
    lying = Thing("pan", "pan", position=(0.2, 0.4, 1.0), yaw_deg=90.0)
    arranged = arrange(Setup("s", table=TABLE, things=(lying,)))
    grip = arranged.models["pan"].grip
    assert grip is not None and arranged.grip_world is not None
    centre, axis, width = arranged.grip_world
    np.testing.assert_allclose(centre, [0.2, 0.4 + grip.centre[0], 1.0 + grip.centre[2]], atol=1e-9)
    np.testing.assert_allclose(axis, [0, grip.axis[0], grip.axis[2]], atol=1e-9)
    assert width == grip.width_m


def test_the_page_on_scenes_has_every_thing_and_every_material_with_its_numbers():
    page = (Path(__file__).parents[3] / "docs" / "scenes.md").read_text(encoding="utf-8")
    listed = page.split("standing as they stand on a table:")[1].split(".")[0]
    assert {name.strip() for name in listed.split(",")} == set(CATALOGUE)
    rows = [
        line.strip("| ").split(" | ") for line in page.split("## Materials")[1].splitlines() if line.startswith("| ")
    ]
    assert {name: (float(d), float(f)) for name, d, f in rows[1:]} == {
        name: (m.density_kg_m3, m.friction) for name, m in MATERIALS.items()
    }
