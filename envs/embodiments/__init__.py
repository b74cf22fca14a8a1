"""Bodies that act: what physics and tasks know of one (`embodiment`), and each body as data and as a MuJoCo model."""

from envs.embodiments.embodiment import Embodiment, HumanRoot, Joint, JointTable, Root, joint_table

__all__ = ["Embodiment", "HumanRoot", "Joint", "JointTable", "Root", "joint_table"]
