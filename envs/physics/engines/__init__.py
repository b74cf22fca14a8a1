"""The engines: C MuJoCo in batches, MJX in JAX, MJX on Warp."""
