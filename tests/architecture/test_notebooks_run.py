"""Every notebook from its first cell to its last, commands and all; trainings are short and small. `make notebooks`."""

import json
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SMALL = [
    "--iterations=1",
    "--plan=none",
    "--root=pinned",
    "--physics=c",
    "--ppo.environments=8",
    "--ppo.horizon=4",
    "--ppo.minibatch=16",
]


def run(name: str, **settings) -> dict:
    """What a notebook leaves behind, with other settings than its first cell's."""
    first, *cells = [c.source for c in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells if c.cell_type == "code"]
    names: dict = {}
    exec(first, names)
    assert settings.keys() <= names.keys()
    names |= settings
    for cell in cells:
        exec(cell, names)
    return names


@pytest.fixture(autouse=True)
def on_a_cpu_without_windows(monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


def test_the_first_policy(capsys):
    names = run("01_first_policy", CLIP="lift_can", EXTRA=[*SMALL, "--no-film"])
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("policy ")]
    judged = json.loads((names["run"] / "evaluation.json").read_text())
    exact, rate = judged["exact"], judged["perturbed"]["success_rate"]
    assert row[1:] == [str(exact["success"]), f"{exact['t_obj_mm']:.0f}", f"{rate:.2f}"]


def test_a_reward_ablation(capsys):
    changes = {"without object_2d": ["--rewards.object-2d.weight=0"]}
    names = run("02_reward_ablation", CHANGES=changes, EXTRA=[*SMALL, "--no-film"])
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("mpjpe_body_mm ")]
    judged = [json.loads((folder / "evaluation.json").read_text()) for folder in names["runs"].values()]
    assert row[1:] == [f"{one['exact']['mpjpe_body_mm']:.3f}" for one in judged] and len(judged) == 2
    first, second = (names["metrics"][label][-1] for label in names["runs"])
    assert first["environment/object_2d"] > 0 and second["environment/object_2d"] > 0  # measured in either case


@pytest.mark.gl
def test_from_video(capsys):
    names = run("03_from_video", EXTRA=SMALL)
    printed = capsys.readouterr().out
    measured = json.loads(names["clip"].with_name("clip-measured.json").read_text())
    assert f"contact labels: F1 {measured['labels']['f1']:.2f}" in printed and measured["labels"]["f1"] > 0.8
    assert {"video.mp4", "clip.npz"} <= {path.name for path in names["film"].iterdir()}
    assert {"strip.png", "film.mp4", "evaluation.json"} <= {path.name for path in names["run"].iterdir()}
