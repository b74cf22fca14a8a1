"""Controllers that add to the PD targets: feed-forward, ground reaction, grasp."""
