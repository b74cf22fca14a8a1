"""What runs in a tool's own environment: standalone programs of a few lines, which import nothing of this project."""
