"""A result is of a commit: none is measured from code that no commit holds, unless it goes where no page reads it."""

from pathlib import Path

from devi_jax.core.errors import ConfigError
from devi_jax.runs.provenance import changes

NAMED = 3
"""Changed files that an error names."""


def require_clean(checkout: Path | None = None) -> None:
    """Raise `ConfigError` unless the code that runs is that of its commit; where git cannot tell, it is not.

    `checkout`: by default the one that holds the `devi_jax` package.
    """
    changed = changes(checkout)
    if changed == []:
        return
    more = "" if changed is None or len(changed) <= NAMED else f" and {len(changed) - NAMED} more"
    raise ConfigError(
        "no result is measured here: "
        + (
            "git cannot tell which commit this code is of"
            if changed is None
            else f"uncommitted changes in {', '.join(changed[:NAMED])}{more}"
        ),
        where="git status",
        valid="a checkout of this project without changes outside of docs",
        fix="commit or stash them, or --allow-dirty: its results stay with the run folders, unseen by docs",
    )


def uncommitted(runs: Path) -> tuple[Path, Path]:
    """Where `--allow-dirty` puts run folders and results, of which no page of docs reads any."""
    return runs / "uncommitted", runs / "uncommitted" / "results"
