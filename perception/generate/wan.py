"""Wan 2.1 and 2.2 image-to-video through diffusers, with LightX2V's four-step LoRA (DeVI A.4)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from devi_jax.core.errors import ConfigError, DeviceError, VideoError
from perception.generate.wan_models import WanFamily, family_of, lightx2v, split_lora, working_size
from perception.video.video import Video, write

INSTALL = "pip install -e '.[perception,wan]'"


@dataclass(frozen=True)
class Wan:
    """A Wan image-to-video pipeline as a video generator. What is None follows from the model."""

    model: str = "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers"
    """Name on the Hugging Face hub, or the folder of a diffusers pipeline: also Wan-AI/Wan2.1-I2V-14B-720P-Diffusers,
    Wan-AI/Wan2.2-I2V-A14B-Diffusers, Wan-AI/Wan2.2-TI2V-5B-Diffusers."""
    lora: str = "auto"
    """`auto`: LightX2V's four-step distillation where there is one for the model; `none`; or OWNER/REPO/FILE or a path,
    two of them with a comma between for a model of two denoisers (high noise first)."""
    steps: int | None = None
    """Denoising steps: 4 with a LoRA, else 40, of TI2V-5B 50."""
    guidance: float | None = None
    """Classifier-free guidance: 1 with a LoRA (the negative prompt then has no effect), else the model's."""
    shift: float | None = None
    """Shift of the noise schedule: 5 with a LoRA (time steps 1000, 937, 833, 625), else the model's."""
    frames: int | None = None
    """4k + 1: 81, of TI2V-5B 121."""
    fps: float | None = None
    """The rate that the model was trained at: 16, of TI2V-5B 24."""
    max_area: int | None = None
    """Pixels of a frame: a larger first frame is generated smaller and scaled back."""
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    """Numbers of the denoiser and the text encoder; the others compute in float32."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """`auto` asks for an NVIDIA GPU; `cpu` takes days for 14 billion parameters."""
    offload: bool = True
    """Keep only the part at work on the GPU: 24 GB are enough for TI2V-5B, 40 GB for 14B."""
    download: bool = False
    """Fetch the model if it is not there: 30 to 130 GB."""

    def generate(self, frame0: np.ndarray, prompt: str, negative_prompt: str, seed: int, out: Path) -> Video:
        """See `Generator.generate`."""
        self.validate()
        pipeline, family, lora = self.load()
        height, width = frame0.shape[:2]
        step = pipeline.vae_scale_factor_spatial * pipeline.transformer.config.patch_size[1]
        size = working_size(width, height, step, self.max_area or family.max_area)
        settings = {
            "num_frames": self.frames or family.frames,
            "num_inference_steps": self.steps or (4 if lora else family.steps),
            "guidance_scale": self.guidance or (1.0 if lora else family.guidance),
        }
        frames = self._frames(pipeline, frame0, size, prompt, negative_prompt, seed, settings)
        back = (np.asarray(Image.fromarray(f).resize((width, height), Image.Resampling.BICUBIC)) for f in frames)
        provenance = {"generator": "wan", "model": self.model, "family": family.name, "lora": lora, "seed": seed}
        provenance |= {"generated_at": f"{size[0]} x {size[1]}", "scheduler": _shift(pipeline), **settings}
        return write(out, frames if size == (width, height) else back, self.fps or family.fps, **provenance)

    def validate(self) -> None:
        """Raise `ConfigError` unless the numbers have meaning, `DeviceError` unless packages and device are there."""
        if self.frames is not None and (self.frames < 5 or self.frames % 4 != 1):
            near = max(5, round((self.frames - 1) / 4) * 4 + 1)
            raise ConfigError(
                f"Wan cannot make {self.frames} frames",
                where="--wan.frames",
                valid="4k + 1: 49, 81, 121",
                fix=f"{near}",
            )
        for name in ("steps", "guidance", "shift", "fps", "max_area"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1e8:
                raise ConfigError(
                    f"{name} is {value}", where=f"--wan.{name.replace('_', '-')}", valid="a positive number"
                )
        self._device(_libraries()[0])

    def load(self) -> tuple[Any, WanFamily, list[str]]:
        """The pipeline on its device with its LoRA, what kind of Wan it is, and the LoRA's files.

        Raises:
            DeviceError: diffusers, a GPU or the model is not there.
            ConfigError: a LoRA that does not fit the model.
        """
        torch, diffusers = _libraries()
        device = self._device(torch)
        exact = {"default": getattr(torch, self.dtype), "vae": torch.float32, "image_encoder": torch.float32}
        try:
            pipeline = diffusers.WanImageToVideoPipeline.from_pretrained(
                self.model, dtype=exact, local_files_only=not self.download
            )
        except (OSError, ValueError, KeyError) as error:
            raise self._absent(self.model, error) from error
        family = family_of(pipeline.config.boundary_ratio, pipeline.config.expand_timesteps, self.model)
        lora = self._load_lora(pipeline, family)
        if shift := self.shift or (5.0 if lora else None):
            key = "flow_shift" if "flow_shift" in pipeline.scheduler.config else "shift"
            pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, **{key: shift})
        if device == "cuda" and self.offload:
            pipeline.enable_model_cpu_offload()
        else:
            pipeline.to(device)
        return pipeline, family, lora

    def _device(self, torch: Any) -> str:
        if self.device == "cpu" or torch.cuda.is_available():
            return "cpu" if self.device == "cpu" else "cuda"
        raise DeviceError(
            "there is no NVIDIA GPU that PyTorch can use, and Wan needs one",
            where=f"--wan.device={self.device}",
            valid="a GPU of 24 GB (TI2V-5B) or 40 GB (14B); --wan.device=cpu takes days",
            fix="generate elsewhere from frame0.png, then --generator=file; or --generator=scripted",
        )

    def _load_lora(self, pipeline: Any, family: WanFamily) -> list[str]:
        """Load the LoRA's files, one a denoiser; returns their names, empty for none."""
        files = {"auto": lightx2v(family), "none": []}.get(self.lora, [f.strip() for f in self.lora.split(",")])
        denoisers = 1 + (pipeline.transformer_2 is not None)
        if files and len(files) != denoisers:
            raise ConfigError(
                f"{len(files)} LoRA files for {denoisers} denoisers",
                where=f"--wan.lora={self.lora}",
                valid="one file a denoiser, high noise first, with a comma between",
            )
        for i, name in enumerate(files):
            place, weights = split_lora(name)
            more = {"load_into_transformer_2": True} if i else {}
            try:
                pipeline.load_lora_weights(
                    place, weight_name=weights, adapter_name=f"lora_{i}", local_files_only=not self.download, **more
                )
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise self._absent(place, error, weights) from error
        return files

    def _absent(self, what: str, error: Exception, file: str = "") -> DeviceError:
        """The error for a model or a file that cannot be loaded."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        return DeviceError(
            f"'{f'{what}/{file}' if file else what}' cannot be loaded ({reason})",
            where="--wan.lora" if file else "--wan.model",
            valid="a name on the Hugging Face hub that is already on this machine, or a folder",
            fix=f"hf download {what}{f' {file}' if file else ''}, or add --wan.download",
        )

    def _frames(
        self,
        pipeline: Any,
        frame0: np.ndarray,
        size: tuple[int, int],
        prompt: str,
        negative: str,
        seed: int,
        settings: Any,
    ) -> np.ndarray:
        """Frames (T, h, w, 3) uint8 at the working size (w, h)."""
        torch, _ = _libraries()
        picture = Image.fromarray(frame0).resize(size, Image.Resampling.LANCZOS)
        words = {"prompt": prompt, "negative_prompt": negative, "generator": torch.Generator("cpu").manual_seed(seed)}
        try:
            out = pipeline(image=picture, width=size[0], height=size[1], output_type="np", **words, **settings).frames[
                0
            ]
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                "the GPU's memory is not enough for the model",
                where=f"--wan.model={self.model}",
                valid="less on the GPU at a time, smaller or fewer frames",
                fix="--wan.max-area=399360, --wan.frames=49, --wan.model=Wan-AI/Wan2.2-TI2V-5B-Diffusers",
            ) from error
        if not np.isfinite(out).all():
            raise VideoError(
                "the model gave numbers that are not finite",
                where=f"--wan.dtype={self.dtype}",
                fix="--wan.dtype=bfloat16",
            )
        return np.round(np.clip(out, 0, 1) * 255).astype(np.uint8)


def _libraries() -> tuple[Any, Any]:
    """torch and diffusers; imported here, so that every other generator works without them."""
    try:
        import diffusers
        import torch
        import transformers  # noqa: F401  (diffusers offers pipelines without it that fail when used)
    except ImportError as error:
        raise DeviceError(
            f"Wan needs packages that are not installed ({error.name})", where="--generator=wan", fix=INSTALL
        ) from error
    return torch, diffusers


def _shift(pipeline: Any) -> str:
    config = pipeline.scheduler.config
    return f"{type(pipeline.scheduler).__name__}, shift {config.get('flow_shift', config.get('shift'))}"
