"""How hands take hold of things."""
