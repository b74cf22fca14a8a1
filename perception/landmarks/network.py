"""One network of a .tflite file as a function of an image."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from devi_jax.core.errors import DeviceError


@runtime_checkable
class Network(Protocol):
    """What decoders call: a square image (n, n, 3) float32 to the network's outputs, in the file's order."""

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        """Outputs without their batch axis."""
        ...


class TfliteNetwork:
    """A network run on the CPU by ai-edge-litert."""

    def __init__(self, path: Path, threads: int = 2):
        """Load `path`.

        Raises:
            DeviceError: ai-edge-litert is not installed.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise DeviceError(
                "landmarks need ai-edge-litert, which is not installed",
                where="perception.landmarks",
                fix="pip install 'devi-jax[perception]'",
            ) from error
        self._interpreter = Interpreter(str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        """See `Network`."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return tuple(self._interpreter.get_tensor(index)[0].copy() for index in self._outputs)
