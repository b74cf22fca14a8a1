"""Bodies that act: what physics and tasks know of one (`embodiment`), and each body as data and as a MuJoCo model."""

from envs.embodiments.embodiment import Embodiment, Joint, JointTable, Root, joint_table

__all__ = ["Embodiment", "Joint", "JointTable", "Root", "joint_table"]
