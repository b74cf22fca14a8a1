"""Recordings of other people's datasets, one layout a file, each turned into clips."""
