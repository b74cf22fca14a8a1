"""Trained policies as single files, for this project and for programs that know nothing of it."""
