"""docs/rooms.md is what the code says today."""

from tests.architecture import room_map


def test_the_map_is_current():
    assert room_map.PAGE.read_text() == room_map.page(), "out of date: make map"


def test_arrows_that_follow_from_others_are_left_out():
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set()}
    assert room_map.reduced(graph) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()}


def test_commands_are_one_node_and_other_packages_whole():
    modules = ("devi_jax.train", "devi_jax", "devi_jax.core.clip", "envs.rewards.object")
    assert [room_map.room(m) for m in modules] == ["commands", None, "core", "envs"]


def test_every_folder_has_a_purpose_of_one_line():
    folders = [p.parent for package in room_map.PACKAGES for p in (room_map.ROOT / package).rglob("__init__.py")]
    assert [str(f) for f in folders if not 10 < len(room_map.purpose(f)) < 200] == []
