"""What stands between a task and whoever typed it: no mistake and no interruption of theirs is answered with a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from ops.command_line import number, told
from ops.engine import EngineError
from ops.options import options
from shared.page import ROOT


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (EOFError(), 2, "error: the input ended before there was an answer; nothing was touched"),
        (EngineError("passphrase must be set"), 1, "error: passphrase must be set"),
        (PermissionError(13, "Permission denied", "/etc/x"), 1, "error: /etc/x: Permission denied"),
        (OSError("the wire is cut"), 1, "error: the wire is cut"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_ends_a_task_from_outside_is_a_line_and_an_exit_code(error: BaseException, code: int, said: str) -> None:
    @told
    def task() -> None:
        raise error

    with pytest.raises(Exit) as ended:
        task()
    assert (ended.value.code, ended.value.message) == (code, said)


def test_a_mistake_of_our_own_keeps_its_traceback_and_what_was_decided_its_code() -> None:
    @told
    def broken() -> None:
        raise KeyError("no such thing")

    @told
    def decided() -> None:
        raise Exit(code=7)

    with pytest.raises(KeyError):
        broken()
    with pytest.raises(Exit) as ended:
        decided()
    assert ended.value.code == 7


def test_a_task_keeps_its_name_options_and_description() -> None:
    import inspect

    import tasks

    assert list(inspect.signature(tasks.unlock.body).parameters) == ["_", "env", "target", "suffix", "host"]
    assert tasks.unlock.name == "unlock"
    assert tasks.unlock.__doc__ == "Break the locks that killed engines left, and say who held them."


@pytest.mark.parametrize(("given", "found"), [("0", 0), ("8080", 8080), ("65535", 65535)])
def test_a_number_is_taken(given: str, found: int) -> None:
    assert number("--port", given, int, 0, 65535) == found


@pytest.mark.parametrize("given", ["abc", "", "1.5", "-1", "65536"])
def test_what_is_no_such_number_is_refused(given: str) -> None:
    with pytest.raises(Exit) as ended:
        number("--port", given, int, 0, 65535)
    assert (ended.value.code, ended.value.message) == (2, f"error: --port {given}: a number from 0 to 65535")


@pytest.mark.parametrize("given", ["nan", "inf", "-0.1"])
def test_what_is_no_length_of_time_is_refused(given: str) -> None:
    with pytest.raises(Exit):
        number("--idle", given, float, 0, 86400)


@pytest.mark.parametrize(
    ("named", "written"),
    [
        (("dev",), "--env dev"),
        (("dev", "", "local"), "--env dev --target local"),
        (("dev", "pr42", "aws"), "--env dev --suffix pr42"),
        (("dev", "pr42", "local"), "--env dev --suffix pr42 --target local"),
    ],
)
def test_an_environment_is_named_by_its_options(named: tuple[str, ...], written: str) -> None:
    assert options(*named) == written


def test_the_options_of_an_environment_are_written_in_one_place() -> None:
    root = Path(__file__).parents[2]
    sources = [*(root / "ops").glob("**/*.py"), *(root / "projects").glob("**/*.py"), *(root / "shared").glob("**/*.py")]
    written = {path.relative_to(root).as_posix() for path in sources if "--suffix {" in path.read_text() or "--env {pulumi" in path.read_text()}
    # The last is a rule about names, in words.
    assert written == {"ops/options.py", "shared/stack.py", "ops/new_environment.py"}


@pytest.mark.parametrize("command", [["--list"], ["--help", "deploy"], ["environments", "--json"]], ids=" ".join)
def test_a_reader_that_went_away_is_told_nothing(command: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    invoke = Path(sys.executable).with_name("invoke")
    done = subprocess.run(
        [invoke, *command], stdout=theirs, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, "")
