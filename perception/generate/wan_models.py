"""What the members of the Wan family were trained for: rates, lengths, sizes, and their four-step LoRAs."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WanFamily:
    """`fps` and `frames` of training, settings without distillation, pixels of the largest frame."""

    name: str
    fps: float
    frames: int
    steps: int
    guidance: float
    max_area: int


LIGHTX2V = {
    "Wan 2.1 I2V": [
        "Kijai/WanVideo_comfy/Lightx2v/lightx2v_I2V_14B_480p_cfg_step_distill_rank128_bf16.safetensors",
    ],
    "Wan 2.2 I2V-A14B": [
        f"lightx2v/Wan2.2-Lightning/Wan2.2-I2V-A14B-4steps-lora-rank64-Seko-V1/{noise}_noise_model.safetensors"
        for noise in ("high", "low")
    ],
}
"""Files of the distillation, one a denoiser; there is none for TI2V-5B."""


def family_of(boundary_ratio: float | None, expand_timesteps: bool, model: str) -> WanFamily:
    """The member that a diffusers pipeline is, from its configuration; only 2.1's two sizes are told by name."""
    if expand_timesteps:
        return WanFamily("Wan 2.2 TI2V-5B", 24.0, 121, 50, 5.0, 1280 * 704)
    if boundary_ratio is not None:
        return WanFamily("Wan 2.2 I2V-A14B", 16.0, 81, 40, 3.5, 1280 * 720)
    return WanFamily("Wan 2.1 I2V", 16.0, 81, 40, 5.0, 832 * 480 if "480" in Path(model).name else 1280 * 720)


def lightx2v(family: WanFamily) -> list[str]:
    """Files of LightX2V's distillation for a family; empty where there is none."""
    return LIGHTX2V.get(family.name, [])


def split_lora(name: str) -> tuple[str, str]:
    """(folder or repository, file in it) of a path or of OWNER/REPO/FILE."""
    if Path(name).is_file():
        return str(Path(name).parent), Path(name).name
    parts = name.split("/")
    return "/".join(parts[:2]), "/".join(parts[2:])


def working_size(width: int, height: int, step: int, max_area: int) -> tuple[int, int]:
    """The size to generate at: the picture's own where it is a multiple of `step` within `max_area` pixels, else the
    largest of about its aspect ratio that is. Scaling there and back is exact in each axis.
    """
    if width % step == 0 and height % step == 0 and width * height <= max_area:
        return width, height
    scale = min(1.0, (max_area / (width * height)) ** 0.5)
    return max(step, int(width * scale) // step * step), max(step, int(height * scale) // step * step)
