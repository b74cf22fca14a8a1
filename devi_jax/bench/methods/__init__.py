"""DeVI and its baselines on the same clips, beside what is no policy, in the layout of the paper's Table 1."""
