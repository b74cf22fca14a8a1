"""Policies for programs that know nothing of this project: a serialised JAX function, or an ONNX graph.

Either takes raw observation tokens by name, normalises them itself, and gives the mean action; a card says what it is.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jaxtyping import Array, Float

from devi_jax.core.environment import Tokens, group
from devi_jax.core.errors import RunError
from devi_jax.core.files import replacing
from devi_jax.core.policy import Policy
from devi_jax.deploy.onnx_graph import build_graph, save_graph
from devi_jax.runs.json_io import jsonable
from envs.embodiments import JointTable
from envs.tracking.actions import Action, HandTaskSpace, JointResidual
from envs.tracking.env import TrackingEnvironment

PLATFORMS = ("cpu", "cuda", "tpu")
"""What a serialised function runs on."""

_MEANING = {
    "residual": "three numbers a joint, in the order of `joints`: times reach_rad they are a rotation vector in the "
    "joint's own frame, and the PD target is the plan's target of this frame times its exponential",
    "hand_task_space": "the numbers of envs/control/hand_task_space.py for this clip: each turns the joints of the PD "
    "target by its own column of the frame's basis",
    "absolute": "three numbers a joint, in the order of `joints`: times pi they are the PD target's rotation vector",
}


def make_card(environment: TrackingEnvironment, about: dict[str, Any]) -> dict[str, Any]:
    """What the numbers mean: rate, tokens, joints, action; `about` (provenance, evaluation) comes along."""
    action, joints = environment.action, environment.physics.joints
    reach, balls = None, range(len(joints.balls))
    mode = "hand_task_space" if isinstance(action, HandTaskSpace) else "absolute"
    if isinstance(action, JointResidual):
        mode, reach, balls = "residual", np.array(action.reach, np.float32).tolist(), action.balls
    card = {
        "fps": environment.policy_hz,
        "inputs": {
            name: ["batch", size] for name, size in sorted(group(environment.observation_sizes, "actor").items())
        },
        "outputs": {"action": ["batch", environment.action_size]},
        "observation": "raw tokens as envs/tracking/observations.py of devi_jax defines them; normalisation is inside",
        "joints": [joints.names[joints.balls[i]] for i in balls],
        **_scalar_card(action, joints),
        "action": mode,
        "action_means": _MEANING[mode],
        "reach_rad": reach,
        "goal_offsets": list(environment.observations.goal_frames),
    }
    return jsonable({**card, **about})


def _scalar_card(action: Action, joints: JointTable) -> dict[str, Any]:
    """Of a body with hinges and slides: which they are, and how far an action of one shifts the target of each."""
    if not isinstance(action, JointResidual) or not action.scalar_reach:
        return {}
    names = [joints.names[i] for i in joints.scalars]
    return {"scalar_joints": names, "scalar_reach": list(action.scalar_reach)}


def refuse_memory(policy: Policy) -> None:
    """Raise `RunError` for a recurrent policy: a file of one function of the observation has no place for its state."""
    if jax.tree.leaves(policy.carry):
        raise RunError(
            "the policy has memory, which this format cannot hold",
            where="--out",
            valid="a policy file (.npz), or a feed-forward policy",
            fix="python -m devi_jax.export RUN --out=POLICY.npz",
        )


def write_jax(path: Path, policy: Policy, card: dict[str, Any]) -> Path:
    """A zip of `function` (`jax.export`, any batch size, for CPU, CUDA and TPU) and `card.json`.

    Raises `RunError` for a policy with memory.
    """

    refuse_memory(policy)

    def act(observation: Tokens) -> dict[str, Float[Array, "B A"]]:
        return {"action": policy.act(policy.parameters, policy.carry, observation, jax.random.key(0))[1]}

    (batch,) = export.symbolic_shape("batch")
    tokens = {name: jax.ShapeDtypeStruct((batch, size), jnp.float32) for name, (_, size) in card["inputs"].items()}
    function = export.export(jax.jit(act), platforms=PLATFORMS)(tokens).serialize()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("function", bytes(function))
        file.writestr("card.json", json.dumps(card, indent=1))
    return path


def read_jax(path: Path) -> tuple[Callable[[Tokens], dict[str, Array]], dict[str, Any]]:
    """The function of raw observation tokens (B, ·) to `{"action": (B, A)}`, and the card. Raises `RunError`."""
    try:
        with zipfile.ZipFile(path) as file:
            function, card = bytearray(file.read("function")), json.loads(file.read("card.json"))
        call = export.deserialize(function).call
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(
            f"the exported policy cannot be read: {error}",
            where=str(path),
            valid="a .jaxexport file",
            fix="python -m devi_jax.export RUN --out=POLICY.jaxexport",
        ) from error
    return lambda observation: dict(call(observation)), card


def write_onnx(path: Path, policy: Policy, card: dict[str, Any]) -> Path:
    """An ONNX model with the tokens' names as inputs, `action` as output, and the card's entries as metadata (JSON).

    Raises `DeviceError` if the `onnx` package is not installed, and `RunError` for a policy with memory.
    """
    refuse_memory(policy)
    actor, statistics = policy.parameters
    with replacing(path) as temporary:
        save_graph(build_graph(actor["mean"], statistics), card, temporary)
    return path
