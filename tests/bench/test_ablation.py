"""The ablation of the object's reward: what differs between its arms, what is drawn from its plans, and its page."""

import json
from pathlib import Path

import pytest

from devi_jax.bench import training_result
from devi_jax.bench.__main__ import main
from devi_jax.bench.ablation import jobs as ablation_jobs
from devi_jax.bench.ablation.jobs import ARMS, CLIPS, OF_DEGRADED, SEEDS, TRACKS, AblationJob, schedule
from devi_jax.bench.ablation.page import counting, difference, page, plan_rate
from devi_jax.bench.row_age import Age
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ConfigError
from devi_jax.datasets.load import bundled
from devi_jax.training.train_options import read_early, read_options

YOUNG = {"0123456789abcdef": Age(0)}


def row(clip="hammer", arm="2D", seed=0, easy=0.5, hard=0.1, replay=0.0, tracks="exact"):
    def graded(rate):
        return {"starts": 256, "success": {"plan": rate, "reference": replay, "nothing": 0.0}}

    return {
        "cell": AblationJob(arm, clip, seed, tracks).name,
        "clip": clip,
        "arm": arm,
        "seed": seed,
        "tracks": tracks,
        "poses_off": None if tracks == "exact" else {"rms_m": 0.01 * (seed + 1), "rms_rad": 0.1},
        "status": "done",
        "best": "plan",
        "attempts": [{"stage": "follow", "minutes": 0.4}, {"stage": "search 1", "minutes": 2.0}],
        "grades": {"easy": graded(easy), "hard": graded(hard)},
        "commit": "0123456789abcdef",
        "dirty": False,
        "hardware": None,
        "load_average": None,
        "date": "2026-01-02",
    }


def finished(folder: Path, told: dict) -> int:
    """Leave what a search does, with its evaluation; the exit code."""
    (folder / "evaluation.json").write_text(json.dumps(told))
    (folder / "planning.json").write_text(json.dumps(row()["attempts"]))
    git = {"commit": "0123456789abcdef", "dirty": False}
    (folder / "config.json").write_text(
        json.dumps({"format": 1, "system": "devi", "seed": 0, "config": {}, "git": git, "machine": None})
    )
    return 0


def system_of(arm):
    flags = ["--clip=hammer-rough", *AblationJob(arm, "hammer", 0).flags]
    return read_options(flags, read_early(flags)).run


def test_the_schedule_has_every_arm_of_a_clip_side_by_side_a_seed_of_everything_first():
    jobs = schedule()
    of_each = len(ARMS) + len(OF_DEGRADED) * (len(TRACKS) - 1)
    assert len(jobs) == len({job.name for job in jobs}) == len(CLIPS) * of_each * SEEDS
    assert [job.arm for job in jobs[: len(ARMS)]] == list(ARMS) and len({job.clip for job in jobs[: len(ARMS)]}) == 1
    assert [job.seed for job in jobs] == sorted(job.seed for job in jobs)
    assert {(job.arm, job.tracks) for job in schedule(tracks=("hidden",))} == {(arm, "hidden") for arm in OF_DEGRADED}
    with pytest.raises(ConfigError, match="blurred"):
        schedule(tracks=("blurred",))
    with pytest.raises(ConfigError) as caught:
        schedule(("hamer",))
    assert "hammer" in caught.value.valid


def test_arms_differ_in_what_is_rewarded_and_in_nothing_else():
    runs = {arm: system_of(arm) for arm in ARMS}
    rewards = {arm: {k: r for k, r in run.system.rewards.items() if r.weight} for arm, run in runs.items()}
    assert set(rewards["2D"]) - set(rewards["contact"]) == {"object_2d"}
    assert set(rewards["6-DoF"]) - set(rewards["contact"]) == {"object_position", "object_rotation"}
    assert set(rewards["contact"]) - set(rewards["human"]) == {"contact_force", "contact_distance"}
    assert set(rewards["human"]) < set(rewards["2D"])
    for run in runs.values():
        assert run.plan == "only" and run.system.planner.rank == "reward" and run.root == "pinned"
        assert not run.system.terminations["object_pixels"].on
        assert run.system.planner == runs["2D"].system.planner
        assert run.system.controllers == runs["2D"].system.controllers


def test_a_difference_is_the_mean_over_pairs_and_its_interval_one_over_clips():
    gaps = {"hammer": (0.3, 0.1), "push_box": (-0.1, 0.1), "lift_ball": (0.2, 0.0)}
    rows = [row(clip, "2D", seed, 0.5 + gap) for clip, of in gaps.items() for seed, gap in enumerate(of)]
    rows += [row(clip, "contact", seed, 0.5) for clip, of in gaps.items() for seed in range(len(of))]
    found = difference(rows, "2D", "contact", "easy")
    assert (found.pairs, found.clips) == (6, 3) and found.mean == pytest.approx(0.1)
    # of clips whose means are 0.2, 0.0 and 0.1 one sample in 27 is thrice the least: more than 2.5 %
    assert found.low == pytest.approx(0.0, abs=1e-9) and found.high == pytest.approx(0.2)
    # of four clips it is one in 256, and less
    apart = [
        row(f"clip{i}", arm, 0, rate)
        for i, rate in enumerate((0.0, 0.0, 0.0, 1.0))
        for arm, rate in (("2D", rate), ("contact", 0.0))
    ]
    wide = difference(apart, "2D", "contact", "easy")
    # (3/4)^4 of the samples lack the fourth clip; one in 256 has nothing else, 13 in 256 thrice or more
    assert (wide.low, wide.high) == (0.0, 0.75) and wide.mean == 0.25
    assert difference(rows, "2D", "6-DoF", "easy") is None
    # of one seed only one arm was searched: no pair
    assert difference([*rows, row("hat", "2D", 7)], "2D", "contact", "easy") == found


