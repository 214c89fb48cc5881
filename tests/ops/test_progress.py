"""Progress: what is on the screen, in the log and in the stream while a run goes on."""

from __future__ import annotations

import io
import json
import os
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from ops.progress import Progress, Silent, choose
from ops.progress.live import LiveProgress
from ops.progress.plain import PlainProgress
from ops.progress.stream import JsonProgress
from ops.report import Outcome, ResourceError, Result, Tense

SHOW = "\x1b[?25h"
ERROR = ResourceError(urn="u", type="aws:rds/instance:Instance", name="database", message="InvalidParameterCombination")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def wall() -> datetime:
    return datetime(2026, 11, 21, 9, 30, 5, 123456, tzinfo=UTC)


def urn(name: str, type_: str = "aws:sqs/queue:Queue") -> str:
    return f"urn:pulumi:dev::data::payments:data:Queue${type_}::{name}"


def drive(progress: Progress, clock: Clock) -> None:
    """Networking done, data half-way with five steps running and one that failed, app not to start."""
    progress.stack_started("networking", "dev")
    progress.resource_started("networking", urn("vpc"), "aws:ec2/vpc:Vpc", "main", "create")
    clock.now = 4.0
    progress.resource_done("networking", urn("vpc"), "create", failed=False)
    progress.stack_done(Result(project="networking", stack="dev", outcome=Outcome.SUCCEEDED, seconds=12.3, changes={"create": 63, "same": 2}))
    progress.stack_started("data", "dev")
    for index, (name, op) in enumerate([("audit", "create"), ("sessions", "update"), ("old", "delete"), ("key", "same")]):
        progress.resource_started("data", urn(name), "aws:sqs/queue:Queue", name, op)
        progress.resource_done("data", urn(name), op, failed=False)
        clock.now = 5.0 + index
    for name in ("documents", "database", "cache", "replica", "secret"):
        progress.resource_started("data", urn(name), "aws:sqs/queue:Queue", name, "create")
        clock.now += 1.0
    progress.resource_done("data", urn("cache"), "create", failed=True)
    progress.stack_done(Result(project="app", stack="dev", outcome=Outcome.EARLY_EXIT, cause="not started, because data failed", because_of="data"))


def tree_of(progress: LiveProgress, width: int, **options: Any) -> list[str]:
    console = Console(record=True, width=width, file=io.StringIO(), **options)
    console.print(progress.tree())
    return [line.rstrip() for line in console.export_text().splitlines()]


def live(clock: Clock, **options: Any) -> LiveProgress:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    return LiveProgress(console, title="deploy dev on local", projects=["networking", "data", "app", "observability"], clock=clock, **options)


def test_the_tree_shows_counts_what_runs_and_for_how_long() -> None:
    clock = Clock()
    progress = live(clock)
    drive(progress, clock)
    clock.now = 20.0
    lines = tree_of(progress, 100)
    assert lines == [
        "deploy dev on local  20.0 s",
        "├── ✓ networking     succeeded  12.3 s  63 created, 2 unchanged",
        "├── ⠋ data           16.0 s  1 created, 1 updated, 1 deleted, 1 unchanged",
        "│   ├── failed creating aws:sqs/queue:Queue cache",
        "│   ├── 12.0 s  creating aws:sqs/queue:Queue documents",
        "│   ├── 11.0 s  creating aws:sqs/queue:Queue database",
        "│   ├── 9.0 s  creating aws:sqs/queue:Queue replica",
        "│   └── and 1 more",
        "├── » app            early exit  not started, because data failed",
        "└──   observability  waiting",
    ]


def test_a_narrow_terminal_cuts_lines_and_never_wraps_them() -> None:
    clock = Clock()
    progress = live(clock)
    drive(progress, clock)
    clock.now = 20.0
    lines = tree_of(progress, 60)
    assert len(lines) == 10
    assert max(map(len, lines)) <= 60
    assert lines[1] == "├── ✓ networking     succeeded  12.3 s  63 created, 2 uncha…"
    assert "│   ├── 12.0 s  creating aws:sqs/queue:Queue documents" in lines


