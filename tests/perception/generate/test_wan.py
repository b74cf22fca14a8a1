"""Wan's real code path on pipelines of a few kilobytes: what is asked of diffusers, and what comes out."""

import sys

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError, DeviceError
from perception.generate.wan import Wan
from perception.generate.wan_models import family_of, lightx2v, split_lora, working_size
from perception.video.video import probe, read

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

PROMPT = "a person lifts the can with right hand"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of tiny pipelines of the three kinds."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("tiny_wan", Path(__file__).with_name("tiny_wan.py"))
    assert spec and spec.loader
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # models this small only wait for each other's threads
    root = tmp_path_factory.mktemp("wan")
    yield {name: str(getattr(tiny, name)(root / f"{name}-480P")) for name in ("wan21", "wan22", "wan22_5b")}
    torch.set_num_threads(threads)


def tiny(model: str, **more) -> Wan:
    return Wan(model=model, **{"lora": "none", "frames": 5, "steps": 2, "device": "cpu", "dtype": "float32", **more})


@pytest.mark.parametrize(
    ("kind", "fps", "family"), [("wan21", 16, "2.1 I2V"), ("wan22", 16, "2.2 I2V-A14B"), ("wan22_5b", 24, "TI2V-5B")]
)
def test_each_kind_of_wan_makes_a_video_at_its_rate(models, tmp_path, textured, kind, fps, family):
    video = tiny(models[kind], guidance=1.0, dtype="bfloat16").generate(
        textured(64, 32), PROMPT, "zoom", 3, tmp_path / "video.mp4"
    )
    found = probe(tmp_path / "video.mp4")
    assert (found.frames, found.fps, found.width, found.height) == (5, fps, 64, 32)
    assert (video.frames, video.fps) == (found.frames, found.fps)
    assert family in video.provenance["family"] and video.provenance["seed"] == 3


def test_the_seed_makes_the_video_and_another_seed_another(models, textured):
    wan = tiny(models["wan22_5b"])
    pipeline, _, _ = wan.load()
    settings = {"num_frames": 5, "num_inference_steps": 1, "guidance_scale": 1.0}

    def frames(seed: int) -> np.ndarray:
        return wan._frames(pipeline, textured(32, 32), (32, 32), PROMPT, "zoom", seed, settings)

    np.testing.assert_array_equal(frames(0), frames(0))
    assert np.abs(frames(0).astype(int) - frames(1)).mean() > 1


def test_only_denoiser_and_text_compute_in_few_bits(models):
    pipeline, _, _ = tiny(models["wan21"], dtype="bfloat16").load()
    assert pipeline.transformer.dtype == pipeline.text_encoder.dtype == torch.bfloat16
    assert pipeline.vae.dtype == pipeline.image_encoder.dtype == torch.float32


def test_a_picture_that_does_not_fit_is_generated_smaller_and_scaled_back(models, tmp_path, textured):
    wan = tiny(models["wan21"], guidance=1.0, steps=1, max_area=64 * 48)
    video = wan.generate(textured(100, 62), PROMPT, "", 0, tmp_path / "v.mp4")
    assert (video.width, video.height) == (100, 62)
    assert video.provenance["generated_at"] == "64 x 32"
    assert next(read(video)).shape == (62, 100, 3)


def test_guidance_asks_for_the_negative_prompt_too(models, tmp_path, textured):
    calls = []
    wan = tiny(models["wan21"], steps=1, guidance=3.0)
    pipeline, _, _ = wan.load()
    forward = pipeline.transformer.forward
    pipeline.transformer.forward = lambda **kwargs: calls.append(1) or forward(**kwargs)
    settings = {"num_frames": 5, "num_inference_steps": 1, "guidance_scale": 3.0}
    wan._frames(pipeline, textured(32, 32), (32, 32), PROMPT, "zoom", 0, settings)
    assert len(calls) == 2


def lora_file(pipeline, path, seed: int) -> str:
    """A LoRA for the first block's attention in the layout of Wan's own code, as LightX2V writes it."""
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(seed)
    inner = pipeline.transformer.config.num_attention_heads * pipeline.transformer.config.attention_head_dim
    weights = {}
    for block in range(pipeline.transformer.config.num_layers):
        for layer in ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "cross_attn.q", "cross_attn.k"):
            key = f"diffusion_model.blocks.{block}.{layer}"
            weights[f"{key}.lora_down.weight"] = torch.randn(4, inner, generator=generator)
            weights[f"{key}.lora_up.weight"] = torch.randn(inner, 4, generator=generator)
    save_file(weights, path)
    return str(path)


