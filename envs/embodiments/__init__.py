"""Bodies that are simulated: joints, gains, contacts."""
