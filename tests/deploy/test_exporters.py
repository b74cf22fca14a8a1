"""An exported policy acts as the policy does, for any batch, and says in its own file what its numbers mean."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import NetworkConfig
from agents.normaliser import Normaliser
from agents.policies import MeanAction
from devi_jax import export
from devi_jax.core.errors import RunError
from devi_jax.core.policy import Policy
from devi_jax.core.skeleton import JOINTS
from devi_jax.deploy import exporters
from devi_jax.deploy.exporters import make_card, read_jax, write_jax, write_onnx

SIZES = {"human": 11, "goal": 7, "object": 3}
ACTIONS = 6
CARD = {"inputs": {n: ["batch", s] for n, s in sorted(SIZES.items())}, "outputs": {"action": ["batch", ACTIONS]}}
NETWORKS = {
    "mlp": NetworkConfig(16, 1, 0, 1, 8, (), (8,)),
    "transformer": NetworkConfig(16, 2, 2, 4, 8, (12, 8), (8,), log_std=-1.0, learn_log_std=True),
}


def make_policy(config: NetworkConfig) -> Policy:
    """Random networks behind random statistics, some numbers of which hardly vary."""
    networks, rng = config.build(SIZES, ACTIONS), np.random.default_rng(0)
    shapes, _ = jax.eval_shape(networks.init, jax.random.key(0))
    actor = jax.tree.map(lambda x: jnp.asarray(0.3 * rng.normal(size=x.shape), jnp.float32), shapes)

    def draw(make):
        return {name: jnp.asarray(make(size), jnp.float32) for name, size in SIZES.items()}

    variance = draw(lambda size: 10.0 ** rng.uniform(-9, 2, size))
    return Policy(MeanAction(networks), (actor, Normaliser(jnp.ones(()), draw(rng.normal), variance)))


def observe(count: int) -> dict:
    rng = np.random.default_rng(count)
    return {name: rng.normal(size=(count, size)).astype(np.float32) for name, size in SIZES.items()}


def wanted(policy: Policy, observation: dict) -> np.ndarray:
    tokens = {name: jnp.asarray(x) for name, x in observation.items()}
    return np.asarray(policy.act(policy.parameters, policy.carry, tokens, jax.random.key(1))[1])


@pytest.mark.parametrize("name", list(NETWORKS))
def test_an_onnx_model_acts_the_same(name, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    policy = make_policy(NETWORKS[name])
    session = onnxruntime.InferenceSession(write_onnx(tmp_path / "p.onnx", policy, CARD))
    assert {i.name: i.shape for i in session.get_inputs()} == CARD["inputs"]
    assert {o.name: o.shape for o in session.get_outputs()} == CARD["outputs"]
    for count in (1, 100):
        here, there = wanted(policy, observe(count)), session.run(["action"], observe(count))[0]
        assert np.abs(here).max() > 0.3 and np.abs(here - there).max() < 1e-4
    told = session.get_modelmeta().custom_metadata_map
    assert {key: json.loads(value) for key, value in told.items()} == CARD


def test_a_serialised_function_acts_the_same(tmp_path):
    policy = make_policy(NETWORKS["transformer"])
    act, card = read_jax(write_jax(tmp_path / "p.jaxexport", policy, CARD))
    assert card == CARD
    for count in (1, 100):
        there = np.asarray(act({n: jnp.asarray(x) for n, x in observe(count).items()})["action"])
        assert np.abs(wanted(policy, observe(count)) - there).max() < 1e-5
    with pytest.raises(ValueError, match=r"human|shape|float32"):
        act({name: jnp.zeros((2, size + 1)) for name, size in SIZES.items()})


def test_what_is_no_exported_function_is_refused(tmp_path):
    (tmp_path / "p.jaxexport").write_bytes(b"nothing of the kind")
    with pytest.raises(RunError, match="zip") as caught:
        read_jax(tmp_path / "p.jaxexport")
    assert "p.jaxexport" in caught.value.where


def test_the_card_says_what_an_action_turns(assembly):
    environment = assembly.environment
    card = make_card(environment, {"seed": 3})
    assert card["fps"] == 30 and card["action"] == "residual" and card["seed"] == 3
    assert card["outputs"]["action"] == ["batch", 3 * len(card["joints"])] == ["batch", environment.action_size]
    assert card["inputs"] == {"goal": ["batch", 468], "object": ["batch", 15]}
    action = jnp.zeros(environment.action_size).at[3 * 4 + 1].set(0.5)
    turned = np.asarray(environment.action.turns(action, {}))
    joint = JOINTS.index(card["joints"][4]) - 1
    assert turned[joint, 1] == pytest.approx(0.5 * card["reach_rad"][4])
    assert np.count_nonzero(turned) == 1


@pytest.mark.parametrize("arguments", [["--out=p.txt"], ["--out=p.npz", "--format=onnx"], ["--out=p", "--format=npz"]])
def test_a_file_name_that_fits_no_format_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as leaving:
        export.main(["lift_can", *arguments])
    assert leaving.value.code == 2 and "a path ending in" in capsys.readouterr().err


def test_the_command_exports_what_find_policy_finds(assembly, monkeypatch, tmp_path, capsys):
    policy = make_policy(NETWORKS["mlp"])
    monkeypatch.setattr(export, "_load", lambda source: (assembly, policy, {"source": str(source)}))
    monkeypatch.setattr(export, "make_card", lambda environment, told: {**CARD, **told})
    for suffix in (".jaxexport", ".onnx"):
        path = tmp_path / f"p{suffix}"
        export.main(["lift_can", f"--out={path}"])
        assert f"policy: {path}" in capsys.readouterr().out
        with pytest.raises(SystemExit):
            export.main(["lift_can", f"--out={path}"])
        assert "--overwrite" in capsys.readouterr().err
    assert exporters.read_jax(tmp_path / "p.jaxexport")[1]["source"] == "lift_can"
