"""Around a run: its folder, checkpoints, logs, progress, the machine, pictures and films."""
