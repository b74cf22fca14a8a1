"""How well scripted videos are understood: one extraction a row."""
