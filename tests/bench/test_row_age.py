"""Ages of rows, counted by git in a small repository; and where git cannot tell, that it cannot."""

import subprocess

import pytest

from devi_jax.bench.row_age import LIMIT, Age, age, ages, left_out, old_note, split

WATCHED = ("agents", "envs")


@pytest.fixture
def history(repository):
    """A repository and its commits: the first, two of `agents`, one of `envs` and three of `docs`."""
    root, git = repository

    def commit(name: str) -> str:
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(file.read_text() + "x" if file.exists() else "")
        git("add", ".")
        git("commit", "-m", name)
        return git("rev-parse", "HEAD")

    names = ("README", "agents/a", "docs/a", "envs/a", "docs/a", "agents/a", "docs/a")
    return root, git, [commit(name) for name in names]


def test_only_commits_of_what_is_measured_count(history):
    root, _, commits = history
    assert [age(root, commit, WATCHED).commits for commit in commits] == [3, 2, 2, 1, 1, 0, 0]
    assert age(root, commits[0], ("docs",)).commits == 3
    found = ages([{"commit": commits[0]}, {"commit": commits[-1]}, {"commit": None}], WATCHED, root)
    assert (found[commits[0]].commits, found[commits[-1]].commits) == (3, 0)
    assert found[None] == Age(None, "no commit was noted")


def test_a_commit_of_another_branch_has_no_age(history):
    root, git, commits = history
    git("checkout", "-b", "other", commits[0])
    (root / "agents").mkdir(exist_ok=True)
    (root / "agents" / "b").write_text("")
    git("add", ".")
    git("commit", "-m", "aside")
    aside = git("rev-parse", "HEAD")
    git("checkout", "main")
    for commit in (aside, "0123456789abcdef0123456789abcdef01234567"):
        assert age(root, commit, WATCHED) == Age(None, "its commit is not in this history")


def test_a_shallow_clone_and_no_git_say_so(history, tmp_path):
    root, _, commits = history
    clone = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=2", f"file://{root}", str(clone)], check=True, capture_output=True)
    assert age(clone, commits[-1], WATCHED) == Age(None, "a shallow clone")
    (tmp_path / "bare").mkdir()
    assert age(tmp_path / "bare", commits[-1], WATCHED) == Age(None, "no git here")


def test_old_is_beyond_the_limit_or_unknown():
    assert [Age(n).old for n in (0, LIMIT, LIMIT + 1)] == [False, False, True]
    assert Age(None, "no git here").old and Age(None, "no git here").in_words == "unknown: no git here"
    rows = [{"commit": "a", "dirty": False}, {"commit": "b", "dirty": True}, {"commit": None, "dirty": None}]
    found = {"a": Age(1), "b": Age(90), None: Age(None, "no commit was noted")}
    assert split(rows, found) == (rows[:1], rows[1:])
    note = " ".join(old_note(rows[1:], found, WATCHED).split())
    assert note.startswith("2 rows of code that is no more: 90 commits to `agents`, `envs` are newer, of 1 the age is")
    assert "1 were measured with uncommitted changes" in note
    assert "nobody knows how old" in old_note(rows[2:], found, WATCHED)
    assert left_out(1).startswith("1 row is left out") and left_out(3).startswith("3 rows are left out")
