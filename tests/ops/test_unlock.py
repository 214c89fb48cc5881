"""Which locks may be broken, and what is said of each: nobody knows whether another host's process is alive but who says so."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import commands
from ops import run as runs
from ops.engine import Stack
from ops.progress import Silent
from ops.run import Request
from ops.session import Session
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace

HERE = socket.gethostname()
GONE = 2**22 + 1  # above the highest process id that Linux gives
ELSEWHERE = f"not-{HERE}"
UNKNOWN = f"kept: it was made on another host, and nobody here can tell whether its process is alive. Once you know that it is not, add: --host {ELSEWHERE}"
Capture = pytest.CaptureFixture[str]
Locked = Callable[..., list[str]]


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locked:
    """Puts locks, as (process, host), on dev's stack of networking; answers the stacks that the engine is asked to free."""

    def make(*held: tuple[int, str]) -> list[str]:
        folder = tmp_path / ".pulumi" / "locks" / "organization" / "networking" / "dev"
        folder.mkdir(parents=True)
        for number, (pid, host) in enumerate(held):
            (folder / f"{number}.json").write_text(json.dumps({"pid": pid, "hostname": host, "timestamp": "10:00"}))
        freed: list[str] = []
        monkeypatch.setattr(Stack, "cancel", lambda stack: freed.append(stack.project.name))
        cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
        session = Session(open_workspace("dev", target="local"), Target("local", {}, tmp_path, None, tmp_path), cli, Silent())
        monkeypatch.setattr(runs, "prepare", lambda *_: session)
        return freed

    return make


def unlock(capsys: Capture, **options: Any) -> tuple[int, list[str]]:
    code = commands.unlock(Request(command="unlock", env="dev", target="local"), **options)
    return code, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("held", "host", "said"),
    [
        ([(GONE, HERE)], "", ["broken: its process is no more"]),
        ([(os.getpid(), HERE)], "", [f"kept: its process is at work on this machine. Next: wait until it has ended, or end it (kill -INT {os.getpid()})"]),
        ([(os.getpid(), HERE)], HERE, ["kept: its process is at work on this machine"]),
        ([(GONE, ELSEWHERE)], "", [UNKNOWN]),
        ([(GONE, ELSEWHERE)], "another", [UNKNOWN]),
        ([(GONE, ELSEWHERE)], ELSEWHERE, [f"broken: as --host {ELSEWHERE} says that its process is no more"]),
        ([(GONE, HERE), (os.getpid(), HERE)], "", ["kept: its process is no more, but another lock", "kept: its process is at work"]),
        ([(GONE, HERE), (1, ELSEWHERE)], ELSEWHERE, ["broken: its process is no more", "broken: as --host"]),
    ],
)  # fmt: skip
def test_a_lock_is_broken_when_its_process_is_known_to_be_gone(
    locked: Locked, capsys: Capture, held: list[tuple[int, str]], host: str, said: list[str]
) -> None:
    freed = locked(*held)
    code, lines = unlock(capsys, host=host)
    broken = "broken" in said[0]
    assert (code, freed) == ((0, ["networking"]) if broken else (1, []))
    assert len(lines) == len(said)
    told = sorted(lines)
    for (pid, on), line in zip(sorted(held, key=lambda one: f"{one[0]} on {one[1]}"), told, strict=True):
        assert line.startswith(f"networking: lock of process {pid} on {on} since 10:00: ")
    assert all(any(part in line for line in lines) for part in said)


def test_nothing_that_is_locked_is_said_too(locked: Locked, capsys: Capture) -> None:
    locked()
    assert unlock(capsys) == (0, ["no stack is locked"])
