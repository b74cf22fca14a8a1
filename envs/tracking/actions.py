"""What an action means: from a policy's numbers to PD targets.

Turns around the reference's targets, joint by joint (`JointResidual`) or in the few numbers of a hand task space
(`HandTaskSpace`, those that the planner searches), or targets of their own (`JointAbsolute`, DeVI: a_t in R^{51x3}).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.broadcast import to_rank
from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import SIDES
from envs.control.controller import ReferenceMotion
from envs.control.hand_task_space import task_space
from envs.embodiments import Embodiment
from envs.embodiments.human import Human
from envs.physics import Control
from envs.tracking.config import ActionConfig

Bend = Callable[[Float[Array, "J 3"]], Float[Array, "J 3"]]
"""What controllers add to the turns of a residual action."""


@runtime_checkable
class Action(Protocol):
    """A meaning of actions; hashable, so compiled with.

    `size`: how many numbers. `residual`: whether zero means to replay the reference's targets.
    """

    @property
    def size(self) -> int: ...

    @property
    def residual(self) -> bool: ...

    def prepare(self, motion: ReferenceMotion) -> dict[str, np.ndarray]:
        """Beforehand: arrays (T, ...) of the reference that `decode` reads."""
        ...

    def decode(self, action: Float[Array, " A"], target: Control, given: Mapping[str, Array], bend: Bend) -> Control:
        """PD targets of one step. `target`: the reference's; `given`: `prepare`'s arrays at this frame."""
        ...

    def turns(self, action: Float[Array, "*B A"], given: Mapping[str, Array]) -> Float[Array, "*B J 3"]:
        """Rotation vectors by which a residual action turns the targets of the ball joints, radians."""
        ...


@dataclass(frozen=True)
class JointResidual:
    """Turns around the reference's targets: three numbers for each of some ball joints, one for each hinge and slide.

    `balls`: places of the acting ones among `ball_count` ball joints; `reach`: how far an action of one turns each,
    rad; `scalar_reach`: how far it moves each hinge (rad) and slide (m).
    """

    ball_count: int
    balls: tuple[int, ...]
    reach: tuple[float, ...]
    scalar_reach: tuple[float, ...] = ()
    residual: bool = True

    @property
    def size(self) -> int:
        """Numbers of an action: those of the ball joints, then those of hinges and slides."""
        return 3 * len(self.balls) + len(self.scalar_reach)

    def prepare(self, motion: ReferenceMotion) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def decode(self, action: Float[Array, " A"], target: Control, given: Mapping[str, Array], bend: Bend) -> Control:
        """The reference's targets, turned and shifted."""
        control = residual_control(bend(self.turns(action, given)), target)
        if target.scalars is None:
            return control
        return Control(control.rotation, control.root_position, target.scalars + self.shifts(action))

    def turns(self, action: Float[Array, "*B A"], given: Mapping[str, Array]) -> Float[Array, "*B J 3"]:
        """Zero for joints that do not act."""
        lead, count = action.shape[:-1], len(self.balls)
        turned = action[..., : 3 * count].reshape(*lead, count, 3) * to_rank(self._reach, len(lead) + 2)
        return jnp.zeros((*lead, self.ball_count, 3)).at[..., np.array(self.balls, int), :].set(turned)

    def shifts(self, action: Float[Array, "*B A"]) -> Float[Array, "*B n"]:
        """What is added to the targets of hinges and slides, rad or m."""
        return action[..., 3 * len(self.balls) :] * to_rank(self._scalar_reach, action.ndim)

    def from_turns(self, turns: Float[Array, "*B J 3"]) -> Float[Array, "*B A"]:
        """Inverse of `turns`, for the joints that act; what the others should do is lost, hinges and slides rest."""
        lead, rest = turns.shape[:-2], len(self.scalar_reach)
        given = turns[..., np.array(self.balls, int), :] / to_rank(self._reach, turns.ndim)
        given = given.reshape(*lead, 3 * len(self.balls))
        return jnp.concatenate([given, jnp.zeros((*lead, rest))], axis=-1) if rest else given

    @property
    def _reach(self) -> np.ndarray:
        return np.array(self.reach, np.float32)[:, None]

    @property
    def _scalar_reach(self) -> np.ndarray:
        return np.array(self.scalar_reach, np.float32)


