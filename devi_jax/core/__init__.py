"""The shared words: clip, camera, skeleton, rotations, errors, protocols."""
