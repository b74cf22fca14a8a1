"""What is found out about a clip before anyone trains on it, and what is repaired."""
