"""DeVI with another object reward, or with none: what its 2D reward is worth (the last row of Tables 1 and 3).

And DeVI with rewards that see small errors: what their sharpness is worth.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs import rewards
from envs.rewards import Reward, halved


def devi_6d(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI rewarded by the object's 6-DoF pose instead of its 2D tracks; all else as it is."""
    base = devi(preset, recipe)
    pose = {
        # a metre across the view, 1.55 m away, is 0.28 of the diagonal: as sharp there as the 2D reward's 300
        "object_position": Reward(rewards.object_position, sharpness=25.0),
        # an object of 6 cm about its centre, turned by a radian, moves its points as far
        "object_rotation": Reward(rewards.object_rotation, sharpness=0.1),
    }
    return replace(base, rewards=_others(base) | pose)


def devi_no_object(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI without a reward for where the object is; contact rewards and termination stay."""
    base = devi(preset, recipe)
    rows = _others(base) | {"object_2d": replace(base.rewards["object_2d"], weight=0.0)}
    return replace(base, rewards=rows)


def devi_sharp(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI whose factors are one half at about a fifth of what ends an episode, or of what thrashing leads to.

    Exponentials of the error, not of its square: a gaussian that is one half at a fifth of a bound is 3e-8 at the
    bound, where nothing tells a policy any more which way to go.
    """
    base = devi(preset, recipe)
    rows = {
        "joint_position": halved(rewards.joint_position, 0.04),
        # thrashing is 1.7 m/s, 0.7 rad and 12 kW off; fingers that press turn by up to 0.4 rad, at a price
        "joint_velocity": halved(rewards.joint_velocity, 0.3),
        "joint_rotation": halved(rewards.joint_rotation, 0.2),
        "hand_position": halved(rewards.hand_local_position, 0.016),
        "hand_rotation": halved(rewards.hand_local_rotation, 0.2),
        "power": halved(rewards.joint_power, 2.0),
        "object_2d": halved(rewards.object_2d, 0.016),
        # Eq. 21 has the square; fingertips that hold are 1 to 2 cm from the nearest of so few points
        "contact_distance": halved(rewards.contact_distance, 0.06, shape="sigmoid"),
    }
    return replace(base, rewards={**base.rewards, **rows})


def _others(base: System) -> dict[str, Reward]:
    return {name: row for name, row in base.rewards.items() if name != "object_2d"}
