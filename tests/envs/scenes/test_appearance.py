"""What is painted and worn: by numbers, in the texture and on the dressed model."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Mesh, SceneSpec, Table
from devi_jax.core.skeleton import INDEX, JOINTS
from envs.embodiments.human.skin import PARTS, bundled_skin, keep
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.appearance import APPEARANCES, add_room, appearance, dress_human, dress_object
from envs.scenes.appearance.appearance import Appearance, Cloth, Shoes, Top, Trousers
from envs.scenes.appearance.atlas import Atlas, build_atlas
from envs.scenes.appearance.garments import landmarks, top_depth
from envs.scenes.appearance.outfit import outfit, relief
from envs.scenes.appearance.paint import paint
from envs.scenes.appearance.surface import Surface

SIZE = 512
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def loud() -> Appearance:
    """Clothes in pure colours, so that every pixel says what it is."""
    return replace(
        APPEARANCES[0],
        top=Top(Cloth(RED), sleeve=0.5),
        trousers=Trousers(Cloth(GREEN), leg=2.0),
        shoes=Shoes(BLUE, BLUE),
    )


@pytest.fixture(scope="module")
def painted(loud) -> tuple[Atlas, np.ndarray, np.ndarray, np.ndarray]:
    """Atlas, places (P, 3), colours (P, 3) in [0, 1] and parts (P,) of the loud person's texture."""
    skin = outfit(bundled_skin(loud.figure), loud)
    atlas = build_atlas(skin, SIZE)
    colours = paint(skin, relief(skin, loud), loud, SIZE).reshape(-1, 3)[atlas.pixels] / 255
    return atlas, atlas.of_vertices(skin, skin.vertices), colours, skin.part[atlas.face]


def is_cloth(colours: np.ndarray, channel: int) -> np.ndarray:
    """Where a pure colour is: the others are zero, however it is shaded."""
    others = np.delete(colours, channel, axis=1)
    return (colours[:, channel] > 0.3) & (others.max(axis=1) < 0.1)


def test_atlas_knows_the_place_under_every_pixel():
    skin = bundled_skin()
    body = keep(skin, skin.part == PARTS.index("body"))
    atlas = build_atlas(body, SIZE)
    rows, columns = np.divmod(atlas.pixels, SIZE)
    centre = np.stack([(columns + 0.5) / SIZE, 1 - (rows + 0.5) / SIZE], axis=1)
    corners = body.corner_uv[body.faces[atlas.face]]
    np.testing.assert_allclose((corners * atlas.barycentric[..., None]).sum(axis=1), centre, atol=1e-4)
    np.testing.assert_allclose(atlas.barycentric.sum(axis=1), 1.0, atol=1e-5)
    # covered is what the triangles cover, by the shoelace formula
    a, b, c = (body.corner_uv[body.faces[:, k]] for k in range(3))
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2
    assert len(atlas.pixels) / SIZE**2 == pytest.approx(area, rel=0.02)


def test_clothes_are_where_their_lengths_say_and_hems_are_straight(painted, loud):
    _, places, colours, part = painted
    marks = landmarks(bundled_skin(loud.figure))
    body = part == PARTS.index("body")
    red, green = is_cloth(colours, 0) & body, is_cloth(colours, 1) & body
    cuff = marks.shoulder_x + 0.5 * (marks.elbow_x - marks.shoulder_x)
    sleeve = red & (np.abs(places[:, 0]) > marks.shoulder_x + 0.03)
    # the edge of the sleeve all around the arm, in 16 sectors: within a texture pixel (4 mm here) of one plane
    around = np.arctan2(places[:, 2] - marks.neck[2] + 0.1, places[:, 1] - 0.015)
    for side in (-1, 1):
        for k in range(16):
            sector = sleeve & (side * places[:, 0] > 0) & (np.floor((around + np.pi) / (2 * np.pi) * 16) == k)
            assert np.abs(places[sector, 0]).max() == pytest.approx(cuff, abs=0.006)
    depth = top_depth(places[red], marks, loud)
    assert depth.min() > -0.001
    assert (places[green, 2] < marks.hip_z + 0.11).all() and (places[green, 2] > marks.ankle_z - 0.022).all()
    assert is_cloth(colours, 2)[part == PARTS.index("shoes")].mean() > 0.95


def test_hands_and_face_are_skin(painted, loud):
    _, places, colours, part = painted
    marks = landmarks(bundled_skin(loud.figure))
    body = part == PARTS.index("body")
    hands = body & (np.abs(places[:, 0]) > marks.wrist_x)
    ratio = colours / colours.sum(axis=1, keepdims=True)
    tone = np.asarray(loud.skin) / sum(loud.skin)
    assert (np.linalg.norm(ratio[hands] - tone, axis=1) < 0.06).mean() > 0.99
    assert not is_cloth(colours[hands], 0).any()
    face = body & (places[:, 1] > marks.eye[1]) & (np.abs(places[:, 2] - marks.eye[2] + 0.04) < 0.05)
    assert (np.linalg.norm(ratio[face] - tone, axis=1) < 0.12).mean() > 0.8
    eyes = part == PARTS.index("eyes")
    assert (colours[eyes].min(axis=1) > 0.75).any() and (colours[eyes].max(axis=1) < 0.2).any()


