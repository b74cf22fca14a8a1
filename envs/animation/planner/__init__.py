"""Motions planned for any scene and action."""
