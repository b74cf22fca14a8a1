"""Human bodies in SMPL-X's topology, as data and as MuJoCo models."""

from envs.bodies.body import Body, BodyError, load_body, save_body
from envs.bodies.gains import Gain, Gains, JointGains, per_joint
from envs.bodies.human import human, smplx_body, with_offsets
from envs.bodies.model import add_body

__all__ = [
    "Body",
    "BodyError",
    "Gain",
    "Gains",
    "JointGains",
    "add_body",
    "human",
    "load_body",
    "per_joint",
    "save_body",
    "smplx_body",
    "with_offsets",
]