def test_nothing_is_left_unpainted(painted):
    atlas, _, colours, _ = painted
    assert len(atlas.nearest) == SIZE**2 and atlas.nearest.max() < len(atlas.pixels)
    assert np.isfinite(colours).all()


def test_relief_stands_off_the_covered_skin_and_leaves_hands_and_face(loud):
    skin = outfit(bundled_skin(loud.figure), loud)
    worn = relief(skin, loud)
    moved = np.linalg.norm(worn.vertices - skin.vertices, axis=1)
    marks = landmarks(skin)
    hands = skin.weights[:, [j for j, n in enumerate(JOINTS) if "wrist" in n or n[-1].isdigit() and "spine" not in n]]
    assert moved[hands.sum(axis=1) > 0.99].max() == 0
    face = (skin.vertices[:, 1] > marks.eye[1] - 0.02) & (np.abs(skin.vertices[:, 2] - marks.eye[2] + 0.03) < 0.05)
    assert moved[face].max() == 0
    assert moved.max() < 0.03
    assert worn.vertices[:, 2].min() == pytest.approx(skin.vertices[:, 2].min())


@pytest.mark.parametrize("person", APPEARANCES, ids=lambda person: person.name)
def test_everyone_has_shoes_that_stand_on_the_floor(person):
    bare = bundled_skin(person.figure)
    skin = outfit(bare, person)
    shoes = np.unique(skin.triangles[skin.part == PARTS.index("shoes")])
    lowest = bare.vertices[:, 2].min()
    assert skin.vertices[shoes, 2].min() == pytest.approx(lowest, abs=1e-6)
    follow = skin.weights[shoes].argmax(axis=1)
    assert set(follow) <= {INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "foot", "knee")}
    assert np.unique(skin.part).tolist() == sorted(
        {0, 1, 2, PARTS.index("shoes")}
        | ({PARTS.index("brim")} if person.hair.cap else set())
        | ({PARTS.index("long_hair")} if person.hair.length == "long" and not person.hair.cap else set())
    )


def test_people_differ():
    skins = [outfit(bundled_skin(p.figure), p) for p in APPEARANCES]
    pictures = [paint(s, relief(s, p), p, 128).astype(int) for s, p in zip(skins, APPEARANCES, strict=True)]
    assert len(APPEARANCES) >= 4
    for i, one in enumerate(pictures):
        for other in pictures[i + 1 :]:
            assert np.abs(one - other).mean() > 10


def test_unknown_appearances_are_refused():
    with pytest.raises(SceneError, match="casual"):
        appearance("astronaut")
    assert appearance().name == "casual"


def test_noise_has_unit_variance_and_no_mean():
    points = np.random.default_rng(0).uniform(-1, 1, (20000, 3))
    surface = Surface(points, points, np.zeros(20000), np.zeros(20000, int), {})
    noise = surface.noise(0.05, 1)
    assert abs(noise.mean()) < 0.05 and 0.6 < noise.std() < 1.2
    near = Surface(points + 0.001, points, surface.crease, surface.part, {}).noise(0.05, 1)
    assert np.abs(near - noise).mean() < 0.1


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(SceneSpec(table=Table()))


def test_dressing_changes_only_what_is_drawn(scene):
    spec = build_spec(scene, SETTINGS["c"])
    bare, dressed = spec.compile(), add_room(dress_human(spec, scene.embodiment.body, appearance(), 64)).compile()
    assert bare.nskin == 0 and dressed.nskin == 1
    assert (dressed.nq, dressed.nv, dressed.nbody) == (bare.nq, bare.nv, bare.nbody)
    np.testing.assert_array_equal(dressed.body_mass, bare.body_mass)
    np.testing.assert_array_equal(dressed.qpos0, bare.qpos0)
    human = np.isin(dressed.geom_bodyid, [dressed.body(n).id for n in JOINTS])
    assert (dressed.geom_group[human] == 5).all() and (dressed.geom_group[~human] < 3).all()


def test_clad_things_weigh_what_they_did(scene):
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    body.add_geom(name="object", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.05, 0, 0], mass=0.3)
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]], float)
    mesh = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    picture = np.zeros((4, 4, 3), np.uint8)
    drawn = dress_object(spec, "object", mesh, corners[:, :2] * 10, picture, "steel").compile()
    plain = spec.compile()
    np.testing.assert_allclose(drawn.body_inertia, plain.body_inertia)
    np.testing.assert_allclose(drawn.body_mass, plain.body_mass)
    shown = drawn.geom("object/look")
    assert int(shown.contype[0]) == 0 and drawn.geom("object").group[0] == 5
    # the drawn mesh is where the mesh is, whatever frame the compiler gave it
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, drawn.geom_quat[shown.id])
    there = drawn.mesh_vert @ turn.reshape(3, 3).T + drawn.geom_pos[shown.id]
    gaps = np.linalg.norm(there[:, None] - corners[None], axis=2).min(axis=1)
    assert gaps.max() < 1e-6