def test_a_clip_whose_replay_succeeds_does_not_count():
    rows = [row("hammer", replay=0.3), row("push_box", replay=0.31)]
    assert [r["clip"] for r in counting(rows)] == ["hammer"]


def test_where_no_plan_was_better_the_clips_own_targets_are_what_was_found():
    kept = row(easy=0.5)
    kept |= {"best": "follow", "grades": {g: {"success": {"follow": 0.25}} for g in ("easy", "hard")}}
    assert plan_rate(row(easy=0.5), "easy") == 0.5 and plan_rate(kept, "easy") == 0.25


def test_the_page_says_by_how_much_and_what_was_not_run():
    rows = [row("hammer", arm, seed, easy) for arm, easy in (("2D", 0.6), ("contact", 0.4)) for seed in range(2)]
    text = page(rows, YOUNG)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert ["contact", "exact", "easy", "2", "1", "+20", "one clip has none"] in lines
    assert ["6-DoF", "exact", "easy", "0", "0", "not run", "-"] in lines
    assert ["hammer", "exact", "-", "yes", "2", "60 / 10", "-", "40 / 10", "-", "0 / 0", "0 / 0"] in lines
    assert page(rows[::-1], YOUNG) == text
    rows += [row("hammer", arm, s, easy, tracks="noise") for arm, easy in (("2D", 0.3), ("6-DoF", 0.2)) for s in (0, 1)]
    text = page(rows, YOUNG)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert ["6-DoF", "noise", "easy", "2", "1", "+10", "one clip has none"] in lines
    assert ["6-DoF", "exact", "easy", "0", "0", "not run", "-"] in lines
    wanted = ["hammer", "noise", "15 mm, 0.10 rad", "yes", "2", "30 / 10", "20 / 10", "-", "-", "0 / 0", "0 / 0"]
    assert wanted in lines
    assert "Not run yet." in page([], YOUNG)


def test_a_plan_by_degraded_tracks_is_judged_by_the_recorded_poses(tmp_path, young, monkeypatch):
    calls = []

    def run_logged(command, log):
        calls.append(command)
        folder = log.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        side = {"exact": {"success": True, "mpjpe_all_mm": 9.0}, "perturbed": {"success_rate": 0.5}}
        told = {"plan": side, "reference": side, "nothing": side, "grades": row(easy=0.9)["grades"]}
        if "devi_jax.evaluate" in command:
            told["truth"] = {**side, "grades": row(easy=0.25)["grades"]}
        return finished(folder, told)

    monkeypatch.setattr(training_result, "run_logged", run_logged)
    monkeypatch.setattr(ablation_jobs, "run_logged", run_logged)
    where = [f"--runs={tmp_path / 'runs'}", f"--out={tmp_path / 'docs' / 'ablation'}"]
    main(["ablation", "--clips", "hammer", "--tracks", "noise", "--seeds=1", *where])
    train, judge, *other = calls
    (source,) = [Path(word.removeprefix("--clip=")) for word in train if word.startswith("--clip=")]
    assert source in [Path(word.removeprefix("--clip=")) for word in other[0]], "both arms get the same tracks"
    assert Path(judge[-1].removeprefix("--truth=")) == bundled()["hammer-rough"]
    found = load_clip(source)
    kept = json.loads((tmp_path / "docs" / "ablation" / "hammer-2D-noise-0.json").read_text())
    assert kept["grades"]["easy"]["success"]["plan"] == 0.25 and kept["tracks"] == "noise"
    assert kept["poses_off"] == found.provenance["degraded"]["poses_off"]


def test_missing_plans_are_searched_once_and_what_fails_says_why(tmp_path, young, monkeypatch, capsys):
    calls = []

    def run_logged(command, log):
        calls.append(log.stem)
        folder = log.with_suffix("")
        folder.mkdir(parents=True)
        if len(calls) == 2:
            log.write_text("error: no room on the disk\n")
            return 2
        side = {"exact": {"success": True, "mpjpe_all_mm": 9.0}, "perturbed": {"success_rate": 0.5}}
        told = {"plan": side, "reference": side, "nothing": side, "grades": row()["grades"]}
        return finished(folder, told)

    monkeypatch.setattr(training_result, "run_logged", run_logged)
    where = [f"--runs={tmp_path / 'runs'}", f"--out={tmp_path / 'docs' / 'ablation'}"]
    main(["ablation", "--clips", "hammer", "--tracks", "exact", "--limit=2", *where])
    said = capsys.readouterr().out
    assert calls == ["hammer-2D-0", "hammer-6-DoF-0"] and "no room on the disk" in said
    kept = json.loads((tmp_path / "docs" / "ablation" / "hammer-2D-0.json").read_text())
    assert kept["plan"]["exact"] == {"success": True, "mpjpe_all_mm": 9.0} and len(kept["attempts"]) == 2
    main(["ablation", "--clips", "hammer", "--tracks", "exact", "--list", *where])
    assert capsys.readouterr().out.split()[:4] == ["done", "hammer-2D-0", "begun", "hammer-6-DoF-0"]
    assert len(calls) == 2