@dataclass(frozen=True)
class JointAbsolute:
    """The paper's action: each ball joint's rotation vector is pi times its three numbers. The root follows the
    reference, and so do hinges and slides.

    `parents`: of each ball joint's body, where zero is the reference's first pose; empty where it is the T-pose.
    """

    around: JointResidual
    """All ball joints: what zero action means where it should replay the reference."""
    parents: tuple[int, ...] = ()
    residual: bool = False

    @property
    def size(self) -> int:
        """Three numbers for each ball joint."""
        return 3 * self.around.ball_count

    def prepare(self, motion: ReferenceMotion) -> dict[str, np.ndarray]:
        """`zero` (T, 51, 4): the pose that actions turn from, in every frame the first one's."""
        if not self.parents:
            return {}
        first = np.asarray(motion.rotation[0])
        local = rot.quat_mul(rot.quat_conj(first[np.array(self.parents)]), first[1:])
        return {"zero": np.broadcast_to(local, (len(motion.rotation), *local.shape))}

    def decode(self, action: Float[Array, " A"], target: Control, given: Mapping[str, Array], bend: Bend) -> Control:
        """The action's own targets; controllers add nothing."""
        joints = rot.quat_exp(jnp.pi * action.reshape(-1, 3))
        joints = rot.quat_mul(given["zero"], joints) if self.parents else joints
        return Control(jnp.concatenate([target.rotation[:1], joints]), target.root_position, target.scalars)

    def encode(self, control: Control, given: Mapping[str, Array]) -> Float[Array, " A"]:
        """Inverse of `decode`: the action with these targets."""
        joints = control.rotation[1:]
        joints = rot.quat_mul(rot.quat_conj(given["zero"]), joints) if self.parents else joints
        return rot.quat_log(joints).reshape(-1) / jnp.pi

    def turns(self, action: Float[Array, "*B A"], given: Mapping[str, Array]) -> Float[Array, "*B J 3"]:
        """As if it were residual."""
        return self.around.turns(action, given)


@dataclass(frozen=True)
class HandTaskSpace:
    """The planner's numbers: palm displacement and turn, grip and fingers of each hand that ever touches, and balance
    of a body on its own feet. See `envs.control.hand_task_space`.

    `hands`: which of left and right; `legs`: whether hips, knees and ankles act. An action of one is one unit of each.
    """

    hands: tuple[bool, bool]
    legs: bool
    size: int
    residual: bool = True

    def prepare(self, motion: ReferenceMotion) -> dict[str, np.ndarray]:
        """`basis` (T, D, 51, 3): what each number does to the joints at each frame, radians."""
        touched = np.broadcast_to(np.array(self.hands, float), (len(motion.position), 2))
        return {"basis": task_space(motion.position, motion.rotation, touched, self.legs).basis}

    def decode(self, action: Float[Array, " A"], target: Control, given: Mapping[str, Array], bend: Bend) -> Control:
        """The reference's targets, turned."""
        return residual_control(bend(self.turns(action, given)), target)

    def turns(self, action: Float[Array, "*B A"], given: Mapping[str, Array]) -> Float[Array, "*B J 3"]:
        """Linear in the action."""
        return jnp.einsum("...d,...djk->...jk", action, given["basis"])


def residual_control(turns: Float[Array, "J 3"], target: Control) -> Control:
    """Targets around the reference's: target * exp(turns), radians; without a turn the reference is replayed."""
    joints = rot.quat_mul(target.rotation[1:], rot.quat_exp(turns))
    return Control(jnp.concatenate([target.rotation[:1], joints]), target.root_position, target.scalars)


def make_action(config: ActionConfig, embodiment: Embodiment, contact: np.ndarray) -> Action:
    """The meaning of a system's actions. `contact` (T, H): whether a hand ever touches, over all clips.

    Raises `ConfigError` for absolute actions, or a hand task space, of a body that is no human.
    """
    if config.mode != "residual" and not isinstance(embodiment, Human):
        raise ConfigError(
            f"{config.mode} actions are of a human's joints, and the {embodiment.name} has others",
            where="--action.mode",
            valid="residual",
            fix="leave --action.mode away",
        )
    if config.mode == "hand_task_space":
        left, right = (bool(contact[:, s].max() > 0.5) for s in range(len(SIDES)))
        legs = embodiment.root == "free"
        one = np.zeros((1, 52, 3)), np.broadcast_to([1.0, 0, 0, 0], (1, 52, 4)), np.array([[left, right]], float)
        return HandTaskSpace((left, right), legs, len(task_space(*one, legs).names))
    if config.mode == "absolute":
        parents = tuple(joint.parent for joint in embodiment.joints[1:]) if config.zero == "first_frame" else ()
        return JointAbsolute(_residual(config, embodiment, None), parents)
    return _residual(config, embodiment, contact if config.joints == "active" else None)


def _residual(config: ActionConfig, embodiment: Embodiment, contact: np.ndarray | None) -> JointResidual:
    """`contact`: None where all joints act."""
    joints = embodiment.joints
    balls = [joint for joint in joints if joint.kind == "ball"]
    scalars = [joint for joint in joints if joint.kind in ("hinge", "slide")]
    idle = [] if contact is None else [side for s, side in enumerate(SIDES) if contact[:, s].max() <= 0.5]

    def acts(name: str, part: str) -> bool:
        if contact is None:
            return True
        # of a body that balances, the arm of an idle hand still helps, but its fingers are of no use to anything
        if embodiment.root == "free":
            return part != "finger" or not any(name.startswith(side) for side in idle)
        return part != "leg" and not any(name.startswith(side) for side in idle)

    acting = [i for i, joint in enumerate(balls) if acts(joint.name, joint.part)]
    return JointResidual(
        ball_count=len(balls),
        balls=tuple(acting),
        reach=tuple(getattr(config.scale, balls[i].part) for i in acting),
        scalar_reach=tuple(getattr(config.scale, joint.part) for joint in scalars),
    )
