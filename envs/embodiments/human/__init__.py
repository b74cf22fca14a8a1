"""Human bodies in SMPL-X's topology, as data and as MuJoCo models."""

from envs.embodiments.human.body import Body, BodyError, load_body, save_body
from envs.embodiments.human.embodiment import Human
from envs.embodiments.human.gains import Gain, Gains, JointGains, per_joint
from envs.embodiments.human.human import human, smplx_body, with_offsets
from envs.embodiments.human.model import add_body

__all__ = [
    "Body",
    "BodyError",
    "Gain",
    "Gains",
    "Human",
    "JointGains",
    "add_body",
    "human",
    "load_body",
    "per_joint",
    "save_body",
    "smplx_body",
    "with_offsets",
]
