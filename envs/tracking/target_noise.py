"""Noise on PD targets: joints that do not quite do what they are told, whatever an action means."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from devi_jax.core import rotations as rot
from envs.physics import Control


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TargetNoise:
    """Gaussian noise of one step: its key, and its standard deviation in rad about each axis of each joint."""

    key: PRNGKeyArray
    rad: Float[Array, ""] | float


def disturbed(control: Control, noise: TargetNoise, hinges: tuple[bool, ...]) -> Control:
    """The targets with every ball joint's turned in its own frame, and every hinge's moved; the root's and slides',
    which know no radians, stay. `hinges`: which of the scalar joints are hinges."""
    balls = control.rotation[1:]
    turns = noise.rad * jax.random.normal(noise.key, (len(balls), 3))
    rotation = jnp.concatenate([control.rotation[:1], rot.quat_mul(balls, rot.quat_exp(turns))])
    scalars = control.scalars
    if scalars is not None:
        moved = jax.random.normal(jax.random.fold_in(noise.key, 1), scalars.shape)
        scalars = scalars + noise.rad * moved * np.array(hinges, np.float32)
    return replace(control, rotation=rotation, scalars=scalars)
