"""Tables of Markdown, and what stands in them of every row."""

from collections.abc import Sequence

from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import Ages

MADE = ["commit", "age", "machine", "load", "date"]
MADE_NOTE = (
    "Load: average over 15 minutes at the end of the run. +: the commit with changes on top. Age: commits since, of\n"
    "what the row measures.\n\n"
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a line a row."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def made_cells(row: Result, ages: Ages) -> list[str]:
    """The columns `MADE` of a row."""
    load, hardware = row["load_average"], row["hardware"]
    machine = f"{hardware['devices']} x {hardware['device']}, {hardware['cpus']} cores" if hardware else "unknown"
    commit = (row["commit"] or "unknown")[:10] + ("+" if row["dirty"] else "")
    age = ages[row["commit"]].in_words
    return [commit, age, machine, "-" if load is None else f"{load[-1]:.1f}", row["date"]]
