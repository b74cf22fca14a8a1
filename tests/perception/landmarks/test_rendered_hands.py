"""How far away rendered hands are, by their size, how they are turned, and where the network has their palms."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import global_rotations
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.rendering import gl
from devi_jax.scripted_video import compose
from envs.animation.planner.motion import to_clip
from perception.contracts.hand import HAND21
from perception.landmarks.follow import Networks
from perception.landmarks.hand_depth import hand_in_camera
from perception.landmarks.hands_alone import estimate_hands
from perception.landmarks.network_palm import KNUCKLES, PALM_POINTS, network_shifts

EVERY = 3


@pytest.mark.slow
@pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")
@pytest.mark.parametrize(
    ("name", "verb", "turn_deg", "far"), [("lift_can", "lift", 75, 1.25), ("lift_box", "lift", 35, 1.4)]
)
def test_the_hands_of_a_film_are_as_far_away_and_turned_as_they_are(name, verb, turn_deg, far, networks: Networks):
    """Medians. Of a hand that is read as its mirror image the row of knuckles points the other way.

    The box's right hand is 1.3 times as far away as it is: 41 px of palm are read as 23.
    """
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
        points = hand_in_camera(hand, view.K, scene.body.offsets, side)
        at = points[:, PALM_POINTS[1:], 2].mean(axis=1)
        knuckles = clip.joint_positions[::EVERY, [INDEX[f"{side}_{k}"] for k in KNUCKLES]].mean(axis=1)
        true = knuckles @ T[2, :3] + T[2, 3]
        ratio = at[np.isfinite(at)] / true[np.isfinite(at)]
        assert hand.seen.mean() > 0.7
        assert 0.8 < np.median(ratio) < far, np.percentile(ratio, [10, 50, 90])
        row = points[:, HAND21.index("index1")] - points[:, HAND21.index("pinky1")]
        index, pinky = (clip.joint_positions[::EVERY, INDEX[f"{side}_{k}"]] for k in ("index1", "pinky1"))
        off = angle_deg(row, (index - pinky) @ T[:3, :3].T)[np.isfinite(at)]
        assert np.median(off) < turn_deg, np.percentile(off, [10, 50, 90])
        palm = clip.joint_positions[::EVERY, [INDEX[f"{side}_{k}"] for k in ("wrist", *KNUCKLES)]]
        wrist = global_rotations(clip.joint_rotations)[::EVERY, INDEX[f"{side}_wrist"], None]
        shifts = network_shifts(scene.body.offsets, side)[PALM_POINTS]
        moved = palm + rot.rotate(np.broadcast_to(wrist, (*palm.shape[:2], 4)), np.broadcast_to(shifts, palm.shape))
        gaps = [
            np.median(np.linalg.norm(project(at, view.K, T)[0] - hand.xy[:, PALM_POINTS], axis=-1)[hand.seen])
            for at in (palm, moved)
        ]
        print(name, side, "palm from the network's, px: joints", gaps[0].round(1), "shifted", gaps[1].round(1))
        assert gaps[1] < 0.85 * gaps[0]
        print(name, side, np.percentile(ratio, [10, 50, 90]).round(2), np.percentile(off, [10, 50, 90]).round())


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles (T,) between vectors (T, 3)."""
    cosine = (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