def test_the_tree_moves_on_as_steps_end() -> None:
    clock = Clock()
    progress = live(clock, tense=Tense.PLANNED)
    drive(progress, clock)
    progress.resource_done("data", urn("documents"), "create", failed=False)
    lines = tree_of(progress, 100)
    assert "2 to create, 1 to update, 1 to delete, 1 unchanged" in lines[2]
    assert not any("documents" in line for line in lines)
    assert not any("more" in line for line in lines)
    progress.stack_done(Result(project="data", stack="dev", outcome=Outcome.FAILED, seconds=16, errors=(ERROR,)))
    lines = tree_of(progress, 160)
    assert lines[2].startswith("├── ✗ data           failed  16.0 s  2 to create")
    assert lines[2].endswith("aws:rds/instance:Instance database: InvalidParameterCombination")
    assert lines[3] == "│   └── failed creating aws:sqs/queue:Queue cache", "nothing runs in a stack that has ended"


def test_a_replacement_is_counted_once_though_the_engine_reports_its_parts() -> None:
    clock = Clock()
    progress = live(clock)
    progress.stack_started("data", "dev")
    for op in ("create-replacement", "replace", "delete-replaced"):
        progress.resource_started("data", urn("audit"), "aws:sqs/queue:Queue", "audit", op)
        progress.resource_done("data", urn("audit"), op, failed=False)
    assert tree_of(progress, 100)[2].endswith(" 1 replaced")


def test_signs_are_plain_where_the_terminal_knows_ascii_only() -> None:
    clock = Clock()
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    progress = LiveProgress(Console(file=file, force_terminal=True, width=100), clock=clock)
    drive(progress, clock)
    console = Console(file=file, width=100)
    console.print(progress.tree())
    file.flush()
    assert "+-- + networking  succeeded" in raw.getvalue().decode("ascii")


def test_events_from_many_threads_are_all_counted_while_the_tree_is_painted() -> None:
    file = Terminal()
    progress = LiveProgress(Console(file=file, force_terminal=True, width=100))
    go = threading.Barrier(5)

    def stack(project: str) -> None:
        progress.stack_started(project, "dev")
        go.wait(20)
        for index in range(200):
            progress.resource_started(project, urn(str(index)), "t", str(index), "create")
            progress.resource_done(project, urn(str(index)), "create", failed=False)
        progress.stack_done(Result(project=project, stack="dev", outcome=Outcome.SUCCEEDED, seconds=1))

    threads = [threading.Thread(target=stack, args=(f"p{n}",)) for n in range(4)]
    with progress:
        for thread in threads:
            thread.start()
        go.wait(20)
        while any(thread.is_alive() for thread in threads):
            progress.tree()
        for thread in threads:
            thread.join()
    last = file.getvalue().rsplit("running", 1)[-1]
    assert last.count("200 created") == 4
    assert file.getvalue().rstrip().endswith(SHOW)


def written(progress: Callable[[io.StringIO], Progress], clock: Clock) -> list[str]:
    file = io.StringIO()
    made = progress(file)
    drive(made, clock)
    made.note("data", "waiting for\nthe database")
    made.note("", "\x1b[1mall together\x1b[0m")
    return file.getvalue().splitlines()


def test_plain_lines_of_a_run() -> None:
    clock = Clock()
    assert written(lambda file: PlainProgress(file, clock=clock, now=wall), clock) == [
        "09:30:05Z [networking] started (stack dev)",
        "09:30:05Z [networking] created aws:ec2/vpc:Vpc main (4.0 s)",
        "09:30:05Z [networking] succeeded in 12.3 s: 63 created, 2 unchanged",
        "09:30:05Z [data] started (stack dev)",
        "09:30:05Z [data] created aws:sqs/queue:Queue audit",
        "09:30:05Z [data] updated aws:sqs/queue:Queue sessions",
        "09:30:05Z [data] deleted aws:sqs/queue:Queue old",
        "09:30:05Z [data] FAILED creating aws:sqs/queue:Queue cache (3.0 s)",
        "09:30:05Z [app] early exit: not started, because data failed",
        "09:30:05Z [data] waiting for",
        "09:30:05Z [data] the database",
        "09:30:05Z all together",
    ]


