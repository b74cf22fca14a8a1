"""How soon and how well clips are learned: one training a row."""
