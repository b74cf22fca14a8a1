"""Environments: bodies, objects, physics, and the task of tracking a clip."""
