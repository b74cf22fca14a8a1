"""How old a result is: commits since its own that touched what it measures. Git says so, or nobody does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from devi_jax.bench.result_files import Result
from devi_jax.runs.provenance import checkout_root, git

LEARNING = ("agents", "envs", "devi_jax/systems", "devi_jax/training", "devi_jax/evaluation")
"""What decides how a clip is learned, and what a policy is worth."""
EXTRACTION = ("perception", "envs", "devi_jax/scripted_video")
"""What decides how a video is filmed and understood."""

LIMIT = 20
"""Commits of what a row measures, after which a page refuses it: less than a day's work when much is changed."""


@dataclass(frozen=True)
class Age:
    """`commits`: how many came since; None where that is not known, and `why`."""

    commits: int | None
    why: str = ""

    @property
    def old(self) -> bool:
        """Whether a page refuses such a row. One whose age nobody knows is not known to be young."""
        return self.commits is None or self.commits > LIMIT

    @property
    def in_words(self) -> str:
        """`12 commits`, or why that is unknown."""
        return f"unknown: {self.why}" if self.commits is None else f"{self.commits}"


Ages = Mapping[str | None, Age]
"""Ages by the commit that a row was measured with."""


def ages(rows: Iterable[Result], watched: tuple[str, ...], checkout: Path | None = None) -> Ages:
    """The ages of rows in a checkout, by default the one that holds the `devi_jax` package."""
    root = checkout_root(checkout)
    return {commit: age(root, commit, watched) for commit in {row.get("commit") for row in rows}}


def is_old(row: Result, watched: tuple[str, ...]) -> bool:
    """Whether a row is known to be too old for a page; one whose age nobody knows is not measured again for that."""
    found = age(checkout_root(), row.get("commit"), watched)
    return found.commits is not None and found.old


def age(root: Path, commit: str | None, watched: tuple[str, ...]) -> Age:
    """Commits to `watched` folders between a commit and the checkout's own.

    A shallow clone, whose history ends early, and a commit that is no ancestor give no number.
    """
    if commit is None:
        return Age(None, "no commit was noted")
    shallow = git(root, "rev-parse", "--is-shallow-repository")
    if shallow is None:
        return Age(None, "no git here")
    if shallow != "false":
        return Age(None, "a shallow clone")
    if git(root, "merge-base", "--is-ancestor", commit, "HEAD") is None:
        return Age(None, "its commit is not in this history")
    count = git(root, "rev-list", "--count", f"{commit}..HEAD", "--", *watched)
    return Age(None, "git did not count") if count is None else Age(int(count))


def split(rows: Sequence[Result], ages: Ages) -> tuple[list[Result], list[Result]]:
    """The rows that a page takes, and those that it refuses as old."""
    return [r for r in rows if not ages[r["commit"]].old], [r for r in rows if ages[r["commit"]].old]


def paragraph(text: str) -> str:
    """A paragraph of a page, in lines as long as those of code."""
    return f"{fill(text, 120, break_on_hyphens=False)}\n"


def left_out(count: int) -> str:
    """What a page says of the rows that it refused."""
    return paragraph(
        f"{count} {'row is' if count == 1 else 'rows are'} left out, older than {LIMIT} commits or of unknown age; "
        "`--keep-old` shows them below a heading of their own."
    )


def old_note(rows: Sequence[Result], ages: Ages, watched: tuple[str, ...]) -> str:
    """What stands above rows that are kept though they are old."""
    known = [age.commits for age in (ages[r["commit"]] for r in rows) if age.commits is not None]
    unknown, changed = len(rows) - len(known), sum(bool(r["dirty"]) for r in rows)
    paths = ", ".join(f"`{path}`" for path in watched)
    span = " to ".join(str(n) for n in dict.fromkeys((min(known), max(known)))) if known else ""
    told = f"{span} commits to {paths} are newer" if known else "nobody knows how old"
    some = f", of {unknown} the age is unknown" if unknown and known else ""
    return paragraph(
        f"{len(rows)} rows of code that is no more: {told}{some}; {changed} were measured with uncommitted changes on "
        "top. They say what that code did, not what this one does."
    )
