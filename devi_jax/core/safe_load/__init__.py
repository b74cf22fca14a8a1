"""Foreign files read without running what they say: archives, pickles, torch checkpoints."""
