"""Measuring extraction: rows once each, failures among them, and a page that says what the rows say."""

import copy

import pytest

from devi_jax.bench import row_age
from devi_jax.bench.__main__ import main
from devi_jax.bench.extraction import jobs
from devi_jax.bench.extraction import run as extract
from devi_jax.bench.extraction.jobs import KNOBS, TURNED, ExtractionJob, rounded, schedule
from devi_jax.bench.extraction.page import page
from devi_jax.bench.extraction.targets import DONE, TARGETS, gain, judged, short
from devi_jax.bench.grid import last_error, log_file
from devi_jax.bench.result_files import read_results, write_result
from devi_jax.bench.row_age import Age
from tests.bench.conftest import YOUNG

WHOLE = {"body": 6.0, "hand": 3.0, "all": 4.0}


def stage(px: float, wrist_m: float, precision: float) -> dict:
    joints = {"body": px, "hand": px, "all": px}
    metres = {"body": 0.01, "hand": 0.02, "all": wrist_m / 2}
    touch = {"d_hoi_m": wrist_m, "precision": [1.0, precision], "frames": 20}
    return {
        **{"px_seen": joints, "px_as_seen": joints, "px": WHOLE, "joints_m": metres, "upper_m": 0.02},
        **{"wrist_contact_m": wrist_m, "wrist_held_m": 2 * wrist_m, "held": touch, "grasp": touch},
    }


@pytest.fixture
def measured() -> dict:
    """Figures of an extraction whose alignment improves all five times."""
    phases = {"reach": 3.0, "grasp": 5.0, "lift": 6.0}
    return {
        "seconds": {"scene": 3.0, "aligned": 20.0},
        "phases": {"onset": 50, "moves": 60, "frames": 97, "hands": ["right"]},
        "stages": {"raw": stage(20, 0.2, 0.0), "unified": stage(15, 0.1, 0.18), "aligned": stage(3, 0.02, 0.9)},
        "truth": {"d_hoi_m": 0.012, "precision": [1.0, 1.0], "frames": 44},
        "object": {"median_m": 0.0012, "p95_m": 0.0034, "median_deg": 0.5, "p95_deg": 1.5},
        "tracks": {"median_px": 0.1, "p95_px": 2.0},
        "tracks_visible": 0.8,
        "hands": {"found": dict.fromkeys(phases, 1.0), "sides": 1.0, "px": phases},
        "labels": {"f1": 0.95, "onset_frames": -2.0},
    }


@pytest.fixture
def make_cell(measured):
    """A row of `scene` and `knob`, with other figures: `make_cell("hat", wrist=0.05)`."""

    def make(scene="lift_can", knob="none", wrist=0.02, status="done", error=None):
        own = copy.deepcopy(measured)
        own["stages"]["aligned"]["wrist_contact_m"] = wrist
        return {
            "cell": ExtractionJob(scene, knob).name,
            "scene": scene,
            "knob": knob,
            "flags": list(KNOBS[knob]),
            "status": status,
            "error": error,
            "measured": own if status == "done" else None,
            **{"commit": "0123456789abcdef", "dirty": True, "hardware": None, "load_average": None},
            "date": "2026-01-02",
        }

    return make


@pytest.fixture
def bench(tmp_path, monkeypatch, measured, young):
    """Run `bench extract` with films and extractions that take no time; a caller, the cells done, and exit codes."""
    calls, codes = [], {}

    def film(job, folder) -> int:
        return codes.get(f"film {job.name}", 0)

    def extracted(folder) -> int:
        calls.append(folder.name)
        write_result(folder, "clip-measured", measured)
        log_file(folder).write_text("video 0.1 s\nerror: no person is seen\n  where: the video\n")
        return codes.get(folder.name, 0)

    monkeypatch.setattr(extract, "film", film)
    monkeypatch.setattr(extract, "extract", extracted)
    where = [f"--runs={tmp_path / 'runs'}", f"--out={tmp_path / 'docs' / 'extraction'}"]
    return lambda *flags: main(["extract", *flags, *where]), calls, codes, tmp_path / "docs"


