"""From videos to clips: what is seen of a human and an object, written to files the simulator's side can imitate."""
