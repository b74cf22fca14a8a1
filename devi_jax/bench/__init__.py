"""What this project reaches on a machine: its speed, and its learning from clip to policy."""
