"""The actor as an ONNX graph, operator by operator as in `agents.networks`: normalisation, tokens, transformer, head.

Written with the `onnx` package's own helpers: it takes a dozen kinds of node, and no converter.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents.normaliser import CLIP, Normaliser, normalise
from devi_jax.core.errors import DeviceError

OPSET = 17
"""The first with LayerNormalization; every runtime of the last years has it."""
_IR_VERSION = 9
_LAYER_NORM_EPSILON = 1e-6  # flax.nnx's


@dataclass
class Graph:
    """Nodes and constants so far, the sizes of the inputs, and the output's name and size."""

    nodes: list[tuple[str, tuple[str, ...], str, dict[str, Any]]] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    output: tuple[str, int] = ("action", 0)

    def __call__(self, kind: str, *inputs: str | np.ndarray, **attributes: Any) -> str:
        """Add a node; arrays become constants. The name of what it yields."""
        names = tuple(x if isinstance(x, str) else self.constant(x) for x in inputs)
        out = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append((kind, names, out, attributes))
        return out

    def constant(self, array: np.ndarray) -> str:
        """The name of a new constant."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = array
        return name


def build_graph(mean: dict[str, Any], statistics: Normaliser) -> Graph:
    """The graph of an actor's `mean` parameters and the normaliser they act behind."""
    mean, g = jax.tree.map(np.asarray, mean), Graph()
    scale = _scale(statistics)
    encoder, tokens = mean["encoder"], []
    for name, mlp in sorted(encoder["mlps"].items()):
        g.inputs[name] = len(scale[name])
        x = g("Mul", g("Sub", name, np.asarray(statistics.mean[name])), scale[name])
        x = g("Clip", x, np.array(-CLIP, np.float32), np.array(CLIP, np.float32))
        tokens.append(g("Unsqueeze", _mlp(g, mlp, x), np.array([1])))
    x = g("Add", g("Concat", *tokens, axis=1), encoder["embedding"])
    for layer in _in_order(encoder.get("layers", {})):
        x = g("Add", x, _attention(g, layer["attention"], _norm(g, layer["attention_norm"], x), len(tokens)))
        x = g("Add", x, _mlp(g, layer["mlp"], _norm(g, layer["mlp_norm"], x)))
    width = encoder["embedding"].size
    flat = g("Reshape", _norm(g, encoder["norm"], x), np.array([0, width]))
    g.nodes.append(("Identity", (_mlp(g, mean["head"], flat),), "action", {}))
    g.output = ("action", len(mean["head"]["output"]["bias"]))
    return g


def save_graph(graph: Graph, card: dict[str, Any], path: Path) -> None:
    """Check and write the model, with the card's entries as metadata. Raises `DeviceError` without `onnx`."""
    try:
        import onnx
        from onnx import TensorProto, checker, helper, numpy_helper
    except ImportError as error:
        raise DeviceError(
            f"ONNX files need a package that is not here: {error}",
            where="--out=POLICY.onnx",
            valid="--out=POLICY.jaxexport or POLICY.npz need none",
            fix="pip install -e '.[onnx]'",
        ) from error

    def port(name: str, size: int):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])

    model = helper.make_model(
        helper.make_graph(
            [helper.make_node(kind, inputs, [out], **given) for kind, inputs, out, given in graph.nodes],
            "policy",
            [port(name, size) for name, size in graph.inputs.items()],
            [port(*graph.output)],
            [numpy_helper.from_array(x, name) for name, x in graph.constants.items()],
        ),
        producer_name="devi_jax",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
    )
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in card.items()}
    helper.set_model_props(model, told)
    checker.check_model(model, full_check=True)
    path.write_bytes(onnx.ModelProto.SerializeToString(model))


def _scale(statistics: Normaliser) -> dict[str, np.ndarray]:
    """What normalisation multiplies each number by, read off it: a hundredth is far from being clipped."""
    centred = replace(statistics, mean=jax.tree.map(np.zeros_like, statistics.mean))
    small = jax.tree.map(lambda x: jnp.full(x.shape, 0.01, jnp.float32), statistics.mean)
    return {name: np.asarray(x) / np.float32(0.01) for name, x in normalise(centred, small).items()}


def _in_order(layers: dict[Any, Any]) -> Sequence[Any]:
    return [layers[i] for i in sorted(layers, key=int)]


def _linear(g: Graph, layer: dict[str, np.ndarray], x: str) -> str:
    # projections to heads (W, H, D) and from them (H, D, W) are one matrix each
    bias = layer["bias"].reshape(-1)
    return g("Add", g("MatMul", x, layer["kernel"].reshape(-1, bias.size)), bias)


def _mlp(g: Graph, mlp: dict[str, Any], x: str) -> str:
    for layer in _in_order(mlp.get("hidden", {})):
        x = _linear(g, layer, x)
        x = g("Mul", x, g("Sigmoid", x))
    return _linear(g, mlp["output"], x)


def _norm(g: Graph, norm: dict[str, np.ndarray], x: str) -> str:
    return g("LayerNormalization", x, norm["scale"], norm["bias"], axis=-1, epsilon=_LAYER_NORM_EPSILON)


def _attention(g: Graph, attention: dict[str, Any], x: str, tokens: int) -> str:
    """Multi-head self-attention of (B, L, W)."""
    heads, depth = attention["query"]["bias"].shape

    def split(name: str, order: list[int]) -> str:
        apart = g("Reshape", _linear(g, attention[name], x), np.array([0, tokens, heads, depth]))
        return g("Transpose", apart, perm=order)

    query, key, value = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
    scores = g("Mul", g("MatMul", query, key), np.array(depth**-0.5, np.float32))
    mixed = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), value), perm=[0, 2, 1, 3])
    return _linear(g, attention["out"], g("Reshape", mixed, np.array([0, tokens, heads * depth])))
