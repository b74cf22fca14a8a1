"""How many bytes an environment, a clip and a rollout take, counted from their arrays; and what lies in a scene."""

from typing import Any

import jax
import jax.numpy as jnp

from agents import Learner
from devi_jax.core.clip import Clip
from devi_jax.systems import System, assemble
from envs.physics import HumanRoot
from envs.physics.warp_capacity import candidate_pairs


def size_row(system: System, name: str, clip: Clip, root: HumanRoot) -> dict[str, Any]:
    """Of one clip on the C engine: its scene, and the bytes that environments, clip and learner hold.

    `environment_bytes`: state and observation of one environment. `step_bytes`: what the rollout keeps of one step of
    one. `reference_bytes`: the clip's targets, once for all environments. `learner_bytes`: networks and optimisers.
    """
    environment = assemble(system, clip, "c", root).environment
    learner = Learner(environment, system.ppo, system.network)
    state = jax.eval_shape(learner.init, jax.random.key(0))
    _, rollout = jax.eval_shape(learner.collect, state)
    model, count = environment.physics.model, system.ppo.environments
    each = (state.environments, state.observation, state.episodes)
    return {
        "clip": name,
        "frames": environment.reference.frames,
        "bodies": int(model.nbody),
        "geoms": int(model.ngeom),
        "props": len(environment.physics.scene.spec.props),
        "pairs": candidate_pairs(model),
        "environment_bytes": tree_bytes(each) / count,
        "step_bytes": tree_bytes(rollout) / (count * system.ppo.horizon),
        "reference_bytes": tree_bytes(environment.reference),
        "learner_bytes": tree_bytes(state.algorithm),
    }


def tree_bytes(tree: Any) -> int:
    """Bytes of all arrays of a pytree, or of shapes that stand for them; a key is two numbers."""
    return sum(_bytes(leaf) for leaf in jax.tree.leaves(tree))


def _bytes(leaf: Any) -> int:
    leaf = leaf if hasattr(leaf, "dtype") else jnp.asarray(leaf)
    return leaf.size * leaf.dtype.itemsize
