"""A reference with errors known beforehand to come, and rollouts that follow it but for what is changed."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from devi_jax.core.sim_state import SimState
from devi_jax.evaluation.metrics import Scores, score
from devi_jax.evaluation.rollouts import Rollouts
from envs.tracking.reference import Reference

T, FPS = 61, 30.0
LIFT = 0.2


def wandering(rng: np.random.Generator) -> Reference:
    """A human wandering at 1 m, an object that is lifted by 0.2 m from frame 30 to 50, right hand in contact then."""
    position = np.array([0, 0, 1.0]) + rng.normal(scale=0.1, size=(52, 3)) + np.linspace(0, 0.2, T)[:, None, None]
    rotation = np.broadcast_to([1.0, 0, 0, 0], (T, 52, 4))
    height = 0.8 + LIFT * np.clip((np.arange(T) - 30) / 20, 0, 1)
    contact = np.zeros((T, 2))
    contact[30:, 1] = 1
    f32 = lambda x: jnp.asarray(np.ascontiguousarray(x), jnp.float32)  # noqa: E731
    return Reference(
        local=f32(rotation),
        angular=jnp.zeros((T, 52, 3)),
        position=f32(position),
        rotation=f32(rotation),
        linear_velocity=jnp.zeros((T, 52, 3)),
        angular_velocity=jnp.zeros((T, 52, 3)),
        tips=jnp.zeros((T, 10, 3)),
        contact=f32(contact),
        target=f32(rotation),
        target_root=jnp.zeros((T, 3)),
        object_start=jnp.array([0.1, 0.3, 0.8, 1, 0, 0, 0]),
        points_px=None,
        visible=None,
        points_object=None,
        view=None,
        object_position=f32(np.stack([np.full(T, 0.1), np.full(T, 0.3), height], axis=1)),
        object_rotation=f32(np.broadcast_to([1.0, 0, 0, 0], (T, 4))),
    )


def perfect(reference: Reference, count: int = 1) -> Rollouts:
    """What follows the reference exactly, `count` times."""

    def repeat(x):
        return jnp.repeat(x[:, None], count, axis=1)

    force = jnp.zeros((T, 2, 16)).at[:, :, 3].set(reference.contact)
    frames = SimState(
        position=repeat(reference.position),
        rotation=repeat(reference.rotation),
        linear_velocity=repeat(reference.linear_velocity),
        angular_velocity=repeat(reference.angular_velocity),
        tips=repeat(reference.tips),
        contact_n=repeat(force),
        power_w=jnp.zeros((T, count)),
        object_position=repeat(reference.object_position),
        object_rotation=repeat(reference.object_rotation),
        object_linear_velocity=jnp.zeros((T, count, 3)),
        object_angular_velocity=jnp.zeros((T, count, 3)),
    )
    return Rollouts(frames, jnp.zeros((T, count, 7)), jnp.ones((T, count)), jnp.ones((T, count), bool))


def changed(rollouts: Rollouts, **fields) -> Rollouts:
    return replace(rollouts, frames=replace(rollouts.frames, **fields))


def one(rollouts: Rollouts, reference: Reference) -> Scores:
    (scores,) = score(rollouts, reference, FPS)
    return scores
