import json
from pathlib import Path

import pytest

from devi_jax.core.errors import SceneError
from devi_jax.core.scene_file import scene_file_to_json
from devi_jax.datasets.bundled_sets import SUITE
from devi_jax.datasets.scenes import bundled_scene_files, load_scene_file


def test_bundled_scenes_are_the_suites_and_more_each_with_a_sentence_about_its_things():
    assert set(SUITE) < set(bundled_scene_files()) and len(bundled_scene_files()) >= 10
    for name in bundled_scene_files():
        setup = load_scene_file(name)
        assert setup.name == name
        for thing in setup.things:
            assert thing.name.replace("_", " ") in setup.prompt or thing.role == "prop"


def test_there_are_scenes_of_every_kind():
    setups = [load_scene_file(name) for name in bundled_scene_files()]
    assert any(setup.table is None for setup in setups), "on the floor"
    assert any("both hands" in setup.prompt for setup in setups), "two hands"
    assert sum(any(thing.role == "target" for thing in setup.things) for setup in setups) >= 3, "two things"


def test_a_scene_file_of_the_users_finds_meshes_beside_it(tmp_path):
    data = scene_file_to_json(load_scene_file("pour_bottle"))
    data["things"][0]["model"] = "meshes/jug.glb"
    data["things"][1]["model"] = "object_sim:cup"
    (tmp_path / "mine.json").write_text(json.dumps(data))
    setup = load_scene_file(tmp_path / "mine.json")
    assert Path(setup.things[0].model) == tmp_path / "meshes" / "jug.glb"
    assert setup.things[1].model == "object_sim:cup"
    absolute = str(Path("/somewhere/jug.stl").absolute())
    data["things"][0]["model"] = absolute
    (tmp_path / "mine.json").write_text(json.dumps(data))
    assert load_scene_file(str(tmp_path / "mine.json")).things[0].model == absolute


def test_what_is_no_scene_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(SceneError, match="no scene 'lift_cann'; did you mean lift_can") as caught:
        load_scene_file("lift_cann")
    assert all(name in caught.value.valid for name in bundled_scene_files())
    with pytest.raises(SceneError, match="no such scene file"):
        load_scene_file(tmp_path / "absent.json")
    (tmp_path / "bad.json").write_text("{'name':")
    with pytest.raises(SceneError, match="not readable as JSON") as caught:
        load_scene_file(tmp_path / "bad.json")
    assert caught.value.where == str(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text(json.dumps({"name": "x", "objects": []}))
    with pytest.raises(SceneError, match="unknown field 'objects'"):
        load_scene_file(tmp_path / "bad.json")


def test_the_page_on_scenes_shows_a_bundled_one():
    page = (Path(__file__).parents[2] / "docs" / "scenes.md").read_text(encoding="utf-8")
    shown = json.loads(page.split("```json")[1].split("```")[0])
    assert shown == json.loads(bundled_scene_files()["pour_bottle"].read_text(encoding="utf-8"))


def test_a_scene_with_a_byte_order_mark_is_read_as_without(tmp_path):
    path = bundled_scene_files()["lift_can"]
    (tmp_path / "lift_can.json").write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert load_scene_file(str(tmp_path / "lift_can.json")) == load_scene_file("lift_can")
