"""`clips check` and `clips mend` as a user runs them: a spoilt clip in, a clip with its faults repaired out."""

import json
from dataclasses import replace

import numpy as np
import pytest

from devi_jax import clips
from devi_jax.core.clip import crop
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.datasets.grounding import foot_float_m
from devi_jax.datasets.load import resolve
from tests.simulated import within


@pytest.fixture
def spoilt(tmp_path, rng):
    """lift_can without its table, the human 45 mm above the floor, with 4 mm of noise on its path."""
    clip = resolve("lift_can")
    noise = 0.004 * rng.normal(size=(clip.frames, 1, 3))
    positions = clip.joint_positions + [0, 0, 0.045] + noise
    return save_clip(
        replace(clip, joint_positions=positions, scene=replace(clip.scene, table=None)), tmp_path / "a.npz"
    )


@pytest.mark.simulated
def test_mend_repairs_and_says_what_it_did(spoilt, tmp_path, capsys):
    out = tmp_path / "mended.npz"
    clips.main(["mend", str(spoilt), f"--out={out}", "--sigma=2", "--no-project"])
    printed = capsys.readouterr().out
    clip, good = load_clip(out), resolve("lift_can")
    assert clip.scene.table is not None and good.scene.table is not None
    assert clip.scene.table.size[2] == pytest.approx(good.scene.table.size[2], abs=0.002)
    assert foot_float_m(load_clip(spoilt)) > 0.025 and abs(foot_float_m(clip)) < 0.004
    jerk = [np.abs(np.diff(c.joint_positions[:, 0], 2, axis=0)).mean() for c in (clip, load_clip(spoilt))]
    assert jerk[0] < 0.1 * jerk[1]
    assert len(clip.provenance["mended"]) >= 3 and all(line in printed for line in clip.provenance["mended"])
    assert "clips check" in printed


def test_mend_refuses_bad_flags_and_leaves_nothing(spoilt, tmp_path, capsys):
    out = tmp_path / "mended.npz"
    for flags, word in (
        ([f"--out={out}", "--sigma=-1"], "--sigma"),
        ([f"--out={out}", "--margin-m=0.5"], "--margin-m"),
        ([f"--out={out}.txt"], "--out"),
    ):
        with pytest.raises(SystemExit) as caught:
            clips.main(["mend", str(spoilt), *flags])
        assert caught.value.code == 2 and word in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.simulated
@pytest.mark.slow
def test_check_simulates_and_warnings_do_not_fail(tmp_path, capsys):
    path = save_clip(crop(resolve("lift_can"), 0, 70), tmp_path / "short.npz")
    clips.main(["check", str(path), "--json"])
    found = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert found["object moves in 2 s at rest"]["verdict"] == "ok"
    within("MPJPE, mm", found["replay, pinned: MPJPE"]["value"], high=20)
    assert found["replay, pinned: succeeds"]["value"] in (0, 1)
    assert {"replay, free: MPJPE", "soles below the floor", "right hand in the object"} <= set(found)