def test_loras_go_to_their_denoisers_and_change_settings(models, tmp_path):
    plain, family, none = tiny(models["wan22"]).load()
    assert none == [] and plain.scheduler.config.flow_shift == 3.0
    high, low = (lora_file(plain, tmp_path / f"{n}.safetensors", i) for i, n in enumerate(("high", "low")))
    pipeline, _, files = tiny(models["wan22"], lora=f"{high}, {low}").load()
    assert files == [high, low]
    for part, name in ((pipeline.transformer, "lora_0"), (pipeline.transformer_2, "lora_1")):
        assert part.active_adapters() == [name]
        assert [n for n, _ in part.named_parameters() if f"attn1.to_q.lora_A.{name}" in n]
    pipeline.scheduler.set_timesteps(4)
    np.testing.assert_allclose(pipeline.scheduler.timesteps, [1000, 937.5, 833.3, 625], atol=1.5)


def test_a_distilled_model_takes_four_steps_without_guidance(models, tmp_path, textured):
    plain, _, _ = tiny(models["wan21"]).load()
    file = lora_file(plain, tmp_path / "fast.safetensors", 0)
    wan = tiny(models["wan21"], lora=file, steps=None)
    video = wan.generate(textured(32, 32), PROMPT, "", 0, tmp_path / "v.mp4")
    assert video.provenance["num_inference_steps"] == 4 and video.provenance["guidance_scale"] == 1.0
    assert video.provenance["lora"] == [file] and "shift 5" in video.provenance["scheduler"]


def test_lightx2v_is_asked_for_by_default_and_named_when_absent(models):
    with pytest.raises(DeviceError, match="lightx2v_I2V_14B_480p.*cannot be loaded") as e:
        tiny(models["wan21"], lora="auto").load()
    assert e.value.fix.startswith("hf download Kijai/WanVideo_comfy Lightx2v/lightx2v_I2V_14B_480p_cfg_step_distill")
    _, _, none = tiny(models["wan22_5b"], lora="auto").load()
    assert none == []


def test_a_lora_must_have_a_file_for_each_denoiser(models):
    with pytest.raises(ConfigError, match="1 LoRA files for 2 denoisers"):
        tiny(models["wan22"], lora="a/b/c.safetensors").load()


def test_a_model_that_is_not_there_is_named_with_its_download(tmp_path, textured):
    for model in ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", str(tmp_path / "absent")):
        with pytest.raises(DeviceError, match="cannot be loaded") as e:
            tiny(model).generate(textured(32, 32), PROMPT, "", 0, tmp_path / "v.mp4")
        assert f"hf download {model}" in e.value.fix and "--wan.download" in e.value.fix
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(DeviceError, match="diffusers") as e:
        Wan().load()
    assert "pip install -e '.[perception,wan]'" in e.value.fix


def test_without_a_gpu_it_says_so_before_it_loads_anything(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no NVIDIA GPU"):
        Wan(model="absent/absent").load()


@pytest.mark.parametrize(("frames", "near"), [(80, "81"), (4, "5"), (100, "101")])
def test_frames_are_four_k_plus_one(frames, near):
    with pytest.raises(ConfigError, match=f"cannot make {frames} frames") as e:
        Wan(frames=frames).validate()
    assert e.value.fix == near


def test_numbers_without_meaning_are_refused():
    for name in ("steps", "guidance", "shift", "fps", "max_area"):
        with pytest.raises(ConfigError, match=name):
            Wan(**{name: -1}).validate()


def test_families_have_the_numbers_they_were_trained_at():
    old, large = (family_of(None, False, f"Wan-AI/Wan2.1-I2V-14B-{n}P-Diffusers") for n in (480, 720))
    assert (old.fps, old.frames, old.max_area) == (16, 81, 832 * 480)
    assert large.max_area == 1280 * 720 and len(lightx2v(large)) == 1
    mixture = family_of(0.9, False, "Wan-AI/Wan2.2-I2V-A14B-Diffusers")
    assert (mixture.fps, mixture.frames, mixture.guidance) == (16, 81, 3.5)
    assert [split_lora(f)[1].split("/")[-1] for f in lightx2v(mixture)] == [
        "high_noise_model.safetensors",
        "low_noise_model.safetensors",
    ]
    small = family_of(None, True, "Wan-AI/Wan2.2-TI2V-5B-Diffusers")
    assert (small.fps, small.frames, lightx2v(small)) == (24, 121, [])


def test_the_working_size_is_the_pictures_own_where_it_can_be():
    assert working_size(1024, 576, 16, 1280 * 720) == (1024, 576)
    assert working_size(1024, 576, 32, 1280 * 704) == (1024, 576)
    assert working_size(1024, 576, 16, 832 * 480) == (832, 464)
    width, height = working_size(1920, 1080, 16, 1280 * 720)
    assert width % 16 == height % 16 == 0 and width * height <= 1280 * 720
    assert abs(width / height / (16 / 9) - 1) < 0.03
