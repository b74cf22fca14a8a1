"""The same environment as other libraries know one: brax, gymnasium, Stable-Baselines3.

A module for each, since each needs its library; what they share is `flat` and `batch`.
"""
