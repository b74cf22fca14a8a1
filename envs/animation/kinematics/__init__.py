"""Postures of the human in a posed scene, by inverse kinematics."""
