"""The examples of docs/adapters.md run as they stand: gymnasium's on the bundled clip, the others' on the cart."""

import re
from pathlib import Path

import numpy as np
import pytest

from envs.adapters.flat import flat_size, slices

PAGE = Path(__file__).parents[3] / "docs" / "adapters.md"
CODE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.fixture(scope="module")
def said() -> dict:
    """The names that the first example leaves behind; later ones build on them."""
    names: dict = {}
    exec(CODE[0], names)
    return names


def example(name: str) -> str:
    (code,) = [c for c in CODE if name in c]
    return code


def test_tokens_lie_where_the_page_says(said):
    environment = said["environment"]
    assert slices(environment) == {"goal": slice(0, 468), "object": slice(468, 483)}
    assert flat_size(environment) == 468 + 15


@pytest.mark.simulated
@pytest.mark.slow
def test_gymnasium(said, capsys):
    exec(example("GymnasiumVectorEnvironment"), said)
    assert said["observation"].shape == (4, 483) and np.isfinite(said["observation"]).all()
    assert (said["reward"] > 0).all() and said["infos"].keys() >= {"joint_position", "object_2d"}
    assert "(4, 483)" in capsys.readouterr().out


def test_stable_baselines(rail):
    pytest.importorskip("stable_baselines3")
    names = {"environment": rail}
    exec(example("stable_baselines3"), names)
    assert names["model"].num_timesteps == 32


def test_brax(rail, capsys):
    exec(example("BraxEnvironment"), {"environment": rail})
    given = np.array(capsys.readouterr().out.strip("[]\n").split(), float)
    assert given.shape == (4,) and (np.abs(given) < 8 * 0.5).all() and np.unique(given).size == 4
