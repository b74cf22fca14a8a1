"""Pictures as MuJoCo textures and materials."""

import mujoco
import numpy as np

HIDDEN_GROUP = 5
"""Geom group of what is simulated but not drawn: MuJoCo shows groups 0 to 2 by default."""


def add_texture(spec: mujoco.MjSpec, name: str, picture: np.ndarray) -> None:
    """A 2D texture from uint8 (H, W, 3), top row first."""
    high, wide = picture.shape[:2]
    spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=wide,
        height=high,
        nchannel=3,
        data=picture.ravel(),
    )


def add_material(spec: mujoco.MjSpec, name: str, picture: np.ndarray, specular: float, shininess: float) -> None:
    """A material called `name` that shows `picture`, uint8 (H, W, 3)."""
    add_texture(spec, name, picture)
    material = spec.add_material(name=name, specular=specular, shininess=shininess)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
