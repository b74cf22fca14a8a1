import json

import numpy as np
import pytest

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Table
from devi_jax.core.scene_file import SceneFile, SceneHuman, Thing, scene_file_from_json, scene_file_to_json

POUR = SceneFile(
    name="pour",
    human=SceneHuman(appearance="sport", yaw_deg=10.0, pose={"right_elbow": (0.0, 0.5, 0.0)}, shape=0.95),
    table=Table(size=(1.2, 0.6, 0.75)),
    things=(
        Thing("bottle", "bottle", position=(0.16, 0.33), yaw_deg=90.0),
        Thing("cup", "models/cup.glb", "glass", (0.0, 0.4, 0.9), scale=0.001, mass_kg=0.2, role="target"),
    ),
    prompt="A person pours.",
)


def through_text(setup: SceneFile) -> dict:
    return json.loads(json.dumps(scene_file_to_json(setup)))


def test_a_setup_comes_back_from_json_as_it_was():
    assert scene_file_from_json(through_text(POUR), "pour.json") == POUR


def test_defaults_are_not_written():
    plain = SceneFile("lift", things=(Thing("can", "can"),))
    assert scene_file_to_json(plain) == {"name": "lift", "human": {}, "things": [{"name": "can", "model": "can"}]}
    assert scene_file_from_json(scene_file_to_json(plain), "") == plain


def test_yaw_turns_after_the_rotation():
    lying = Thing("can", "can", rotation=(0.5**0.5, 0.5**0.5, 0.0, 0.0), yaw_deg=90.0)  # z of the can to -y, then to +x
    w, x, y, z = lying.orientation
    axis = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    np.testing.assert_allclose(axis, [1, 0, 0], atol=1e-12)


def edited(path: tuple, value) -> dict:
    data = through_text(POUR)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        (("thing",), [], "s.json", "unknown field 'thing'; did you mean things?"),
        (("human", "yaw"), 3, "s.json: human", "unknown field 'yaw'"),
        (("table", "height"), 0.8, "s.json: table", "unknown field 'height'"),
        (("things", 1, "colour"), "red", "s.json: things[1]", "unknown field 'colour'"),
        (("things", 0, "yaw_deg"), "left", "s.json: things.0.yaw_deg", "number"),
        (("things", 0, "role"), "hero", "s.json: things.0.role", "'manipulated'"),
        (("things", 0), 3, "s.json: things[0]", "no JSON object"),
        (("things",), {}, "s.json: things", "list|tuple|array"),
        (("things", 0, "position"), [0.1], "s.json.things[0].position", "cannot be at"),
        (("things", 0, "position"), [0.1, float("nan")], "s.json.things[0].position", "cannot be at"),
        (("things", 0, "rotation"), [0.0, 0.0, 0.0, 0.0], "s.json.things[0].rotation", "cannot be turned"),
        (("things", 0, "scale"), -1.0, "s.json.things[0]", "scale -1.0"),
        (("things", 0, "mass_kg"), 0.0, "s.json.things[0]", "mass 0.0"),
        (("things", 0, "model"), "", "s.json.things[0].model", "no model"),
        (("things", 0, "name"), "a/b", "s.json.things[0].name", "cannot be called"),
        (("things", 1, "name"), "bottle", "s.json.things", "two things are called 'bottle'"),
        (("things", 0, "role"), "prop", "s.json.things", "no things are manipulated"),
        (("things", 1, "role"), "manipulated", "s.json.things", "2 things are manipulated: bottle, cup"),
        (("human", "pose"), {"right_elbo": [0, 0, 0]}, "s.json.human.pose", "did you mean right_elbow"),
        (("human", "shape"), 7.0, "s.json.human.shape", "scale 7.0"),
        (("table", "size"), [1.0, 0.5, -1.0], "s.json.table", "table cannot stand"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(path, value, where, what):
    with pytest.raises(SceneError, match=what) as caught:
        scene_file_from_json(edited(path, value), "s.json")
    assert caught.value.where == where and caught.value.valid


def test_a_missing_field_is_named():
    data = through_text(POUR)
    del data["things"][0]["model"]
    with pytest.raises(SceneError, match="required") as caught:
        scene_file_from_json(data, "s.json")
    assert caught.value.where == "s.json: things.0.model"


def test_a_thing_that_is_not_there_is_told_with_those_that_are():
    assert POUR.thing("cup") is POUR.others[0] and POUR.manipulated.name == "bottle"
    with pytest.raises(SceneError, match="no 'mug' in the scene 'pour'") as caught:
        POUR.thing("mug")
    assert caught.value.valid == "bottle, cup"
