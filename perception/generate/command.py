"""Any program that takes a picture and a prompt and leaves a video: a script of the user's, a web service's client."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from devi_jax.core.errors import ConfigError, VideoError
from perception.generate.generator import check_fit
from perception.tools.subprocesses import arguments, run
from perception.video.video import Video, probe


@dataclass(frozen=True)
class Command:
    """A program as the video generator. It is started without a shell: values need no quotes."""

    line: str = ""
    """Command line with {image} {prompt} {negative_prompt} {out} {seed} {fps} {frames} for the values."""
    fps: float = 16.0
    """Value of {fps}; the video's actual rate is read from the file."""
    frames: int = 81
    """Value of {frames}."""
    timeout_s: float = 3600.0
    """Seconds after which the program is stopped."""

    def validate(self) -> None:
        """Raise `ConfigError` unless the command can be read and its program is there."""
        program = self._arguments(Path("image"), "", "", 0, Path("out"))[0]
        if shutil.which(program) is None:
            raise ConfigError(
                f"there is no program '{program}'", where="--command.line", valid="a program on the PATH, or a path"
            )

    def generate(self, frame0: np.ndarray, prompt: str, negative_prompt: str, seed: int, out: Path) -> Video:
        """See `Generator.generate`."""
        with tempfile.TemporaryDirectory(prefix="devi_jax-") as folder:
            image = Path(folder) / "frame0.png"
            Image.fromarray(frame0).save(image)
            line = self._arguments(image, prompt, negative_prompt, seed, out.absolute())
            run(line, "--command.line", timeout_s=self.timeout_s)
        if not out.is_file():
            raise VideoError(
                "the command ended well but left no video",
                where=self.line,
                valid="a program that writes a video to {out}",
            )
        video = probe(out, generator="command", line=self.line, seed=seed)
        check_fit(video, frame0.shape[1], frame0.shape[0])
        return video

    def _arguments(self, image: Path, prompt: str, negative_prompt: str, seed: int, out: Path) -> list[str]:
        values = {"image": image, "prompt": prompt, "negative_prompt": negative_prompt, "out": out, "seed": seed}
        return arguments(self.line, values | {"fps": f"{self.fps:g}", "frames": self.frames}, "--command.line")
