"""What this project reaches on a machine: its speed, from video to clip, and from clip to policy."""
