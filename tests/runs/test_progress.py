"""Progress in lines for a pipe, in place on a terminal, with the time left."""

import io
import re

import pytest
from rich.console import Console

from devi_jax.runs.progress import Bar, RunProgress, Steps


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def plain(text: str) -> str:
    """What was written without the terminal's control codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_pipe_gets_lines_now_and_then_and_the_last_one(capsys):
    clock = Clock()
    with RunProgress(every_s=6.0, now=clock) as shown:
        for i in range(16):
            shown.update((i + 1) / 16, [("hand", 12.5, "mm"), ("reward", 0.1 * i, "")])
            clock.s += 2
    lines = capsys.readouterr().out.splitlines()
    assert [line[:6] for line in lines] == ["[  6%]", "[ 25%]", "[ 44%]", "[ 62%]", "[ 81%]", "[100%]"]
    assert lines[0].endswith("left --:--  hand 12.5 mm  reward 0")
    assert lines[1].endswith("left 00:24  hand 12.5 mm  reward 0.3")
    assert lines[5].endswith("left 00:00  hand 12.5 mm  reward 1.5")


def test_stdout_that_is_no_terminal_is_plain_and_never_wrapped(capsys):
    clock, long = Clock(), "physics: C MuJoCo :smile: [bold]" + 30 * " and more"
    with RunProgress(now=clock) as shown:
        shown.announce(long)
        with shown.compiling("the training step"):
            assert capsys.readouterr().out == f"{long}\ncompiling the training step ..."
            clock.s = 23.4
        shown.update(1.0, [])
    assert capsys.readouterr().out == " 23 s\n[100%] left 00:00  \n"


def test_a_terminal_gets_a_bar_and_a_table():
    clock, screen = Clock(), io.StringIO()
    with RunProgress(Console(file=screen, force_terminal=True, width=80), now=clock) as shown:
        with shown.compiling("the step"):
            clock.s = 100.0
            shown._bar.refresh()
            assert "compiling the step ... 100 s" in screen.getvalue()
        shown.update(0.25, [("body", 31.4159, "mm")])
        clock.s = 130.0
        shown.update(0.5, [("body", 30.0, "mm")])
        shown.announce("success")
    last = plain(screen.getvalue()).split("success")[1]
    assert "50%" in last and "left 01:00" in last and "30" in last and "mm" in last


def test_the_time_left_ignores_what_came_before_the_first_update_and_before_a_new_beginning():
    clock = Clock()
    bar = Bar(Console(file=io.StringIO()), clock, disable=True)
    seen = []
    for at, done in ((100, 0.2), (110, 0.4), (130, 0.8), (7300, 0.1), (7310, 0.101), (7320, 0.6)):
        clock.s = at
        bar.show(done)
        seen.append(bar.left)
    assert seen == ["--:--", "00:30", "00:10", "--:--", "2:29:50", "00:16"]


def test_steps_are_a_line_each_and_keep_their_times(capsys):
    times = iter([0.0, 1.5, 2.0, 2.25, 3.0])
    step = Steps(lambda: next(times))
    with step("scene") as say:
        say("a can")
        say("on a table")
    with step("motion"):
        pass
    with pytest.raises(ValueError), step("video"):
        raise ValueError
    lines = ["scene         1.5 s  a can; on a table", "motion        0.2 s", "video     "]
    assert capsys.readouterr().out.splitlines() == lines
    assert step.seconds == {"scene": 1.5, "motion": 0.25}


def test_a_steps_bar_is_for_terminals_and_gone_in_the_end(capsys, monkeypatch):
    times = iter([0.0, 1.0, 2.0, 3.0])
    with Steps(lambda: next(times))("points") as step:
        step.part(0.5)
    assert "%" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    clock = Clock()
    with Steps(clock)("points") as step:
        step.part(0.5)
        clock.s = 3.0
        step.part(0.75)
        assert step._bar is not None
        step._bar.refresh()
        step("done")
    drawn = plain(capsys.readouterr().out).split("\r")
    assert "50% left --:--" in drawn[1] and any("75% left 00:03" in line for line in drawn)
    assert drawn[-1] == "points        3.0 s  done\n"


def test_a_step_that_breaks_off_leaves_no_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(ValueError), Steps()("points") as step:
        step.part(0.5)
        raise ValueError
    print("after")
    assert capsys.readouterr().out.endswith("points    \nafter\n")
