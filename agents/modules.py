"""The modules behind the networks: an MLP, and a transformer over one token per observation part (DeVI, A.8).

Only `agents.networks` uses them; it turns them into pure functions. Parameters are float32, arithmetic is in `dtype`.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from devi_jax.core.broadcast import to_rank
from devi_jax.core.environment import Tokens

LECUN = nnx.initializers.lecun_normal()


class Mlp(nnx.Module):
    """Linear layers `widths[0] -> ... -> widths[-1]` with SiLU between them, none after the last."""

    def __init__(self, widths: tuple[int, ...], rngs: nnx.Rngs, dtype: DTypeLike, output_init: nnx.Initializer = LECUN):
        *pairs, last = zip(widths[:-1], widths[1:], strict=True)
        self.hidden = nnx.List([nnx.Linear(*pair, dtype=dtype, rngs=rngs) for pair in pairs])
        self.output = nnx.Linear(*last, dtype=dtype, kernel_init=output_init, rngs=rngs)

    def __call__(self, x: Float[Array, "*B I"]) -> Float[Array, "*B O"]:
        """Apply to the last dimension."""
        for layer in self.hidden:
            x = nnx.silu(layer(x))
        return self.output(x)


class EncoderLayer(nnx.Module):
    """Pre-norm transformer layer: x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, width: int, heads: int, feedforward_width: int, rngs: nnx.Rngs, dtype: DTypeLike):
        self.attention_norm = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, width, dtype=dtype, decode=False, keep_rngs=False, rngs=rngs)
        self.mlp_norm = nnx.LayerNorm(width, dtype=dtype, rngs=rngs)
        self.mlp = Mlp((width, feedforward_width, width), rngs, dtype)

    def __call__(self, x: Float[Array, "*B L W"]) -> Float[Array, "*B L W"]:
        """Mix the L tokens."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class TokenEncoder(nnx.Module):
    """Each token through its own MLP, plus a learned embedding of which token it is, through a transformer."""

    def __init__(
        self,
        sizes: dict[str, int],
        widths: tuple[int, ...],
        layers: list[EncoderLayer],
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        self.mlps = nnx.Dict({name: Mlp((size, *widths), rngs, dtype) for name, size in sorted(sizes.items())})
        self.embedding = nnx.Param(0.02 * jax.random.normal(rngs.params(), (len(sizes), widths[-1])))
        self.layers = nnx.List(layers)
        self.norm = nnx.LayerNorm(widths[-1], dtype=dtype, rngs=rngs)

    def __call__(self, observation: Tokens) -> Float[Array, "*B LW"]:
        """The encoded tokens, concatenated in the order of their names."""
        tokens = [mlp(observation[name]) for name, mlp in sorted(self.mlps.items())]
        x = jnp.stack(tokens, axis=-2)
        x = x + to_rank(self.embedding[...].astype(x.dtype), x.ndim)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x).reshape(*x.shape[:-2], -1)
