"""When hands touch the object, from 2D alone."""
