"""Pictures and films of MuJoCo models, without a screen."""
