"""Whether the object in 2D is enough: plans that are searched by different rewards for the object, judged in space."""
