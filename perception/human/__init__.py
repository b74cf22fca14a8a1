"""The human's motion: rotations, kinematics, body and hands made one."""
