"""Puts a textured skin over a simulated human, for drawing only: collision shapes are hidden, all else stays."""

import mujoco
import numpy as np

from devi_jax.core.skeleton import JOINTS
from envs.embodiments.human.body import Body
from envs.embodiments.human.skin import Skin, bundled_skin, fitted
from envs.scenes.appearance.appearance import Appearance
from envs.scenes.appearance.outfit import outfit, relief
from envs.scenes.appearance.paint import paint
from envs.scenes.appearance.scan import Scan
from envs.scenes.appearance.textures import HIDDEN_GROUP, add_material


def dress_human(spec: mujoco.MjSpec, body: Body, person: Appearance | Scan, texture_size: int = 1024) -> mujoco.MjSpec:
    """A copy of `spec`, in which the human of `body` looks like `person`."""
    if isinstance(person, Scan):
        return add_skin(spec, fitted(person.skin, body), person.texture, "person")
    skin = outfit(bundled_skin(person.figure), person)
    worn = relief(skin, person)
    return add_skin(spec, fitted(worn, body), paint(skin, worn, person, texture_size), "person")


def add_skin(spec: mujoco.MjSpec, skin: Skin, texture: np.ndarray, name: str) -> mujoco.MjSpec:
    """A copy of `spec` with `skin` on the 52 bodies of its human, whose geoms are hidden.

    Args:
        skin: in the T-pose of the human's own joints, relative to the pelvis.
        texture: uint8 (S, S, 3), top row first.
    """
    out = spec.copy()
    for joint in JOINTS:
        for geom in out.body(joint).geoms:
            geom.group = HIDDEN_GROUP
    add_material(out, name, texture, specular=0.10, shininess=0.15)
    weights = skin.weights[skin.corner_vertex]
    followed = [np.flatnonzero(weights[:, j] > 0) for j in range(len(JOINTS))]
    bones = [j for j in range(len(JOINTS)) if len(followed[j])]
    out.add_skin(
        name=name,
        material=name,
        vert=skin.vertices[skin.corner_vertex].ravel(),
        texcoord=(skin.corner_uv * [1, -1] + [0, 1]).ravel(),
        face=skin.faces.ravel(),
        bodyname=[JOINTS[j] for j in bones],
        bindpos=skin.joints[bones].ravel(),
        bindquat=np.tile([1.0, 0, 0, 0], len(bones)),
        vertid=[followed[j] for j in bones],
        vertweight=[weights[followed[j], j] for j in bones],
    )
    return out
