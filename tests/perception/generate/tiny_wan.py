"""Wan's image-to-video pipelines of diffusers, with random weights of a few kilobytes, written to a folder."""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanImageToVideoPipeline, WanTransformer3DModel
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
)

WORDS = (
    "<pad> </s> <unk> a person lifts the can with right hand both hands are visible in frame stationary camera".split()
)


def wan21(folder: Path) -> Path:
    """Wan 2.1 I2V: one denoiser that sees the picture through CLIP as well."""
    vision = CLIPVisionConfig(
        hidden_size=4, projection_dim=4, num_hidden_layers=2, num_attention_heads=2, image_size=32,
        intermediate_size=16, patch_size=16,
    )  # fmt: skip
    torch.manual_seed(0)
    seen = {
        "image_encoder": CLIPVisionModel(vision).eval(),
        "image_processor": CLIPImageProcessor(crop_size=32, size=32),
        "transformer": _denoiser(in_channels=36, image_dim=4),
    }
    return _save(folder, vae=_vae(), **seen)


def wan22(folder: Path) -> Path:
    """Wan 2.2 A14B I2V: a denoiser for high noise, one for low noise, no picture encoder."""
    torch.manual_seed(0)
    two = {"transformer": _denoiser(in_channels=36), "transformer_2": _denoiser(in_channels=36)}
    return _save(folder, vae=_vae(), **two, boundary_ratio=0.9)


def wan22_5b(folder: Path) -> Path:
    """Wan 2.2 TI2V-5B: the first frame enters by its time step; a decoder of twice the step in space."""
    torch.manual_seed(0)
    vae = _vae(z_dim=48, in_channels=12, out_channels=12, patch_size=2, is_residual=True, scale_factor_spatial=16)
    return _save(folder, vae=vae, transformer=_denoiser(in_channels=48, out_channels=48), expand_timesteps=True)


def _denoiser(in_channels: int, out_channels: int = 16, image_dim: int | None = None) -> WanTransformer3DModel:
    return WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=in_channels,
        out_channels=out_channels, text_dim=32, freq_dim=256, ffn_dim=32, num_layers=2, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=32, image_dim=image_dim,
    )  # fmt: skip


def _vae(z_dim: int = 16, **more) -> AutoencoderKLWan:
    statistics = {"latents_mean": [0.0] * z_dim, "latents_std": [1.0] * z_dim}
    return AutoencoderKLWan(
        base_dim=3, z_dim=z_dim, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
        **statistics, **more,
    )  # fmt: skip


def _save(folder: Path, **parts) -> Path:
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    text = UMT5Config(vocab_size=len(WORDS), d_model=32, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
    )
    pipeline = WanImageToVideoPipeline(
        tokenizer=tokenizer, text_encoder=UMT5EncoderModel(text).eval(), scheduler=scheduler, **parts
    )
    pipeline.save_pretrained(folder)
    return folder
