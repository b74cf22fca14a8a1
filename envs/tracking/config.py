"""What an environment can be asked to do, as plain frozen data. Presets live in `devi_jax.systems`."""

import math
from dataclasses import dataclass, field
from typing import Literal

from envs.tracking.randomization import Disturbance

STILL = Disturbance(object_m=0.0, object_rad=0.0, mass=(1.0, 1.0), friction=(1.0, 1.0))
"""Nothing is disturbed."""


@dataclass(frozen=True)
class Reach:
    """How far a residual action of one turns a joint of each class, radians; exploration is proportional to it."""

    finger: float = 0.3
    wrist: float = 0.3
    arm: float = 0.3
    spine: float = 0.3
    leg: float = 0.3


@dataclass(frozen=True)
class ActionConfig:
    """How an action in about [-1, 1] becomes PD targets."""

    mode: Literal["residual", "absolute"] = "residual"
    """`absolute`: rotation vectors are pi times the action (the paper). `residual`: a turn around the reference."""
    reach: Reach = Reach()
    """Reach of residual actions."""
    balance: float = 0.0
    """Radians of ankle for a metre that the centre of mass strays; 0 leaves balance to the targets. Free root only."""
    balance_damping: float = 0.2
    """Radians of ankle for a metre a second of it, over `balance`."""
    footing: float = 0.0
    """Rate in 1/s at which the centre of mass comes back by forces shared among the feet anew in every step, where the
    clip ever stands on one foot: there it replaces `balance`, and costs more. 0 never does. Free root only."""
    joints: Literal["all", "active"] = "all"
    """Which joints residual actions turn: all 51, or those that can matter: spine, arms and hands that ever touch, and
    legs unless the root is pinned."""
    feedforward: bool = True
    """Shift the targets that residual actions turn around by the reference's inverse dynamics over kp."""
    squeeze_rad: float = 0.25
    """How far the fingers of those targets aim beyond the surface in contact; a just-touching grasp holds nothing."""
    press_n: float = 50.0
    """Force with which the arms of those targets press two palms together that both touch the object."""


@dataclass(frozen=True)
class ResetConfig:
    """Where episodes start (A.10)."""

    pre_contact: float = 0.5
    """Probability of starting at the last frame before contact, where the object is still at its initial pose."""
    lead: int = 0
    """Frames before contact onset at which such an episode starts, at least one."""
    joint_noise_rad: float = 0.0
    """Standard deviation of noise on the initial joint rotations."""
    planned: float = 0.0
    """Probability of starting in a state of the plan, if there is one: physically valid at every frame, object and all.
    Times in which episodes fail are drawn more often."""
    onset: float = 0.0
    """Probability of starting in a state of the plan from half a second before contact to 0.3 s after."""
    own: float = 0.0
    """Probability of starting in a state that the policy itself reached and went on from well (physical state
    initialisation, InterMimic)."""
    disturbance: Disturbance = STILL
    """How the object differs from the clip's in every episode; its place only where it still stands."""


@dataclass(frozen=True)
class CurriculumConfig:
    """What episodes so far change in those to come."""

    bin_frames: int = 8
    """Length of a time bin."""
    uniform: float = 0.3
    """Share of starts drawn uniformly over time; the rest by each bin's failures."""
    rate: float = 0.1
    """How fast an iteration's failures replace those of older ones."""
    leniency: float = 1.0
    """Factor of the termination bounds at first; it decays to one."""
    tighten: int = 40
    """Iterations in which what leniency is left shrinks to 1 / e."""


@dataclass(frozen=True)
class TerminationConfig:
    """Early termination bounds, the first four of A.10. An infinite bound switches a criterion off."""

    mean_m: float = 0.2
    """Mean distance of body joints."""
    any_m: float = 0.4
    """Distance of any body joint."""
    tips_m: float = 0.04
    """Mean distance of fingertips."""
    pixels: float = 0.08
    """Mean distance of projected object points, over the image diagonal (Eq. 22: 94 px at 1024 x 576)."""
    pelvis_m: float = -math.inf
    """Least height of the pelvis (PhysHOI, SkillMimic, InterMimic: 0.3)."""
    object_m: float = math.inf
    """Mean distance of object points in space (InterMimic: 0.5); needs a clip with 6-DoF poses."""
    interaction: float = math.inf
    """Largest change of a vector between joint and object point, over its length (InterMimic: 2); needs 6-DoF poses."""
    silent_steps: float = math.inf
    """Steps in a row for which a hand that should touch the object feels nothing (InterMimic: 10)."""


@dataclass(frozen=True)
class EnvironmentConfig:
    """Everything a tracking environment needs beside clip, physics and reward terms."""

    action: ActionConfig = ActionConfig()
    reset: ResetConfig = ResetConfig()
    termination: TerminationConfig = TerminationConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    goal_offsets: tuple[int, ...] = (1, 4)
    """Future frames in the goal g_t (the paper's k is not stated)."""
    goal_object: bool = False
    """Whether the goal holds the object's pose too, as for PhysHOI, SkillMimic and InterMimic; needs 6-DoF poses."""
    object_points: int = 1024
    """M: points sampled on the object's surface for clips with 6-DoF poses (5.1)."""
    seed: int = field(default=0)
    """Seed of the surface points."""
