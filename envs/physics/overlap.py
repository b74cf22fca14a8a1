"""How deep the object is in other things, for configurations that nobody has simulated."""

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
    model = physics.model_of(thing)
    data, own = mujoco.MjData(model), model.body(OBJECT_NAME).id
    for i, q in enumerate(qpos):
        data.qpos[:] = q
        mujoco.mj_fwdPosition(model, data)
        for contact in data.contact:
            bodies = model.geom_bodyid[contact.geom]
            if own in bodies and bodies.min() > 0:  # what bears it belongs to the world
                deepest[i] = max(deepest[i], -contact.dist)
    return deepest
