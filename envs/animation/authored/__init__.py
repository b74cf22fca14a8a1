"""Motions written by hand, a file each."""
