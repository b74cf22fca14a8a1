"""Where the object is in space, from its 2D tracks: an aid of alignment, not a target (DeVI's is 2D)."""
