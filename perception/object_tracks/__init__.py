"""Object points: which vertices the first frame shows, and where they are in every frame after."""
