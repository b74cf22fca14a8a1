"""Films become clips and policies, or rows that say which step refused them, and the page says what the rows say."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from devi_jax.bench.__main__ import main
from devi_jax.bench.film import jobs
from devi_jax.bench.film import run as film_bench
from devi_jax.bench.film.films import Film, read_films
from devi_jax.bench.film.jobs import FilmJob, schedule
from devi_jax.bench.film.page import figure, page
from devi_jax.bench.grid import log_file
from devi_jax.bench.result_files import read_results
from devi_jax.bench.row_age import Age
from devi_jax.core.errors import ConfigError
from tests.bench.comparisons import compared
from tests.bench.conftest import YOUNG

LIST = """
[[film]]
name = "cup"
file = "cup.mp4"
shows = "a cup is lifted"
source = "example.org"
licence = "CC0-1.0"
scene = ["--thing=cup"]

[[film]]
name = "shoe"
file = "shoe.mp4"
shows = "a shoe is lifted"
source = "example.org"
licence = "CC0-1.0"
scene = []
extract = ["--grip=seen"]
"""
QUALITY = [
    {"name": f"{of} from their landmarks, {part}", "value": px, "unit": "px", "verdict": verdict}
    for of, part, px, verdict in (
        ("wrists", "median", 12.86, "unusual"),
        ("wrists", "95th percentile", 29.71, "ok"),
        ("knuckles", "median", 12.1, "ok"),
        ("knuckles", "95th percentile", 35.5, "ok"),
    )
] + [{"name": "object over its mask, median", "value": None, "unit": "", "verdict": "not measured"}]


@pytest.fixture
def listed(tmp_path) -> Path:
    path = tmp_path / "films.toml"
    path.write_text(LIST)
    return path


def cells(text: str, begins: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {begins}")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_the_list_says_whose_films_they_are_and_what_was_given(listed):
    cup, shoe = read_films(listed)
    assert cup == Film("cup", "cup.mp4", "a cup is lifted", "example.org", "CC0-1.0", ("--thing=cup",))
    assert shoe.extract == ("--grip=seen",)


@pytest.mark.parametrize(
    ("was", "is_", "said"),
    [
        ('licence = "CC0-1.0"\nscene = ["--thing=cup"]', 'scene = ["--thing=cup"]', "licence is missing"),
        ('name = "shoe"', 'name = "cup"', "two films are called cup"),
        ('scene = ["--thing=cup"]', 'scene = "--thing=cup"', "a list of strings"),
        ('shows = "a shoe is lifted"', "shows = 3", "shows = 3"),
        ("extract =", "extrct =", "nothing is called extrct"),
        ("[[film]]", "[[film", "no list of films"),
    ],
)
def test_a_list_that_is_not_one_is_refused_by_its_place(listed, was, is_, said):
    assert was in LIST
    listed.write_text(LIST.replace(was, is_))
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")) as error:
        read_films(listed)
    assert str(listed) in error.value.where


def test_the_projects_own_list_can_be_read():
    films = read_films(Path(__file__).parents[2] / "docs/films.toml")
    assert {film.licence for film in films} <= {"Apache-2.0", "MIT", "BSD-3-Clause"} and len(films) >= 4


def test_films_come_before_policies_and_a_seed_of_each_before_another(listed):
    names = [job.name for job in schedule(read_films(listed), ("pinned", "free"), 2, 6.0)]
    assert names == [
        *("cup", "shoe", "cup-pinned-0", "cup-free-0", "shoe-pinned-0", "shoe-free-0"),
        *("cup-pinned-1", "cup-free-1", "shoe-pinned-1", "shoe-free-1"),
    ]
    (film, other) = schedule(read_films(listed)[:1], ("free",), 1, 20.0)
    assert (film.name, other.name) == ("cup", "cup-free-20min-0")


@pytest.fixture
def bench(tmp_path, listed, monkeypatch, young):
    """`bench film` with commands that take no time: `codes` of them by command and film, 0 unless said."""
    called, codes = [], {}
    films = tmp_path / "videos"
    films.mkdir()
    for name in ("cup", "shoe"):
        (films / f"{name}.mp4").touch()

    def run_logged(command, log: Path) -> int:
        name, flags = command[2].removeprefix("devi_jax."), command[3:]
        cell = log.stem
        called.append((name, cell))
        out = next((Path(flag.removeprefix("--out=")) for flag in flags if flag.startswith("--out=")), None)
        code = codes.get((name, cell), 0)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"error: {name} will not do\n" if code else "well\n")
        assert out is not None
        if code == 0 and name == "scene":
            assert not out.exists() and Path(flags[0]).parent == films
            out.mkdir(parents=True)
            told = {"frames": 90, "found": {"focal": "as said", "taken": 3}, "film": {"sha256": "ab" * 32}}
            (out / "video.json").write_text(json.dumps(told))
        if name == "extract":
            left = [out, out.with_name("clip-overlay.mp4"), out.with_name("clip-stages")]
            assert not any(path.exists() for path in left)
            left[2].mkdir()
            for path in left[:2]:  # an extraction that fails late leaves its overlay
                if code == 0 or path != out:
                    path.touch()
        if code == 0 and name == "play":
            out.touch()
        return code

    def run_training(folder: Path, flags, film: bool) -> int:
        assert film and f"--clip={folder.parent / 'cup' / 'clip.npz'}" in flags
        called.append(("train", folder.name))
        folder.mkdir(parents=True)
        (folder / "strip.png").write_bytes(b"a picture")
        return 0

    def check(command, stdout, stderr, text):
        called.append(("check", Path(command[4]).parent.name))
        findings = [
            {"name": "foot slip", "value": 0.5, "unit": "m/s", "verdict": "warn"},
            {"name": "frames", "value": 90, "unit": "", "verdict": "ok"},
        ]
        return SimpleNamespace(stdout=json.dumps({"findings": findings}), returncode=0)

    provenance = {"quality": QUALITY, "git": {"commit": "c11b", "dirty": False}}
    monkeypatch.setattr(jobs, "run_logged", run_logged)
    monkeypatch.setattr(jobs, "run_training", run_training)
    monkeypatch.setattr(jobs, "subprocess", SimpleNamespace(run=check, PIPE=-1))
    monkeypatch.setattr(jobs, "load_clip", lambda path: SimpleNamespace(provenance=provenance))
    monkeypatch.setattr(jobs, "outcome", lambda folder: learned())
    monkeypatch.setattr(jobs, "git_state", lambda: {"commit": "f00d", "dirty": False})
    where = [f"--films={listed}", f"--folder={films}", f"--runs={tmp_path / 'runs'}"]
    where += [f"--out={tmp_path / 'docs/films'}"]
    return lambda *flags: main(["film", *flags, *where]), called, codes, tmp_path


def learned(rates=(0.96, None, 0.41, 0.0, 0.82)) -> dict:
    """What is kept of a training: rates of policy, plan, replay, doing nothing and follow from easy starts."""
    names = ("policy", "plan", "reference", "nothing", "follow")
    given = {name: rate for name, rate in zip(names, rates, strict=True) if rate is not None}
    exact = {"success": True, "mpjpe_all_mm": 5.7, "t_obj_mm": 9.3, "lift_ratio": 0.85}
    others = {n: {"exact": exact, "perturbed": {"success_rate": r}} for n, r in given.items() if n != "policy"}
    versus = {n: compared("better" if rates[0] > r else "worse") for n, r in given.items() if n != "policy"}
    easy = {"starts": 256, "success": given, "versus": versus}
    return {
        "trained_minutes": 6.0,
        "environment_steps": 500_000,
        "status": "done",
        "evaluation": {"exact": exact, "perturbed": {"success_rate": rates[0]}, "grades": {"easy": easy}, **others},
        "stages": {},
        "curve": [],
        **{"commit": "f00d", "dirty": False, "hardware": None, "load_average": None, "date": "2026-01-02"},
    }


def test_a_film_goes_through_every_step_and_is_not_measured_twice(bench):
    run, called, _, where = bench
    flags = ("--only", "cup", "--roots", "pinned")
    run(*flags)
    steps = [("scene", "cup"), ("extract", "cup"), ("check", "cup")]
    steps += [("train", "cup-pinned-0"), ("play", "cup-pinned-0")]
    assert called == steps
    run(*flags)
    assert called == steps
    policy, film = read_results(where / "docs/films")
    assert (film["cell"], film["status"], film["frames"], film["found"]) == ("cup", "done", 90, {"focal": "as said"})
    assert film["warned"] == [{"name": "foot slip", "value": 0.5, "unit": "m/s"}]
    assert film["shown"]["licence"] == "CC0-1.0" and film["shown"]["sha256"] == "ab" * 32
    assert (policy["cell"], policy["clip_commit"], policy["status"]) == ("cup-pinned-0", "c11b", "done")
    assert (where / "docs/films/cup-pinned-0.png").read_bytes() == b"a picture"
    text = (where / "docs/films.md").read_text()
    assert "(films/cup-pinned-0.png)" in text and "12.9 / 29.7" in text


def test_a_refused_film_has_a_row_with_its_step_and_no_policy(bench, capsys):
    run, called, codes, where = bench
    codes[("scene", "cup")] = 2
    codes[("extract", "shoe")] = 2
    run("--roots", "free")
    assert called == [("scene", "cup"), ("scene", "shoe"), ("extract", "shoe")]
    assert "did not become a clip" in capsys.readouterr().out
    cup, shoe = read_results(where / "docs/films")
    assert (cup["failed"], cup["error"], cup["frames"], cup["quality"]) == ("scene", "scene will not do", None, [])
    assert (shoe["failed"], shoe["frames"]) == ("extract", 90) and set(shoe["seconds"]) == {"scene", "extract"}
    text = (where / "docs/films.md").read_text()
    assert cells(text, "`cup` | `scene`") == ["`cup`", "`scene`", "scene will not do"]
    assert "becomes a clip | 0 of 2" in text


def test_what_was_interrupted_has_no_row_and_nothing_of_it_is_kept(bench, capsys):
    run, called, codes, where = bench
    codes[("extract", "cup")] = 130
    run("--only", "cup", "--roots", "free")
    assert not read_results(where / "docs/films") and "interrupted" in capsys.readouterr().out
    del codes[("extract", "cup")]
    run("--only", "cup", "--seeds=0")
    assert [name for name, _ in called] == ["scene", "extract", "scene", "extract", "check"]


def test_a_film_that_is_not_there_is_said_and_a_name_that_none_has_refused(bench, capsys):
    run, called, _, where = bench
    (where / "videos/shoe.mp4").unlink()
    run("--list", "--seeds=0")
    assert capsys.readouterr().out.split("\n")[:2] == ["missing   cup", "no file   shoe"]
    for flags, said in ((("--only", "boot"), "no film 'boot'"), (("--only", "shoe"), "none of the films is there")):
        with pytest.raises(SystemExit) as leaving:
            run(*flags)
        assert leaving.value.code == 2 and said in capsys.readouterr().err and not called
    run("--seeds=0")
    assert "left out: shoe, shoe.mp4 of example.org" in capsys.readouterr().out
    assert [name for name, _ in called] == ["scene", "extract", "check"]


def film_row(name: str, **more) -> dict:
    shown = {"shows": "x", "scene": ["--thing=cup"], "extract": [], "file": f"{name}.mp4", "source": "s"}
    return {
        **{"cell": name, "film": name, "root": None, "error": None, "failed": None, "status": "done"},
        "shown": {**shown, "licence": "MIT", "sha256": "ab" * 32},
        **{"seconds": {"scene": 90.0, "extract": 66.0}, "frames": 300, "found": {}, "quality": QUALITY, "warned": []},
        **{"commit": "f00d", "dirty": False, "hardware": None, "load_average": None, "date": "2026-01-02"},
        **more,
    }


def policy_row(film: str, rates, seed=0, **more) -> dict:
    cell = {"cell": f"{film}-pinned-{seed}", "film": film, "root": "pinned", "seed": seed, "minutes": 6.0}
    return {**cell, "error": None, "clip_commit": "c11b", **learned(rates), **more}


def test_targets_count_films_and_only_policies_that_beat_all_else():
    better, worse = (0.96, None, 0.41, 0.0, 0.82), (0.5, None, 0.41, 0.0, 0.82)
    rows = [film_row("a"), film_row("b", seconds={"scene": 200.0, "extract": 400.0})]
    rows += [policy_row("a", better), policy_row("a", worse, 1), policy_row("b", worse)]
    text = page(rows, YOUNG)
    assert cells(text, "has a policy that succeeds")[1] == "2 of 2 (three of four wanted)"
    assert cells(text, "has one that beats")[1] == "1 of 2"
    # 300 frames are two films of five seconds; 66 s for them are 22 s a hundred
    assert cells(text, "scene of five")[1] == "1 of 2 scenes" and cells(text, "a hundred")[1] == "1 of 2 clips"
    assert cells(text, "`a` | x")[-1] == "22" and cells(text, "`b` | x")[-1] == "133"
    assert cells(text, "`a-pinned-0` | 96.0 %")[1:6] == ["96.0 %", "-", "41.0 %", "0.0 %", "82.0 %"]
    assert "follow: worse" in cells(text, "`b-pinned-0` | 50.0 %")[11]
    trivial = [film_row("a"), policy_row("a", (0.96, None, 0.7, 0.0, 0.82))]
    assert cells(page(trivial, YOUNG), "has one that beats")[1] == "0 of 1"


def test_old_rows_are_left_out_and_an_empty_page_says_so():
    row = film_row("a")
    assert "1 row is left out" in page([row], {row["commit"]: Age(90)}) and "Not run yet" in page([], YOUNG)
    assert cells(page([row], {row["commit"]: Age(90)}, keep_old=True), "`a` | x")[3] == "a clip"
    assert figure(row, "wrists from their landmarks, median") == 12.86
    assert figure(row, "object over its mask, median") != figure(row, "object over its mask, median")  # not measured


def test_the_steps_are_the_commands_a_user_would_run(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(jobs, "run_logged", lambda command, log: ran.append(command) or 0)
    monkeypatch.setattr(jobs, "run_training", lambda folder, flags, film: ran.append(flags) or 0)
    (film,) = [Film("cup", "cup.mp4", "", "", "", ("--thing=cup",))]
    folder = tmp_path / "cup-pinned-3"
    clip = jobs.clip_file(tmp_path / "cup")
    clip.parent.mkdir()
    clip.touch()
    assert jobs.run(FilmJob(film, "pinned", 3), folder, tmp_path) == 0
    assert ran[0] == [f"--clip={clip}", "--root=pinned", "--seed=3", "--minutes=6"]
    video = tmp_path / "cup/cup/video.mp4"
    play = [sys.executable, "-m", "devi_jax.play", str(folder), f"--video={video}", f"--out={folder / 'beside.mp4'}"]
    assert ran[1] == play and log_file(folder).name == "cup-pinned-3.log"
    assert film_bench.obstacle(FilmJob(film), tmp_path) == "no file"
