"""The task of following a clip: reference, observations, actions, resets, terminations."""
