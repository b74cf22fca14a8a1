"""What DeVI's reward says of a clip done well, not done, or done wrong: each factor, so that the blind ones are known.

The body's cases are simulated with a pinned pelvis. The object's are put together from the reference, so that nothing
but the object is wrong there; what only a simulation knows, forces and power, is not told of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.evaluation.rollouts import Rollouts, roll, zero_policy
from envs.rewards import combine, contact_force, evaluate_rows, joint_power
from envs.tracking.config import STILL
from envs.tracking.env import TrackingEnvironment
from envs.tracking.randomization import Randomization

BLIND = 0.94
"""A factor that is never below this, whatever is wrong, tells nothing."""
THRASHING = replace(STILL, joint_rad=0.5)
"""Half a radian of noise on each axis of each joint target, drawn anew in every frame."""
REWARD = "reward"
"""What the last row, of all factors together, is called."""
SIMULATED = ("replay", "nothing", "thrashing")
OBJECT_CASES = ("left behind", "5 cm across", "5 cm along", "20 cm along", "tipped")
"""Of the object alone: it stays at its start; it is off across and along the camera's view; it has fallen over."""
HEAD = """What DeVI's reward makes of the clip: 1 is best; "blind" is what never leaves 0.94 to 1, whatever is wrong,
"off" what has no weight. Pinned and simulated: replay, nothing (the first pose is held), thrashing (joint targets off
by 0.5 rad). With the reference's body, not simulated: the object left at its start, off across or along the camera's
view, or tipped by 90 degrees away from the camera."""
_UNTOLD = (contact_force, joint_power)
"""Errors that only a simulation knows."""


@dataclass(frozen=True)
class FactorRow:
    """Mean and minimum over the clip's frames of one factor of the reward, or of the whole, by case.

    Cases that do not tell it are left out. `weight`: its exponent; 0 is a row that does not count.
    """

    name: str
    weight: float
    means: dict[str, float]
    minima: dict[str, float]

    @property
    def blind(self) -> bool:
        """Whether it is near its best in every frame of every case."""
        return min(self.minima.values()) >= BLIND


def reward_factors(environment: TrackingEnvironment) -> list[FactorRow]:
    """All factors of an environment's reward in all cases that its first clip allows, and the reward itself last."""
    told = {case: _evaluated(environment, frames, case) for case, frames in _cases(environment).items()}
    weights = {name: row.weight for name, row in environment.rewards.rows.items()} | {REWARD: 1.0}
    return [
        FactorRow(name, weight, *_told({case: factors[name] for case, factors in told.items() if name in factors}))
        for name, weight in weights.items()
        if name in told["replay"]
    ]


def factor_table(found: list[FactorRow]) -> list[list[str]]:
    """Lines of cells: a factor a line, a case a column, mean and minimum; the last column says which are blind."""
    cases = [case for case in (*SIMULATED, *OBJECT_CASES) if any(case in row.means for row in found)]
    lines = [["factor, mean (min)", *cases, ""]]
    for row in found:
        cells = [f"{row.means[c]:.2f} ({row.minima[c]:.2f})" if c in row.means else "-" for c in cases]
        notes = ["off"] * (row.weight == 0) + ["blind"] * row.blind
        lines.append([row.name, *cells, ", ".join(notes)])
    return lines


def object_cases(environment: TrackingEnvironment) -> dict[str, SimState]:
    """The reference (T, ...) with its object somewhere else; nothing without 6-DoF poses."""
    seen = _references(environment)
    if seen.object_position is None or seen.object_rotation is None or seen.view is None:
        return {}
    start = environment.reference.object_start
    assert start is not None
    place, turn, frames = seen.object_position, seen.object_rotation, len(seen.position)
    across, along = _directions(seen)
    # about the camera's own horizontal: the top goes away from it, which a picture tells least
    fallen = rot.quat_exp(-0.5 * jnp.pi * across)
    moved = {
        "left behind": (jnp.broadcast_to(start[:3], (frames, 3)), jnp.broadcast_to(start[3:], (frames, 4))),
        "5 cm across": (place + 0.05 * across, turn),
        "5 cm along": (place + 0.05 * along, turn),
        "20 cm along": (place + 0.2 * along, turn),
        "tipped": (place, rot.quat_mul(fallen, turn)),
    }
    return {name: _posed(seen, *pose) for name, pose in moved.items()}


