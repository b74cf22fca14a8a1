"""Pictures of a MuJoCo model from a pinhole camera, without a screen: colours, which body is where, and depth."""

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
from PIL import Image

from devi_jax.core.camera import Camera
from devi_jax.rendering import gl

NEAR_M, FAR_M = 0.05, 50.0
"""Depth range of a picture in metres."""

NOTHING = -1
"""In a segmentation: no body is here."""

_HIDDEN_GROUP = 5


@dataclass(frozen=True)
class Quality:
    """What a picture costs.

    `oversampling`: pictures are rendered this much larger and averaged; with Mesa's software renderer that takes two
    thirds of the time of multisampling. `shadows`: the model's own lights cast them (on maps of `shadow_map` pixels)
    and nothing else lights it; without, a light at the camera leaves no side of anything black.
    """

    oversampling: float = 2.0
    shadows: bool = False
    shadow_map: int = 2048


PHOTO = Quality(oversampling=1.25, shadows=True, shadow_map=1024)
"""For pictures that are to look like a photograph: DeVI's input to a video model, and scripted films."""


class Renderer:
    """Renders one model into pictures of one size. A context manager; works on a copy of `model`.

    Raises:
        DeviceError: when this machine has no offscreen OpenGL.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int, quality: Quality = Quality()):
        self._size = width, height
        wide, high = round(quality.oversampling * width), round(quality.oversampling * height)
        self._context = gl.context(wide, high)
        self._model = copy.copy(model)
        self._groups = self._model.geom_group.copy()
        self._dress(wide, high, quality)
        self._data = mujoco.MjData(self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=5000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = quality.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._options = mujoco.MjvOption()
        self._renderer = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._renderer)
        self._rectangle = mujoco.MjrRect(0, 0, wide, high)

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._context.make_current()
        self._renderer.free()
        self._context.free()

    def image(self, qpos: np.ndarray, camera: Camera) -> np.ndarray:
        """The model in the configuration `qpos` (nq,) as `camera` sees it: uint8 (height, width, 3).

        The camera's image is scaled to the renderer's size.
        """
        self._update(qpos, camera)
        mujoco.mjr_render(self._rectangle, self._scene, self._renderer)
        pixels = np.empty((self._rectangle.height, self._rectangle.width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, self._rectangle, self._renderer)
        picture = Image.fromarray(np.ascontiguousarray(pixels[::-1]))
        return np.asarray(picture.resize(self._size, Image.Resampling.HAMMING))

    def segmentation(self, qpos: np.ndarray, camera: Camera, only: Collection[int] | None = None) -> np.ndarray:
        """Which body is at the middle of each pixel: int32 (height, width), 0 for the world, `NOTHING` for the sky.

        A skin counts as the root of the bodies that it follows. `only`: ids of the bodies that are drawn, so that
        nothing else hides them; skins are not drawn then.
        """
        body = self._model.geom_bodyid
        if only is not None:
            self._model.geom_group[:] = np.where(np.isin(body, list(only)), self._groups, _HIDDEN_GROUP)
            self._options.skingroup[:] = 0
        try:
            self._update(qpos, camera)
        finally:
            self._model.geom_group[:] = self._groups
            self._options.skingroup[:] = mujoco.MjvOption().skingroup
        flags = (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR)
        for flag in flags:
            self._scene.flags[flag] = True
        rectangle = mujoco.MjrRect(0, 0, *self._size)
        mujoco.mjr_render(rectangle, self._scene, self._renderer)
        for flag in flags:
            self._scene.flags[flag] = False
        pixels = np.empty((rectangle.height, rectangle.width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, rectangle, self._renderer)
        number = pixels[::-1].astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
        return self._bodies()[number]

    def depth(self, qpos: np.ndarray, camera: Camera) -> np.ndarray:
        """Depth along the optical axis in metres at the middle of each pixel: float32 (height, width)."""
        self._update(qpos, camera)
        rectangle = mujoco.MjrRect(0, 0, *self._size)
        mujoco.mjr_render(rectangle, self._scene, self._renderer)
        buffer = np.empty((rectangle.height, rectangle.width), np.float32)
        mujoco.mjr_readPixels(None, buffer, rectangle, self._renderer)
        return NEAR_M * FAR_M / (FAR_M - buffer[::-1] * (FAR_M - NEAR_M))

    def _update(self, qpos: np.ndarray, camera: Camera) -> None:
        """Put the model in its configuration, aim, and make this renderer's OpenGL current."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(
            self._model, self._data, self._options, None, mujoco.MjvCamera(), everything, self._scene
        )
        self._aim(camera)
        self._context.make_current()

    def _bodies(self) -> np.ndarray:
        """The body of each segmentation number of the scene as it is: (numbers,)."""
        out = np.full(self._scene.ngeom + 2, NOTHING, np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                out[geom.segid + 1] = self._model.geom_bodyid[geom.objid]
            elif geom.objtype == mujoco.mjtObj.mjOBJ_SKIN:
                bone = self._model.skin_bonebodyid[self._model.skin_boneadr[geom.objid]]
                out[geom.segid + 1] = self._model.body_rootid[bone]
        return out

    def _dress(self, width: int, height: int, quality: Quality) -> None:
        """Buffer size, no multisampling, and lights."""
        visual = self._model.vis
        visual.global_.offwidth, visual.global_.offheight = width, height
        visual.quality.offsamples = 0
        visual.quality.shadowsize = quality.shadow_map
        if not quality.shadows:
            visual.headlight.active = 1
            visual.headlight.ambient[:], visual.headlight.diffuse[:], visual.headlight.specular[:] = 0.4, 0.4, 0.1

    def _aim(self, camera: Camera) -> None:
        """Set the frustum of `camera`. OpenCV's y points down and its z forward; OpenGL's up is -y."""
        K, rotation = camera.K, camera.T_camera_world[:3, :3]
        left, right = -K[0, 2] / K[0, 0], (camera.width - K[0, 2]) / K[0, 0]
        top, bottom = K[1, 2] / K[1, 1], (K[1, 2] - camera.height) / K[1, 1]
        for eye in self._scene.camera:
            eye.pos, eye.forward, eye.up = camera.position_world, rotation[2], -rotation[1]
            eye.frustum_near, eye.frustum_far = NEAR_M, FAR_M
            eye.frustum_center, eye.frustum_width = NEAR_M * (left + right) / 2, NEAR_M * (right - left) / 2
            eye.frustum_top, eye.frustum_bottom = NEAR_M * top, NEAR_M * bottom


def frames(
    model: mujoco.MjModel, qpos: np.ndarray, camera: Camera, width: int, height: int, quality: Quality = Quality()
) -> Iterator[np.ndarray]:
    """A picture, uint8 (height, width, 3), of each configuration in `qpos` (T, nq)."""
    with Renderer(model, width, height, quality) as renderer:
        for configuration in qpos:
            yield renderer.image(configuration, camera)
