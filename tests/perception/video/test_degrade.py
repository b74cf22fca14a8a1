"""Each knob does what its number says, and nothing at its default."""

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from perception.video.degrade import ImageDegradation, degrade_frames


def bars(t: int) -> np.ndarray:
    """A white bar of 4 columns on black, 2 columns further each picture."""
    out = np.zeros((16, 64, 3), np.uint8)
    out[:, 10 + 2 * t : 14 + 2 * t] = 255
    return out


def test_the_defaults_change_nothing(textured):
    frames = [textured(48, 32, seed) for seed in range(3)]
    for sent, got in zip(frames, degrade_frames(frames, ImageDegradation()), strict=True):
        np.testing.assert_array_equal(sent, got)


def test_an_open_shutter_averages_light_over_what_moved():
    (frame,) = degrade_frames([bars(t) for t in range(4)], ImageDegradation(shutter_frames=4))
    covered = np.mean([bars(t)[0, :, 0] > 0 for t in range(4)], axis=0)
    np.testing.assert_allclose(frame[0, :, 0], 255 * covered ** (1 / 2.2), atol=1)
    assert (frame[0, :, 0] > 0).sum() == 4 + 3 * 2


def test_a_shutter_leaves_what_rests_and_divides_the_frames(textured):
    still = textured(48, 32)
    out = list(degrade_frames([still] * 10, ImageDegradation(shutter_frames=4)))
    assert len(out) == 3
    for frame in out:
        np.testing.assert_allclose(frame.astype(int), still, atol=1)


def test_noise_has_its_deviation_and_no_pattern():
    grey = np.full((128, 128, 3), 128, np.uint8)
    a, b = degrade_frames([grey, grey], ImageDegradation(noise=6.0))
    assert a.std() == pytest.approx(6, rel=0.05) and a.mean() == pytest.approx(128, abs=0.2)
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02


def test_flicker_is_of_whole_frames_in_light():
    grey = np.full((4, 4, 3), 128, np.uint8)
    out = np.stack(list(degrade_frames([grey] * 400, ImageDegradation(flicker=0.05))))
    assert (out.reshape(400, -1).std(axis=1) == 0).all()
    exposure = (out[:, 0, 0, 0] / 128) ** 2.2
    assert exposure.std() == pytest.approx(0.05, rel=0.15) and exposure.mean() == pytest.approx(1, abs=0.01)


def test_jpeg_is_worse_the_lower_its_quality(textured):
    frame = textured(64, 48)
    errors = [
        np.abs(next(degrade_frames([frame], ImageDegradation(jpeg_quality=q))).astype(int) - frame).mean()
        for q in (90, 50, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_the_same_seed_spoils_alike(textured):
    frames, knobs = [textured(32, 16)] * 2, ImageDegradation(noise=5, flicker=0.05, jpeg_quality=60)
    once, again, other = (np.stack(list(degrade_frames(frames, knobs, seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize(
    "knobs", [{"shutter_frames": 0}, {"noise": -1}, {"flicker": 2.0}, {"jpeg_quality": 0}, {"crf": 60}]
)
def test_numbers_without_meaning_are_refused(knobs):
    with pytest.raises(ConfigError, match=next(iter(knobs))):
        next(degrade_frames([], ImageDegradation(**knobs)))
