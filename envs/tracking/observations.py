"""What the policy sees: human state 778, object state 15, goal, all in the human's heading frame (DeVI section 3, A.8).

The heading frame stands at the pelvis, upright, turned with the pelvis about z. A system's table has a row a token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray
from tyro.conf import Fixed, Suppress

from devi_jax.core import rotations as rot
from devi_jax.core.environment import Observation
from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.measured import measure_info, measured

Read = Callable[[SimState], Float[Array, " K"]]
"""From what the simulation shows to a token."""
ReadGoal = Callable[[SimState, tuple[ReferenceState, ...]], Float[Array, " G"]]
"""From what the simulation shows and what it should show in future frames to a part of the goal."""

When = Literal["always", "standing", "moving"]
"""For which clips a row is there: `moving` are those without an object, or in which a foot leaves its place."""

HUMAN_SIZE = 1 + 51 * 3 + 52 * 6 + 52 * 3 + 52 * 3
"""778: pelvis height, 51 joint positions, 52 rotations (6D), linear and angular velocities."""
OBJECT_SIZE = 3 + 6 + 3 + 3
"""15: position, rotation (6D), linear and angular velocity."""
GOAL_SIZE = 52 * 3 + 52 * 6
"""468 a future frame: where each joint should go from here, and its target rotation (6D)."""
GOAL_OBJECT_SIZE = 3 + 6
"""9 more a future frame where the goal holds the object: where it should go from here, and its target rotation."""


@dataclass(frozen=True)
class Observe:
    """A row of a system's observations: a token of what the simulation shows.

    `noise`: standard deviation of Gaussian noise on each number, in its own unit. `history`: how many past states the
    token holds, this one first; before the episode began the first one is repeated. `when`: for which clips an actor
    sees it.
    """

    read: Suppress[Fixed[Read]]
    noise: float = 0.0
    history: int = 1
    when: When = "always"


@dataclass(frozen=True)
class Goal:
    """A row of a system's goal, for every frame of the goal; all rows together are the token `goal`.

    `when`: for which clips it is part of the goal, where it is `on`.
    """

    read: Suppress[Fixed[ReadGoal]]
    on: bool = True
    when: When = "always"


@dataclass(frozen=True, eq=False)
class Observations:
    """The tables of a system: rows of actor and critic, rows of the goal and the frames that it looks ahead.

    `critic`: empty where it sees what the actor sees.
    """

    actor: Mapping[str, Observe]
    critic: Mapping[str, Observe]
    goal: Mapping[str, Goal]
    goal_frames: tuple[int, ...]

    def of(self, moving: bool) -> "Observations":
        """The tables for clips of one kind. Where the actor has fewer rows, its critic has all, without noise."""
        now = ("always", "moving" if moving else "standing")
        actor = {name: row for name, row in self.actor.items() if row.when in now}
        goal = {name: row for name, row in self.goal.items() if row.when in now}
        critic = self.critic
        if not critic and len(actor) < len(self.actor):
            critic = {name: replace(row, noise=0.0) for name, row in self.actor.items()}
        return Observations(actor, critic, goal, self.goal_frames)

    @property
    def noisy(self) -> bool:
        """Whether any token carries noise."""
        return any(row.noise > 0 for rows in (self.actor, self.critic) for row in rows.values())

    @property
    def longest(self) -> int:
        """Most states that a token holds."""
        return max((row.history for rows in (self.actor, self.critic) for row in rows.values()), default=1)

    def __call__(
        self,
        states: tuple[SimState, ...],
        references: tuple[ReferenceState, ...],
        key: PRNGKeyArray | None = None,
    ) -> Any:
        """Tokens by name; where the critic has a table of its own, `actor` and `critic` hold theirs.

        `states`: the present one and those before it; `references`: at `goal_frames` from now; `key`: for noise.
        """
        parts = [row.read(states[0], references) for row in self._goals(states[0])]
        goal = {"goal": parts[0] if len(parts) == 1 else jnp.concatenate(parts)} if parts else {}
        actor = {**_tokens(self.actor, states, key), **goal}
        if not self.critic:
            return actor
        other = None if key is None else jax.random.fold_in(key, 1)
        return {"actor": actor, "critic": {**_tokens(self.critic, states, other), **goal}}

    def _goals(self, state: SimState) -> list[Goal]:
        return [row for row in self.goal.values() if row.on and _applies(row.read, state)]


def _tokens(rows: Mapping[str, Observe], states: tuple[SimState, ...], key: PRNGKeyArray | None) -> Observation:
    tokens = {}
    for i, (name, row) in enumerate(rows.items()):
        if not _applies(row.read, states[0]):
            continue
        past = [row.read(states[min(k, len(states) - 1)]) for k in range(row.history)]
        token = past[0] if row.history == 1 else jnp.concatenate(past)
        if row.noise > 0 and key is not None:
            token = token + row.noise * jax.random.normal(jax.random.fold_in(key, 100 + i), token.shape)
        tokens[name] = token
    return tokens


def _applies(read: Callable, state: SimState) -> bool:
    needs = measure_info(read).needs
    return needs is None or getattr(state, needs) is not None


def human_state(state: SimState) -> Float[Array, "778"]:
    """Human state s^h of MaskedMimic's layout."""
    turn = rot.heading(state.rotation[0])
    arms = _turn_back(turn, state.position[1:] - state.position[:1])
    parts = [
        state.position[0, 2:],
        arms.reshape(-1),
        rot.sixd(rot.quat_mul(rot.quat_conj(turn), state.rotation)).reshape(-1),
        _turn_back(turn, state.linear_velocity).reshape(-1),
        _turn_back(turn, state.angular_velocity).reshape(-1),
    ]
    return jnp.concatenate(parts)