def line(text: str, begins: str) -> list[str]:
    (found,) = [part for part in text.splitlines() if part.startswith(f"| {begins}")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_cells_are_measured_once_and_anew_when_asked(bench):
    run, calls, _, docs = bench
    flags = ("--scenes", "hat", "--knobs", "none", "blur")
    run(*flags, "--limit=1")
    assert calls == ["hat"] and "`hat`" in (docs / "extraction.md").read_text()
    run(*flags)
    run(*flags)
    assert calls == ["hat", "hat-blur"]
    run(*flags, "--again")
    assert calls == ["hat", "hat-blur"] * 2 and len(read_results(docs / "extraction")) == 2


def test_a_refused_video_has_a_row_one_that_was_not_filmed_or_interrupted_has_none(bench, capsys):
    run, _, codes, docs = bench
    codes |= {"hat": 2, "film hammer": 2, "lift_box": -9}
    run("--scenes", "hat", "hammer", "lift_box")
    (row,) = read_results(docs / "extraction")
    assert (row["cell"], row["status"], row["error"], row["measured"]) == ("hat", "failed", "no person is seen", None)
    said = capsys.readouterr().out
    assert "could not be filmed" in said and "interrupted" in said and "FAILED" in said
    assert line((docs / "extraction.md").read_text(), "`hat` | no person")[1] == "no person is seen"


def test_a_video_of_old_or_changed_code_is_filmed_again(tmp_path, monkeypatch):
    filmed = []
    monkeypatch.setattr(jobs, "run_logged", lambda command, log: filmed.append(command[2]) or 0)
    monkeypatch.setattr(row_age, "age", lambda root, commit, watched: Age({"new": 3, "old": 90}.get(commit)))
    out = jobs.film_folder(tmp_path / "hat")

    def film(git):
        write_result(out, "video", {"git": git})
        jobs.film(ExtractionJob("hat"), tmp_path / "hat")
        return len(filmed)

    assert film({"commit": "new", "dirty": False}) == 1  # there is none yet
    (out / "clip.npz").touch()
    assert film({"commit": "new", "dirty": False}) == 1
    assert film({"commit": "old", "dirty": False}) == 2
    assert film({"commit": "new", "dirty": True}) == 3
    # nobody knows how old it is: without git nothing is filmed twice
    assert film(None) == 3 and filmed == ["devi_jax.imagine"] * 3


def test_a_scene_that_is_not_there_is_one_error(bench, capsys):
    run, calls, _, docs = bench
    with pytest.raises(SystemExit) as leaving:
        run("--scenes", "lift_cann")
    assert leaving.value.code == 2 and "lift_can" in capsys.readouterr().err
    assert not calls and not docs.exists()


def test_list_tells_and_does_nothing(bench, capsys):
    run, calls, _, docs = bench
    run("--list")
    lines = [text.split() for text in capsys.readouterr().out.splitlines()]
    assert lines == [["missing", cell.name] for cell in schedule()]
    assert not calls and not docs.exists()
    assert len({cell.name for cell in schedule()}) == 12 + len(TURNED) * (len(KNOBS) - 1)


def test_targets_are_judged_by_the_median_and_say_the_worst(make_cell):
    wrist = next(target for target in TARGETS if target.label == "wrist at contact")
    rows = [make_cell(wrist=w) for w in (0.01, 0.028, 0.09)]
    assert judged(wrist, rows) == ["wrist at contact", "\u2264 30 mm", "28", "90", "2 of 3", "**met**"]
    assert judged(wrist, rows[1:])[-2:] == ["1 of 2", "missed"]
    assert judged(wrist, [])[-1] == "not measured"
    assert [judged(target, rows[:1])[2] for target in DONE] == ["5", "5", "3"]
    assert all(judged(target, rows[:1])[-1] == "**met**" for target in (*TARGETS, *DONE))


def test_gains_from_nothing_and_to_nothing():
    assert gain(12.0, 3.0) == 4 and gain(0.1, 0.0) == float("inf") and gain(0.0, 0.0) == 1
    assert [short(x) for x in (float("inf"), float("nan"), 123.4, 0.12345)] == ["\u221e", "-", "123", "0.123"]


def test_the_page_compares_with_the_paper_and_keeps_knobs_apart(make_cell):
    rows = [make_cell(), make_cell("hat", wrist=0.05), make_cell(knob="blur", wrist=0.5)]
    text = page(rows, YOUNG)
    assert line(text, "paper: DeVI |")[1:] == ["26.2", "3.74", "11", "1", "0.864", "18.7"]
    assert line(text, "aligned, by the paper's measure")[1:] == ["3", "3", "3", "1", "0.9", "20"]
    assert line(text, "aligned, by the truth")[1:4] == ["6", "3", "4"]
    worse = text.split("## Worse videos")[1]
    assert "`lift_can-blur`" in worse and "`lift_can`" in worse and "`hat`" not in worse.split("## Failed")[0]
    assert line(text, "wrist at contact")[2] == "35"
    assert line(worse.split("## Failed")[0], "`lift_can-blur`")[6] == "1.2 / 3.4, 0.5 / 1.5"
    assert page(rows[::-1], YOUNG) == text and "Not run yet" in page([], YOUNG)
    del rows[2]["measured"]["object"]
    assert line(page(rows, YOUNG).split("## Worse videos")[1].split("## Failed")[0], "`lift_can-blur`")[6] == "-"


def test_old_rows_are_left_out_or_kept_with_their_age(make_cell):
    rows = [make_cell() | {"commit": "old"}, make_cell("hat")]
    ages = {"old": Age(90), rows[1]["commit"]: Age(3)}
    text = page(rows, ages)
    assert "1 row is left out" in text and "`lift_can`" not in text and line(text, "`hat` | done")[3] == "3"
    kept = page(rows, ages, keep_old=True)
    assert line(kept, "`lift_can` | done")[3] == "90" and "90 commits to `perception`" in kept


def test_what_a_log_says_last_and_figures_to_four_digits(tmp_path):
    log = tmp_path / "log"
    log.write_text("error: first\n  valid: x\nmore\nerror: the last\n  fix:   y\n")
    assert last_error(log) == "the last"
    log.write_text("Killed\n")
    assert last_error(log) == "Killed"
    assert rounded({"a": [0.123456, 3, None, "x"]}) == {"a": [0.1235, 3, None, "x"]}
