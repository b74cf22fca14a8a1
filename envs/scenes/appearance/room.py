"""The surroundings of a picture: checkered floor for perspective (DeVI A.3), walls, wooden table, light with shadow."""

import mujoco
import numpy as np
from scipy import ndimage

from envs.scenes.appearance.textures import add_material

_HALF_M = 5.5  # so far that no wall casts a shadow where people stand
_HIGH_M = 4.5
_SHADOW_M = 2.4
_TILE_M = 0.5
_WALL = (0.72, 0.71, 0.69)
_WOOD = ((0.62, 0.43, 0.27), (0.45, 0.29, 0.17))


def add_room(spec: mujoco.MjSpec, daylight: float = 1.0) -> mujoco.MjSpec:
    """A copy of `spec` whose floor and table are textured, with walls behind, lit by one light that casts shadows.

    Args:
        daylight: brightness of the light; 1 is an ordinary room.
    """
    out = spec.copy()
    _light(out, daylight)
    _floor(out)
    _walls(out)
    # the shadow map covers what is within extent * shadowclip of the light's axis
    out.stat.extent, out.visual.map.shadowclip = _SHADOW_M, 1.0
    table = out.geom("table")
    if table is not None:
        # MuJoCo maps a 2D texture onto a box from above; its sides show the streaks of the edges, as boards do
        add_material(out, "wood", wood(np.random.default_rng(3)), specular=0.25, shininess=0.4)
        table.material = "wood"
        table.rgba = [1.0, 1.0, 1.0, 1.0]
    return out


def wood(rng: np.random.Generator, high: int = 384, wide: int = 768) -> np.ndarray:
    """Planks of wood, uint8 (high, wide, 3): rings cut along the grain, four boards."""
    y, x = np.mgrid[:high, :wide] / high
    board = np.minimum((4 * y).astype(int), 3)
    shift = rng.uniform(0, 9, 4)[board]
    wobble = ndimage.gaussian_filter(rng.normal(size=(high, wide)), (6, 60))
    wobble = wobble / wobble.std()
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * y + shift + 0.35 * wobble + 0.6 * np.sin(1.3 * x + shift)))
    fibre = ndimage.gaussian_filter(rng.normal(size=(high, wide)), (0.6, 12))
    tone = np.clip(0.15 + 0.5 * rings**2 + 0.10 * fibre / fibre.std() + rng.uniform(-0.12, 0.12, 4)[board], 0, 1)
    colour = np.asarray(_WOOD[0]) * (1 - tone[..., None]) + np.asarray(_WOOD[1]) * tone[..., None]
    gap = np.abs(4 * y - np.round(4 * y)) < 0.012
    colour[gap & (y > 0.1) & (y < 0.9)] *= 0.55
    return (255 * np.clip(colour, 0, 1)).astype(np.uint8)


def _light(spec: mujoco.MjSpec, daylight: float) -> None:
    for light in spec.lights:
        spec.delete(light)
    spec.visual.headlight.ambient = [0.46, 0.46, 0.47]
    spec.visual.headlight.diffuse = [0.22, 0.22, 0.22]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.worldbody.add_light(
        name="lamp",
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[-1.1, 2.3, 4.0],
        dir=[0.36, -0.70, -1.0],
        diffuse=[0.62 * daylight, 0.60 * daylight, 0.56 * daylight],
        specular=[0.2, 0.2, 0.2],
        castshadow=True,
    )


def _floor(spec: mujoco.MjSpec) -> None:
    texture = spec.texture("floor")
    texture.rgb1, texture.rgb2 = [0.66, 0.67, 0.68], [0.47, 0.49, 0.52]
    material = spec.material("floor")
    # one repeat of the texture is two tiles by two
    material.texrepeat = [0.5 / _TILE_M, 0.5 / _TILE_M]
    material.reflectance = 0.0
    spec.geom("floor").size = [_HALF_M, _HALF_M, 0.1]


def _walls(spec: mujoco.MjSpec) -> None:
    """Four walls that are seen from inside only, so that no camera stands behind one."""
    spec.add_material(name="wall", rgba=[*_WALL, 1.0], emission=0.42, specular=0.0)
    for k in range(4):
        angle = k * np.pi / 2
        inward = np.array([np.cos(angle), np.sin(angle), 0.0])
        spec.worldbody.add_geom(
            name=f"wall{k}",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            pos=_HALF_M * -inward + [0, 0, _HIGH_M / 2],
            zaxis=inward,
            size=[_HIGH_M / 2, _HALF_M, 0.1] if k % 2 == 0 else [_HALF_M, _HIGH_M / 2, 0.1],
            material="wall",
            contype=0,
            conaffinity=0,
        )