def test_the_heartbeat_says_what_runs() -> None:
    clock, file = Clock(), io.StringIO()
    progress = PlainProgress(file, clock=clock, now=wall)
    progress.beat()
    assert file.getvalue() == "", "no news of a run in which nothing runs"
    drive(progress, clock)
    clock.now = 20.0
    progress.beat()
    queue = "creating aws:sqs/queue:Queue"
    what = f"data ({queue} documents 12.0 s, {queue} database 11.0 s, {queue} replica 9.0 s, and 1 more)"
    assert file.getvalue().splitlines()[-1] == f"09:30:05Z still running after 20.0 s: {what}"


def test_the_heart_beats_by_itself_and_stops_at_the_end() -> None:
    file = io.StringIO()
    with PlainProgress(file, heartbeat=0.01) as progress:
        progress.stack_started("data", "dev")
        deadline = time.monotonic() + 20
        while "still running" not in file.getvalue() and time.monotonic() < deadline:
            time.sleep(0.005)
    ended = file.getvalue()
    assert re.search(r"Z still running after \d+\.\d s: data$", ended, re.MULTILINE)
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


def test_a_resource_that_was_never_seen_to_start_is_named_by_its_urn() -> None:
    file = io.StringIO()
    PlainProgress(file, now=wall).resource_done("data", urn("audit"), "create", failed=False)
    assert file.getvalue() == "09:30:05Z [data] created aws:sqs/queue:Queue audit\n"


def test_the_stream_is_one_object_a_line() -> None:
    clock = Clock()
    events = [json.loads(line) for line in written(lambda file: JsonProgress(file, now=wall), clock)]
    assert {event["time"] for event in events} == {"2026-11-21T09:30:05.123Z"}
    assert events[1] == {
        "time": "2026-11-21T09:30:05.123Z",
        "event": "resource_started",
        "project": "networking",
        "urn": urn("vpc"),
        "type": "aws:ec2/vpc:Vpc",
        "name": "main",
        "op": "create",
    }
    assert {event["event"] for event in events} == {"stack_started", "resource_started", "resource_done", "note", "stack_done"}
    assert [event["urn"] for event in events if event.get("failed")] == [urn("cache")]
    done = next(event for event in events if event["event"] == "stack_done")
    assert done["result"]["changes"] == {"create": 63, "update": 0, "replace": 0, "delete": 0, "same": 2}
    assert events[-2]["message"] == "waiting for\nthe database"
    assert events[-1]["message"] == "all together"


def test_a_reader_that_goes_away_does_not_stop_the_run() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as file:
        progress = JsonProgress(file)
        progress.stack_started("data", "dev")
        progress.stack_done(Result(project="data", stack="dev", outcome=Outcome.SUCCEEDED))
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # so that closing has somewhere to flush to


CHOICES: list[tuple[Console, set[str], type[Progress]]] = [
    (Console(file=Terminal(), force_terminal=True), {"json"}, Silent),
    (Console(file=Terminal(), force_terminal=True), {"json", "stream"}, Silent),
    (Console(file=Terminal(), force_terminal=True), {"stream"}, JsonProgress),
    (Console(file=Terminal(), force_terminal=True, _environ={"NO_COLOR": "1"}), set(), LiveProgress),
    (Console(file=Terminal(), force_terminal=True), set(), LiveProgress),
    (Console(file=Terminal(), force_interactive=False), set(), PlainProgress),
    (Console(file=io.StringIO()), set(), PlainProgress),
    (Console(file=io.StringIO(), force_terminal=True), set(), PlainProgress),  # FORCE_COLOR in a log
]


@pytest.mark.parametrize(("console", "options", "kind"), CHOICES)
def test_the_progress_that_fits(console: Console, options: set[str], kind: type[Progress], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert type(choose(console, json="json" in options, stream="stream" in options)) is kind


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose(Console(file=Terminal(), force_terminal=True), json=False, stream=False), PlainProgress)


def test_without_a_console_stderr_decides_and_stdout_stays_free(capsys: pytest.CaptureFixture[str]) -> None:
    with choose(json=False, stream=False) as progress:
        assert isinstance(progress, PlainProgress)
        drive(progress, Clock())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "[networking] succeeded" in captured.err


def test_the_stream_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with choose(json=False, stream=True) as progress:
        progress.note("", "hello")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["message"] == "hello"
    assert captured.err == ""


def test_silence(capfd: pytest.CaptureFixture[str]) -> None:
    with choose(json=True, stream=False) as progress:
        drive(progress, Clock())
        progress.note("", "hello")
    assert capfd.readouterr() == ("", "")
