"""What the task of following a clip can be asked to do, as plain frozen data. Presets live in `devi_jax.systems`."""

from dataclasses import dataclass
from typing import Literal

from envs.tracking.randomization import Randomization

STILL = Randomization(object_m=0.0, object_rad=0.0, mass=(1.0, 1.0), friction=(1.0, 1.0))
"""Nothing is randomized."""


@dataclass(frozen=True)
class ActionScale:
    """How far a residual action of one moves a joint of each part; exploration is proportional to it."""

    finger: float = 0.3
    """Fingers, radians."""
    wrist: float = 0.3
    """Wrists, radians."""
    arm: float = 0.3
    """Collars, shoulders and elbows, and the joints of a robot's arm, radians."""
    spine: float = 0.3
    """Spine, neck and head, radians."""
    leg: float = 0.3
    """Hips, knees, ankles and toes, radians."""
    gripper: float = 0.02
    """Fingers of a gripper, metres."""


@dataclass(frozen=True)
class ActionConfig:
    """How an action in about [-1, 1] becomes PD targets."""

    mode: Literal["residual", "absolute", "hand_task_space"] = "residual"
    """`absolute`: rotation vectors are pi times the action (the paper). `residual`: a turn around the reference.
    `hand_task_space`: the same in the planner's numbers, palms, fingers and balance."""
    zero: Literal["t_pose", "first_frame"] = "t_pose"
    """From where absolute actions turn: all joints straight, or the clip's first pose."""
    scale: ActionScale = ActionScale()
    """How far residual actions go."""
    joints: Literal["all", "active"] = "all"
    """Which joints residual actions turn: all 51, or those that can matter: spine, arms and hands that ever touch, and
    legs unless the root is pinned."""


@dataclass(frozen=True)
class ResetConfig:
    """Where episodes start (A.10)."""

    pre_contact: float = 0.5
    """Probability of starting at the last frame before contact, where the object is still at its initial pose."""
    lead: int = 0
    """Frames before contact onset at which such an episode starts, at least one."""
    displace: Literal["all", "first"] = "all"
    """Which of these starts `randomization` puts the object elsewhere in: all, or those at frame 0, where a hand is
    sure to be clear of wherever it is put."""
    joint_noise_rad: float = 0.0
    """Standard deviation of noise on the initial joint rotations."""
    plan_states: float = 0.0
    """Probability of starting in a state of the plan, if there is one: physically valid at every frame, object and all.
    Times in which episodes fail are drawn more often."""
    onset: float = 0.0
    """Probability of starting in a state of the plan from half a second before contact to 0.3 s after."""
    visited: float = 0.0
    """Probability of starting in a state that the policy itself reached and went on from well (physical state
    initialisation, InterMimic)."""


@dataclass(frozen=True)
class CurriculumConfig:
    """What episodes so far change in those to come."""

    bin_frames: int = 8
    """Length of a time bin."""
    uniform: float = 0.3
    """Share of starts drawn uniformly over time; the rest by each bin's failures."""
    clips: Literal["evenly", "failures"] = "evenly"
    """How an episode's clip is drawn, of several: each as often as the others, or by failures, mixed with `uniform`."""
    rate: float = 0.1
    """How fast an iteration's failures replace those of older ones."""
    termination_scale: float = 1.0
    """Factor of the termination bounds at first; it decays to one."""
    decay: int = 40
    """Iterations in which what is left of that factor above one shrinks to 1 / e."""


@dataclass(frozen=True)
class ObjectPoints:
    """Points on the object's surface that stand for its 2D tracks in clips with 6-DoF poses (5.1)."""

    count: int = 1024
    """M, how many."""
    seed: int = 0
    """Seed of where they lie."""


ArmReference = Literal["follow", "grip"]
"""What the reference of an arm knows: to carry the object along its path, or only to grip it where it stands."""


@dataclass(frozen=True)
class TaskConfig:
    """What a tracking environment needs beside clip, physics and its tables of rows; hashable, so compiled with."""

    resets: ResetConfig = ResetConfig()
    randomization: Randomization = STILL
    """How the object differs from the clip's in every episode; its place only where it still stands."""
    curriculum: CurriculumConfig = CurriculumConfig()
