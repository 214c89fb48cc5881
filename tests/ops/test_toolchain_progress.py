"""What is seen of long work, on a terminal and in a log."""

from __future__ import annotations

import io
import time

import pytest

from ops.toolchain.progress import LINE_EVERY, Bar, Lines, clock, shown


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_the_phases_and_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log = io.StringIO()
    with shown(log) as progress:
        assert isinstance(progress, Lines)
        progress.phase("Compiling pulumi")
        for done in range(1, 41):
            now += 1
            progress.step(done, 40, f"example.org/{done}")
    assert log.getvalue().splitlines() == ["Compiling pulumi ...", "  0:15  15 of 40  example.org/15", "  0:30  30 of 40  example.org/30"]
    assert LINE_EVERY == 15


def test_a_count_without_an_end_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log = io.StringIO()
    progress = Lines(log)
    now = 75.0
    progress.step(3, None, "example.org/three")
    assert log.getvalue() == "  1:15  3  example.org/three\n"


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    screen = Terminal()
    with shown(screen) as progress:
        assert isinstance(progress, Bar)
        progress.say("Building [Pulumi]")
        progress.phase("Compiling [pulumi]")
        progress.step(7, 1646, "example.org/[seven]")
    drawn = screen.getvalue()
    for part in ("Building [Pulumi]", "Compiling [pulumi]", "7/1646", "example.org/[seven]"):
        assert part in drawn
    assert drawn.endswith("\x1b[2K")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "60:00")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
