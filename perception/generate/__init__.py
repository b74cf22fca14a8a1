"""Generators of videos behind one protocol: a model, any program, a file the user has."""
