"""What stands between a prompt and a picture: roles, the human as asked for, cameras at any size, an open shutter."""

import mujoco
import numpy as np
import pytest

from devi_jax.core.camera import frontal, project
from devi_jax.core.errors import ConfigError
from devi_jax.core.rotations import quat_exp, rotate
from devi_jax.core.scene import SceneSpec, Table
from devi_jax.core.scene_file import SceneFile, SceneHuman, Thing
from devi_jax.datasets.load import resolve
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.scripted_video import compose
from devi_jax.scripted_video.photo_renderer import PhotoRenderer
from devi_jax.scripted_video.place_human import body_for, standing_posture
from envs.animation import Imperfection
from envs.animation.kinematics.posed_scene import build_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip
from envs.animation.planner.motion import PlannedMotion
from tests.stand_in import stand_in

TWO = SceneFile(
    "two",
    table=Table(),
    things=(Thing("can", "can"), Thing("bowl", "bowl", position=(-0.2, 0.35), role="target")),
)


def test_the_prompt_says_what_is_manipulated():
    kept = compose.with_manipulated(TWO, "can", None, "A.")
    assert {t.name: t.role for t in kept.things} == {"can": "manipulated", "bowl": "target"}
    turned = compose.with_manipulated(TWO, "bowl", "can", "A.")
    assert {t.name: t.role for t in turned.things} == {"can": "target", "bowl": "manipulated"}
    alone = compose.with_manipulated(TWO, "bowl", None, "A.")
    assert {t.name: t.role for t in alone.things} == {"can": "prop", "bowl": "manipulated"}
    assert turned.prompt == "A."
    turned.validate()


def test_a_mesh_is_named_by_its_absolute_path(tmp_path, monkeypatch):
    (tmp_path / "cup.obj").write_text("")
    monkeypatch.chdir(tmp_path)
    setup = SceneFile("own", things=(Thing("cup", "cup.obj", "ceramic"),))
    (thing,) = compose.with_manipulated(setup, "cup", None, "A.").things
    assert thing.model == str(tmp_path / "cup.obj")
    assert compose.spoken_names(setup) == {"cup": ("cup",)}


def test_a_place_aside_is_on_the_support_and_towards_the_middle():
    scene = compose.compose_scene(load_scene_file("lift_can"))
    x, y = scene.arranged.object_start[:2]
    assert compose.default_target(scene) == pytest.approx((x - 0.2, y, 0.8))


@pytest.mark.parametrize(("verb", "said"), [("", "no action"), ("juggle", "cannot juggle"), ("pour", "into nothing")])
def test_what_the_planner_cannot_do_is_said(verb, said):
    scene = compose.compose_scene(load_scene_file("lift_can"))
    with pytest.raises(ConfigError, match=said):
        compose.script_motion(scene, verb, None, ("right",))


def test_the_human_stands_as_the_setup_has_it():
    stage = build_posed_scene(SceneSpec())
    plain = standing_posture(stage, SceneHuman())
    bent = (0.4, 0.0, 0.0)
    asked = standing_posture(stage, SceneHuman(position=(0.3, -0.5), yaw_deg=90.0, pose={"neck": bent}))
    np.testing.assert_allclose(asked[stage.quat("neck")], quat_exp(np.array(bent)), atol=1e-6)
    root = stage.root
    turn = np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    np.testing.assert_allclose(asked[root], rotate(turn, plain[root]) + [0.3, -0.5, 0], atol=0.01)


def test_a_scaled_body_is_scaled_throughout():
    small, usual = body_for(SceneHuman(shape=0.8)), body_for(SceneHuman())
    assert small.stature_m == pytest.approx(0.8 * usual.stature_m)
    assert small.mass_kg == pytest.approx(0.512 * usual.mass_kg)


def test_a_narrower_picture_shows_the_same():
    wide = frontal()
    narrow = compose._wide(wide, 512)
    point = np.array([0.2, 0.4, 0.9])
    a, _ = project(point, wide.K, wide.T_camera_world)
    b, _ = project(point, narrow.K, narrow.T_camera_world)
    assert (narrow.width, narrow.height) == (512, 288)
    np.testing.assert_allclose(b, a / 2)


def test_a_shutter_is_open_for_half_the_way_to_the_next_frame():
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body><joint type="slide"/><geom size=".1"/></body></worldbody></mujoco>'
    )

    studio = stand_in(PhotoRenderer, model=model, frame=lambda self, qpos: qpos)  # shows the posture itself
    qpos = np.array([[0.0], [1.0], [3.0]])
    shown = np.concatenate(list(compose.render_frames(studio, qpos, 4)))
    np.testing.assert_allclose(shown, [0, 0.125, 0.25, 0.375, 1, 1.25, 1.5, 1.75, 3, 3, 3, 3])
    np.testing.assert_allclose(np.concatenate(list(compose.render_frames(studio, qpos))), [0, 1, 3])


def test_misjudged_depth_moves_hand_and_thing_away_on_their_rays():
    clip = resolve("lift_can")
    stage = build_posed_scene(clip.scene)
    motion = PlannedMotion(stage, postures_of_clip(stage, clip)[::20], clip.contact[::20], {})
    camera = frontal(azimuth_deg=-45.0)
    wrong = compose.degrade_motion(motion, Imperfection(depth_scale=1.05), 0, camera)
    was, now = (m.qpos[:, stage.object][:, :3] - camera.position_world for m in (motion, wrong))
    np.testing.assert_allclose(now, 1.05 * was, atol=1e-6)
    same = compose.degrade_motion(motion, Imperfection(), 0, camera)
    np.testing.assert_allclose(same.qpos, motion.qpos, atol=4e-3)  # rounded as clips of grades are
