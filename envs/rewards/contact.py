"""Whether each hand touches the object when the reference says so: by force (Eq. 19-20) and by distance (Eq. 21).

Both errors are per hand (left, right); `hand_contact` is the gate psi: where it is 0 the reward factor is 1.
Below them the contact terms of the codes of PhysHOI, SkillMimic and InterMimic.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.core.skeleton import HAND_BODIES, JOINTS
from envs.rewards.measured import measured

FORCE_THRESHOLD_N = 0.05
"""tau_contact of Eq. 20; the paper does not state it."""
TOUCH_N = 0.1
"""Force from which PhysHOI, SkillMimic and InterMimic count a contact."""
APART_M = 0.1
"""Distance in the reference from which InterMimic forbids a joint to touch (its sigma_p)."""


def hand_contact(reference: ReferenceState) -> Bool[Array, " H"]:
    """psi: which hand the reference has in contact; one label a hand, where the paper shares one."""
    return reference.contact > 0.5


@measured("share", needs="points_object", gate=hand_contact)
def contact_force(state: SimState, reference: ReferenceState) -> Float[Array, " H"]:
    """Share of each hand's 16 bodies that do not feel the object, 1 - Psi, in [0, 1]. DeVI Eq. 19-20."""
    return _untouched(state, FORCE_THRESHOLD_N)


@measured("m", needs="points_object", gate=hand_contact)
def contact_distance(state: SimState, reference: ReferenceState) -> Float[Array, " H"]:
    """Mean distance of each hand's fingertips to the nearest object point, metres. DeVI A.9, d_t.

    Fingertips rather than joint centres: a palm's joint centres cannot all touch.
    """
    assert reference.points_object is not None
    assert state.object_position is not None and state.object_rotation is not None
    tips = rot.rotate_inverse(state.object_rotation, state.tips - state.object_position[None])
    # |a - b|^2 = |a|^2 - 2 a.b + |b|^2: one small matrix product instead of a (10, M, 3) array
    points = reference.points_object
    squared = jnp.sum(tips**2, axis=-1)[:, None] - 2 * tips @ points.T + jnp.sum(points**2, axis=-1)[None]
    nearest = jnp.sqrt(jnp.maximum(jnp.min(squared, axis=-1), 1e-12))
    return jnp.mean(nearest.reshape(2, 5), axis=-1)


@measured("wrong", needs="contact")
def object_contact(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """1 where a hand touches the object and none should, or none does and one should. PhysHOI, SkillMimic: `ecg2`.

    The node of the contact graph that those codes judge for the object, by the forces it feels from the human.
    """
    touched = jnp.any(state.contact_n > TOUCH_N)
    return jnp.asarray(touched != jnp.any(hand_contact(reference)), jnp.float32)


@measured("share", needs="contact", gate=hand_contact)
def hand_touch(state: SimState, reference: ReferenceState) -> Float[Array, " H"]:
    """Share of each hand's 16 bodies that do not touch, in [0, 1]. InterMimic: `ecg_left`, `ecg_right`."""
    return _untouched(state, TOUCH_N)


@measured("share", needs="object_position")
def stray_touch(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Share of all 52 bodies, hands only, that touch where the reference is apart from it. InterMimic: `ecg_all`."""
    assert reference.object_distance is not None
    apart = reference.object_distance[np.array(HAND_BODIES)] > APART_M
    return jnp.sum(jnp.asarray(apart & (state.contact_n > TOUCH_N), jnp.float32)) / len(JOINTS)


@measured("N")
def contact_load(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Sum of all contact forces on the hands, newtons. InterMimic's contact energy, `eg3`."""
    return jnp.sum(state.contact_n)


def _untouched(state: SimState, least_n: float) -> Float[Array, " H"]:
    return 1.0 - jnp.mean(jnp.asarray(state.contact_n > least_n, jnp.float32), axis=-1)