@measured("", needs="object_position")
def object_state(state: SimState) -> Float[Array, "15"]:
    """Object state s^o, seen from the human."""
    assert state.object_position is not None and state.object_rotation is not None
    turn = rot.heading(state.rotation[0])
    parts = [
        _turn_back(turn, state.object_position - state.position[0]),
        rot.sixd(rot.quat_mul(rot.quat_conj(turn), state.object_rotation)),
        _turn_back(turn, state.object_linear_velocity),
        _turn_back(turn, state.object_angular_velocity),
    ]
    return jnp.concatenate(parts)


def joint_goal(state: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """Goal g_t, 468 numbers a target frame: positions as the way each joint still has to go, and rotations."""
    turn = rot.heading(state.rotation[0])
    parts = []
    for target in targets:
        parts.append(_turn_back(turn, target.position - state.position).reshape(-1))
        parts.append(rot.sixd(rot.quat_mul(rot.quat_conj(turn), target.rotation)).reshape(-1))
    return jnp.concatenate(parts)


def reference_goal(state: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """What is to be shown, not the way there: 468 numbers a target frame, in the heading frame of its own pelvis.

    Positions from the pelvis, and rotations; none of it depends on where the body is.
    """
    parts = []
    for target in targets:
        turn = rot.heading(target.rotation[0])
        parts.append(_turn_back(turn, target.position - target.position[:1]).reshape(-1))
        parts.append(rot.sixd(rot.quat_mul(rot.quat_conj(turn), target.rotation)).reshape(-1))
    return jnp.concatenate(parts)


@measured("", needs="object_position")
def object_goal(state: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """Where the object should be, 9 numbers a target frame: the way it still has to go, and its rotation."""
    assert state.object_position is not None
    turn = rot.heading(state.rotation[0])
    parts = []
    for target in targets:
        assert target.object_position is not None and target.object_rotation is not None
        parts.append(_turn_back(turn, target.object_position - state.object_position))
        parts.append(rot.sixd(rot.quat_mul(rot.quat_conj(turn), target.object_rotation)))
    return jnp.concatenate(parts)


def _turn_back(turn: Float[Array, "4"], vectors) -> Array:
    return rot.rotate_inverse(turn, vectors)