def _cases(environment: TrackingEnvironment) -> dict[str, SimState]:
    """What is seen (T, ...) in each case."""
    noisy = _rolled(environment, THRASHING)
    simulated = dict(zip(SIMULATED, (_rolled(environment), _rolled(_frozen(environment)), noisy), strict=True))
    return simulated | object_cases(environment)


def _rolled(environment: TrackingEnvironment, perturbation: Randomization | None = None) -> SimState:
    played: Rollouts = roll(environment, zero_policy(), jax.random.key(0), perturbation=perturbation)
    return jax.tree.map(lambda x: x[:, 0], played.frames)


def _frozen(environment: TrackingEnvironment) -> TrackingEnvironment:
    """The environment whose targets, and what its controllers read, are those of the first frame throughout."""
    of = environment.library.reference
    parts = ("target", "target_root", "target_scalars", "noted", "action")
    still = jax.tree.map(lambda x: jnp.broadcast_to(x[:, :1], x.shape), {name: getattr(of, name) for name in parts})
    return replace(environment, library=replace(environment.library, reference=replace(of, **still)))


@jax.jit
def _references(environment: TrackingEnvironment) -> ReferenceState:
    """The frames of the first clip (T, ...)."""
    first = jnp.zeros((), jnp.int32)
    return jax.vmap(lambda t: environment.library.at(first, t))(jnp.arange(environment.frames))


def _directions(seen: ReferenceState) -> tuple[Float[Array, "T 3"], Float[Array, "T 3"]]:
    """Unit vectors from the object to the right in the picture and away from the camera."""
    assert seen.view is not None and seen.object_position is not None
    pose = seen.view.T_camera_world
    eye = -jnp.einsum("tji,tj->ti", pose[:, :3, :3], pose[:, :3, 3])
    away = seen.object_position - eye
    return pose[:, 0, :3], away / jnp.linalg.norm(away, axis=-1, keepdims=True)


def _posed(seen: ReferenceState, position: Float[Array, "T 3"], rotation: Float[Array, "T 4"]) -> SimState:
    """The reference's body, and the object elsewhere; forces and power are nil."""
    frames, hands = len(seen.position), seen.contact.shape[1]
    return SimState(
        seen.position,
        seen.rotation,
        seen.linear_velocity,
        seen.angular_velocity,
        seen.tips,
        jnp.zeros((frames, hands, 16)),
        jnp.zeros(frames),
        position,
        rotation,
        jnp.zeros((frames, 3)),
        jnp.zeros((frames, 3)),
    )


def _evaluated(environment: TrackingEnvironment, frames: SimState, case: str) -> dict[str, np.ndarray]:
    """Factors (T,) by name that a case tells, and of a simulated one the reward."""
    factors, whole = _factors(environment, frames)
    if case in SIMULATED:
        return {name: np.asarray(x, float) for name, x in {**factors, REWARD: whole}.items()}
    rows = environment.rewards.rows
    return {name: np.asarray(x, float) for name, x in factors.items() if rows[name].error not in _UNTOLD}


@jax.jit
def _factors(
    environment: TrackingEnvironment, frames: SimState
) -> tuple[dict[str, Float[Array, " T"]], Float[Array, " T"]]:
    """Factors and reward of what is seen (T, ...); compiled once for all cases."""
    of = environment.rewards

    def at(state: SimState, reference: ReferenceState) -> tuple[dict[str, Float[Array, ""]], Float[Array, ""]]:
        factors = evaluate_rows(of.rows, state, reference)[0]
        return factors, combine(of.combine, factors, of.rows)

    return jax.vmap(at)(frames, _references(environment))


def _told(values: Mapping[str, np.ndarray]) -> tuple[dict[str, float], dict[str, float]]:
    return {c: float(x.mean()) for c, x in values.items()}, {c: float(x.min()) for c, x in values.items()}
