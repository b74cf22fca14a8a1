"""Command lines: frozen dataclasses become flags, help fits on two screens, old flags keep working for one version."""

from devi_jax.cli.old_flags import with_new_flags
from devi_jax.cli.parse import parse

__all__ = ["parse", "with_new_flags"]
