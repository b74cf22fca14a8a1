"""How far away rendered hands are, by their size: what `WRIST_PART` was chosen for."""

import numpy as np
import pytest

from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.rendering import gl
from devi_jax.scripted_video import compose
from envs.animation.planner.motion import to_clip
from perception.landmarks.follow import Networks
from perception.landmarks.hand_depth import KNUCKLES, PALM_POINTS, hand_in_camera
from perception.landmarks.hands_alone import estimate_hands

EVERY = 3


@pytest.mark.slow
@pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")
@pytest.mark.parametrize(("name", "verb"), [("lift_can", "lift"), ("lift_box", "lift")])
def test_the_hands_of_a_film_are_as_far_away_as_they_are(name, verb, networks: Networks):
    scene = compose.compose_scene(load_scene_file(name))
    hands = ("right",) if name == "lift_can" else ("left", "right")
    motion = compose.script_motion(scene, verb, None, hands)
    view = compose.choose_camera(scene, motion.qpos, hands, "paper", None, 1024).camera
    clip = to_clip(motion, name, view, "")
    with compose.open_renderer(scene, "casual", view) as renderer:
        found = estimate_hands(compose.render_frames(renderer, motion.qpos[::EVERY]), 30 / EVERY, networks=networks)
    T = view.T_camera_world
    for side in hands:
        hand = found.hands[side]
        at = hand_in_camera(hand, view.K, scene.body.offsets, side)[:, PALM_POINTS[1:], 2].mean(axis=1)
        knuckles = clip.joint_positions[::EVERY, [INDEX[f"{side}_{k}"] for k in KNUCKLES]].mean(axis=1)
        true = knuckles @ T[2, :3] + T[2, 3]
        ratio = at[np.isfinite(at)] / true[np.isfinite(at)]
        assert hand.seen.mean() > 0.7
        assert 0.8 < np.median(ratio) < 1.25, np.percentile(ratio, [10, 50, 90])
        print(name, side, np.percentile(ratio, [10, 50, 90]).round(2))
