"""DeVI and its baselines on the same clips, in the layout of the paper's tables."""
