"""How deep the object is in other things, for configurations that nobody has simulated."""

from functools import lru_cache

import mujoco
import numpy as np
from jaxtyping import Float

from envs.physics.simulation import Physics
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME


def overlap_m(physics: Physics, qpos: Float[np.ndarray, "N nq"], thing: int = 0) -> Float[np.ndarray, " N"]:
    """How deep the object is in anything that does not bear it, metres, for each configuration; 0 where it is clear."""
    deepest = np.zeros(len(qpos))
    if not physics.has_object:
        return deepest
    model = _model(physics, thing)
    data, own = mujoco.MjData(model), model.body(OBJECT_NAME).id
    for i, q in enumerate(qpos):
        data.qpos[:] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        bodies = model.geom_bodyid[data.contact.geom]
        # what bears the object belongs to the world
        counts = (bodies == own).any(axis=1) & (bodies.min(axis=1) > 0)
        deepest[i] = (-data.contact.dist[counts]).max(initial=0.0)
    return deepest


@lru_cache(maxsize=8)
def _model(physics: Physics, thing: int) -> mujoco.MjModel:
    """Made anew for each thing of a shelf, which takes longer than all else here."""
    return physics.model_of(thing)
