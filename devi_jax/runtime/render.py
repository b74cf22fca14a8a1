"""Pictures of a MuJoCo model from a pinhole camera, without a screen."""

import copy
from collections.abc import Iterator

import mujoco
import numpy as np
from PIL import Image

from devi_jax.core.camera import Camera
from devi_jax.runtime import gl

NEAR_M, FAR_M = 0.05, 50.0
"""Depth range of a picture in metres."""

OVERSAMPLING = 2
"""Pictures are rendered this much larger and averaged: with Mesa's software renderer that takes two thirds of the time
of multisampling. Shadows would take three to ten times the time of all the rest, so there are none."""


class Renderer:
    """Renders one model into pictures of one size. A context manager; works on a copy of `model`.

    Raises:
        DeviceError: when this machine has no offscreen OpenGL.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int):
        wide, high = OVERSAMPLING * width, OVERSAMPLING * height
        self._context = gl.context(wide, high)
        self._model = copy.copy(model)
        self._dress(wide, high)
        self._data = mujoco.MjData(self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=5000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
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
        mujoco.mjr_render(self._rectangle, self._scene, self._renderer)
        pixels = np.empty((self._rectangle.height, self._rectangle.width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, self._rectangle, self._renderer)
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels[::-1])).reduce(OVERSAMPLING))

    def _dress(self, width: int, height: int) -> None:
        """Buffer size, no multisampling, and a light at the camera so that no side of anything is black."""
        visual = self._model.vis
        visual.global_.offwidth, visual.global_.offheight = width, height
        visual.quality.offsamples = 0
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


def frames(model: mujoco.MjModel, qpos: np.ndarray, camera: Camera, width: int, height: int) -> Iterator[np.ndarray]:
    """A picture, uint8 (height, width, 3), of each configuration in `qpos` (T, nq)."""
    with Renderer(model, width, height) as renderer:
        for configuration in qpos:
            yield renderer.image(configuration, camera)
