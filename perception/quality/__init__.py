"""How far a clip is from what its video shows: figures in units with bounds, without a truth."""
