"""The picture of a dressed scene agrees with what is simulated: by projected joints, masks and colours."""

import mujoco
import numpy as np
import pytest

from devi_jax.core.camera import frontal, project
from devi_jax.core.scene import Mesh
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS
from devi_jax.datasets.load import resolve
from devi_jax.rendering import gl
from devi_jax.rendering.renderer import NOTHING, Quality
from devi_jax.scripted_video.photo_renderer import PhotoRenderer
from envs.animation import build_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip
from envs.physics.scene_model import Scene
from envs.scenes.appearance import appearance
from envs.scenes.objects.textured_model import Model

pytestmark = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")

FRAMES = (0, 40, 90)
RADIUS_M, HEIGHT_M = 0.033, 0.12


def sleeve() -> Model:
    """A tube around the can whose texture is green above, blue below, and has a red first column."""
    angle = np.linspace(0, 2 * np.pi, 33)
    ring = 1.02 * RADIUS_M * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate([np.c_[ring, np.full(33, z)] for z in (-HEIGHT_M / 2, HEIGHT_M / 2)])
    a = np.arange(32)
    faces = np.concatenate([np.c_[a, a + 1, a + 34], np.c_[a, a + 34, a + 33]])
    uv = np.c_[np.tile(angle / (2 * np.pi), 2), np.repeat([1.0, 0.0], 33)]
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:32, :, 1], texture[32:, :, 2] = 255, 255
    return Model("sleeve", Mesh(vertices, faces), "steel", 0.3, uv, texture)


@pytest.fixture(scope="module")
def motion():
    """The scene of the bundled lift and three of its configurations (3, nq)."""
    clip = resolve("lift_can")
    stage = build_posed_scene(clip.scene)
    return Scene(clip.scene), postures_of_clip(stage, clip)[list(FRAMES)]


@pytest.fixture(scope="module")
def studio(motion):
    with PhotoRenderer(motion[0], "casual", frontal(-45.0), {"object": sleeve()}) as opened:
        yield opened


def joints_px(studio: PhotoRenderer, qpos: np.ndarray) -> np.ndarray:
    """Joints (52, 2) in pixels."""
    data = mujoco.MjData(studio.model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(studio.model, data)
    points = np.stack([data.body(name).xpos for name in JOINTS])
    return project(points, studio.camera.K, studio.camera.T_camera_world)[0]


def test_joints_lie_within_the_person(studio, motion):
    person = studio.model.body("pelvis").id
    inside, seen = 0, 0
    for qpos in motion[1]:
        mask = studio.segmentation(qpos) == person
        pixels = joints_px(studio, qpos).astype(int)
        # below the table top is hidden, and so are some feet
        shown = [i for i, (x, y) in enumerate(pixels) if joint_is_above_table(JOINTS[i]) and 0 <= y < 576]
        inside += sum(mask[pixels[i][1], pixels[i][0]] for i in shown)
        seen += len(shown)
    assert inside / seen > 0.95


def joint_is_above_table(name: str) -> bool:
    """Whether neither the table nor the can hides a joint of the lift from its left front: right fingers it may."""
    return not any(part in name for part in ("hip", "knee", "ankle", "foot", "pelvis")) and "right_" not in name


def test_free_hands_are_the_colour_of_skin(studio, motion):
    picture = studio.frame(motion[1][0]).astype(float)
    tone = np.asarray(appearance("casual").skin)
    for hand in HAND_BODIES:
        pixels = joints_px(studio, motion[1][0])[list(hand)].astype(int)
        colours = picture[pixels[:, 1], pixels[:, 0]]
        shares = colours / colours.sum(axis=1, keepdims=True)
        assert (np.linalg.norm(shares - tone / tone.sum(), axis=1) < 0.06).mean() > 0.8


def test_textures_are_upright_on_things(studio, motion):
    qpos = motion[1][0]
    picture, mask = studio.frame(qpos).astype(int), studio.segmentation(qpos) == studio.model.body("object").id
    rows = np.nonzero(mask)[0]
    assert mask.sum() > 300
    middle = (rows.min() + rows.max()) / 2
    green = mask & (picture[..., 1] > 1.5 * picture[..., 2])
    blue = mask & (picture[..., 2] > 1.5 * picture[..., 1])
    assert np.nonzero(green)[0].mean() < middle < np.nonzero(blue)[0].mean()
    assert green.sum() + blue.sum() > 0.6 * mask.sum()


def test_the_room_closes_every_view(studio, motion):
    assert (studio.segmentation(motion[1][0]) == NOTHING).mean() < 0.001
    assert np.percentile(studio.depth(motion[1][0]), 99.9) < 12
    # tiles of two greys, for perspective: the floor left of the table
    floor = studio.frame(motion[1][0])[-150:, :200].reshape(-1, 3).mean(axis=1)
    dark, light = np.percentile(floor, [5, 95])
    near = np.minimum(np.abs(floor - dark), np.abs(floor - light))
    assert light - dark > 30 and (near < 10).mean() > 0.9


def test_the_person_is_as_far_away_as_its_joints(studio, motion):
    qpos = motion[1][0]
    depth, pixels = studio.depth(qpos), joints_px(studio, qpos).astype(int)
    data = mujoco.MjData(studio.model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(studio.model, data)
    for name in ("left_elbow", "left_wrist", "head", "spine3"):
        x, y = pixels[INDEX[name]]
        _, z = project(data.body(name).xpos, studio.camera.K, studio.camera.T_camera_world)
        # the skin is in front of the joint, by no more than half a trunk
        assert 0.0 < z - depth[y, x] < 0.2


def test_video_has_the_frames_of_the_motion(tmp_path, motion):
    scene, qpos = motion
    with PhotoRenderer(scene, "worker", frontal(45.0, width=256, height=144), quality=Quality(1.0, True, 512)) as small:
        small.video(tmp_path / "out.mp4", qpos, fps=10)
        first = small.frame(qpos[0]).astype(int)
    import imageio_ffmpeg

    frames = imageio_ffmpeg.read_frames(str(tmp_path / "out.mp4"))
    meta = next(frames)
    assert meta["size"] == (256, 144) and meta["fps"] == 10
    decoded = [np.frombuffer(frame, np.uint8).reshape(144, 256, 3).astype(int) for frame in frames]
    assert len(decoded) == len(qpos)
    assert np.abs(decoded[0] - first).mean() < 6
