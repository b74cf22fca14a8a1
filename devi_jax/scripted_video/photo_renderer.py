"""A scene as a photograph shows it: a dressed person, textured things, a furnished room, one call a frame."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from devi_jax.core.camera import Camera, frontal
from devi_jax.core.errors import SceneError
from devi_jax.core.files import replacing
from devi_jax.core.video_writer import encode
from devi_jax.rendering.renderer import PHOTO, Quality, Renderer
from envs.embodiments.human import Human
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.appearance import Appearance, Scan, add_room, appearance, dress_human, dress_object
from envs.scenes.objects.textured_model import Model


class PhotoRenderer:
    """Renders one scene from one camera. A context manager.

    `qpos` is that of the simulated scene: root and joints of the human, then the object and the props as free bodies.
    The human's geometry is as simulated; clothes stand off it by millimetres.
    """

    def __init__(
        self,
        scene: Scene,
        person: Appearance | Scan | str = "casual",
        camera: Camera | None = None,
        models: Mapping[str, Model] | None = None,
        quality: Quality = PHOTO,
    ):
        """Dress the scene and open a renderer of the camera's size.

        Args:
            camera: DeVI's frontal view of 45 degrees from the human's left by default.
            models: the looks of bodies by name ("object", or a prop's); others are drawn as they are simulated.

        Raises:
            SceneError: no such appearance, or nobody to dress. DeviceError: this machine cannot render.
        """
        self.camera = camera or frontal(azimuth_deg=-45.0)
        spec = add_room(build_spec(scene, SETTINGS["c"]))
        if not isinstance(scene.embodiment, Human):
            raise SceneError(f"{scene.embodiment.name} cannot be dressed", where="scene.embodiment", valid="a human")
        spec = dress_human(spec, scene.embodiment.body, appearance(person) if isinstance(person, str) else person)
        for body, model in (models or {}).items():
            spec = dress_object(spec, body, model.mesh, model.uv, model.texture, model.material)
        self.model = spec.compile()
        self._renderer = Renderer(self.model, self.camera.width, self.camera.height, quality)

    def __enter__(self) -> "PhotoRenderer":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the renderer back."""
        self._renderer.close()

    def frame(self, qpos: np.ndarray) -> np.ndarray:
        """The picture, uint8 (height, width, 3), of one configuration (nq,)."""
        return self._renderer.image(qpos, self.camera)

    def frames(self, qpos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The pictures of a motion (T, nq), made as they are asked for."""
        return (self.frame(configuration) for configuration in qpos)

    def segmentation(self, qpos: np.ndarray) -> np.ndarray:
        """Which body is at each pixel, int32 (height, width): ids of `self.model`; the person is its pelvis."""
        return self._renderer.segmentation(qpos, self.camera)

    def depth(self, qpos: np.ndarray) -> np.ndarray:
        """Depth in metres, float32 (height, width)."""
        return self._renderer.depth(qpos, self.camera)

    def video(self, path: Path, qpos: np.ndarray, fps: float = 30.0, crf: int = 16) -> None:
        """Write the motion (T, nq) as an H.264 mp4, whole or not at all.

        Raises:
            DeviceError: the file cannot be written.
        """
        with replacing(path) as temporary:
            encode(temporary, self.frames(qpos), self.camera.width, self.camera.height, fps, crf)
