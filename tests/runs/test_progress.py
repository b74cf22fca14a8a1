"""Progress in lines for a pipe, in place on a terminal, with the time left."""

import io

import pytest
from rich.console import Console

from devi_jax.runs.progress import LiveProgress, Pace, PlainProgress, Steps, clock, progress


def test_a_pipe_gets_lines_now_and_then_and_the_last_one(capsys):
    times = iter(float(t) for t in range(100))
    with PlainProgress(every_s=6.0, now=lambda: next(times)) as shown:
        for i in range(11):
            shown.update(i / 10, [("hand", 12.5, "mm"), ("reward", 0.1 * i, "")])
    lines = capsys.readouterr().out.splitlines()
    # The clock ticks twice an update, so every third update is printed, and at last the one held back.
    assert [line[:6] for line in lines] == ["[  0%]", "[ 30%]", "[ 60%]", "[ 90%]", "[100%]"]
    assert lines[1].endswith("left 0:14  hand 12.5 mm  reward 0.3")


def test_stdout_that_is_no_terminal_is_plain(capsys):
    with progress() as shown:
        assert isinstance(shown, PlainProgress)
        shown.announce("physics: C MuJoCo")
        with shown.compiling("the training step"):
            pass
        shown.update(1.0, [])
    assert capsys.readouterr().out.splitlines()[:2] == ["physics: C MuJoCo", "compiling the training step ... 0 s"]


def test_a_terminal_gets_a_bar_and_a_table():
    screen = io.StringIO()
    with progress(Console(file=screen, force_terminal=True, width=80)) as shown:
        assert isinstance(shown, LiveProgress)
        with shown.compiling("the step"):
            pass
        shown.update(0.25, [("body", 31.4159, "mm")])
    text = screen.getvalue()
    assert "compiling the step ... 0 s" in text
    assert "25%" in text and "31.42" in text and "mm" in text


def test_the_time_left_ignores_what_came_before_the_first_update():
    times = iter([100.0, 110.0, 130.0])
    pace = Pace(lambda: next(times))
    assert pace.left_s(0.2) is None
    assert pace.left_s(0.4) == pytest.approx(30.0)
    assert pace.left_s(0.8) == pytest.approx(10.0)


def test_clock_reads_like_a_clock():
    assert [clock(s) for s in (None, 0.0, 59.6, 3723.0)] == ["-", "0:00", "1:00", "1:02:03"]


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
    times = iter([0.0, 1.0, 2.0, 3.0])
    with Steps(lambda: next(times))("points") as step:
        step.part(0.5)
        step.part(0.75)
        step("done")
    drawn = capsys.readouterr().out.split("\r")
    assert " 50%  left -" in drawn[1] and " 75%  left 0:01" in drawn[2]
    assert drawn[-1].removeprefix("\x1b[K") == "points        3.0 s  done\n"
