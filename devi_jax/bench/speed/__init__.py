"""How fast a machine is, as ratios measured in one run."""
