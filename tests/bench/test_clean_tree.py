"""Nothing is measured from code that no commit holds, unless it goes where no page reads it."""

import shutil

import pytest

from devi_jax.bench import clean_tree, training_result
from devi_jax.bench.__main__ import main
from devi_jax.bench.clean_tree import require_clean, uncommitted
from devi_jax.compare import main as compare
from devi_jax.core.errors import ConfigError
from devi_jax.runs.provenance import changes


@pytest.fixture
def checkout(repository, monkeypatch):
    """A clean checkout with a module and a page."""
    monkeypatch.setattr(clean_tree, "changes", changes)
    root, git = repository
    for name in ("agents/a.py", "docs/page.md"):
        (root / name).parent.mkdir()
        (root / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    return root


def test_a_clean_checkout_and_new_pages_are_fine(checkout):
    require_clean(checkout)
    (checkout / "docs" / "page.md").write_text("2")
    (checkout / "docs" / "row.json").write_text("2")
    require_clean(checkout)


def test_changed_and_unknown_code_is_named(checkout):
    (checkout / "agents" / "a.py").write_text("2")
    for i in range(4):
        (checkout / "agents" / f"new{i}.py").write_text("2")
    with pytest.raises(ConfigError) as caught:
        require_clean(checkout)
    assert caught.value.what.endswith("agents/a.py, agents/new0.py, agents/new1.py and 2 more")
    assert "--allow-dirty" in caught.value.fix


def test_where_git_cannot_tell_nothing_is_clean(tmp_path, monkeypatch):
    monkeypatch.setattr(clean_tree, "changes", changes)
    with pytest.raises(ConfigError, match="git cannot tell"):
        require_clean(tmp_path)


COMMANDS = {
    "learning": lambda *flags: main(["learning", "--clips", "lift_can", "--grades", "mild", *flags]),
    "extract": lambda *flags: main(["extract", "--scenes", "lift_can", *flags]),
    "compare": lambda *flags: compare(["--clips", "lift_can", "--systems=devi", "--seeds=1", *flags]),
}


@pytest.fixture
def dirty(monkeypatch):
    monkeypatch.setattr(clean_tree, "changes", lambda checkout: ["agents/ppo.py"])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_bench_refuses_before_it_begins(name, dirty, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("subprocess.run", None)  # nothing is started
    with pytest.raises(SystemExit) as leaving:
        COMMANDS[name](f"--runs={tmp_path / 'runs'}", f"--out={tmp_path / 'docs'}")
    said = capsys.readouterr().err
    assert leaving.value.code == 2 and said.count("error:") == 1 and "agents/ppo.py" in said
    assert not list(tmp_path.iterdir())


def test_allowed_changes_go_where_no_page_of_docs_reads(dirty, tmp_path, trained, monkeypatch):
    def train(command, log):
        shutil.copytree(trained[1], log.with_suffix(""))
        return 0

    monkeypatch.setattr(training_result, "run_logged", train)
    runs, out = tmp_path / "runs", tmp_path / "docs" / "results"
    COMMANDS["learning"]("--roots=pinned", "--allow-dirty", f"--runs={runs}", f"--out={out}")
    folder, results = uncommitted(runs)
    assert (folder / "lift_can-mild-pinned-0").is_dir() and (results / "lift_can-mild-pinned-0.json").exists()
    assert results.with_suffix(".md").exists() and not out.parent.exists()


def test_a_page_alone_needs_no_clean_checkout(dirty, tmp_path):
    for name, command in COMMANDS.items():
        command("--page", f"--runs={tmp_path / 'runs'}", f"--out={tmp_path / name}")
        assert (tmp_path / f"{name}.md").exists()
    assert not (tmp_path / "runs").exists()
