"""Progress on a real pseudo-terminal: the tree lives there, stays, and the cursor comes back."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"

ON_A_TERMINAL = """
import fcntl, sys, termios, time
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
from ops.progress import choose
from ops.report import Outcome, Result
try:
    with choose(json=False, stream=False, title="deploy dev on local", projects=["networking", "data"]) as progress:
        progress.stack_started("networking", "dev")
        progress.resource_started("networking", "urn", "aws:ec2/vpc:Vpc", "main", "create")
        progress.note("networking", "a word above the tree")
        print("a result")
        if sys.argv[1] == "wait":
            time.sleep(30)
        time.sleep(0.3)
        progress.resource_done("networking", "urn", "create", False)
        progress.stack_done(Result(project="networking", stack="dev", outcome=Outcome.SUCCEEDED, seconds=2, changes={"create": 1}))
except KeyboardInterrupt:
    sys.exit(130)
"""


def on_a_terminal(argument: str, until: str = "", keys: bytes = b"", **environment: str) -> tuple[int, str, str]:
    """A run on a real pseudo-terminal of 70 columns; its exit code, what the terminal got and what stdout, a pipe, got."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    env = {k: v for k, v in os.environ.items() if k not in unset} | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, argument], cwd=ROOT, env=env, stdin=slave, stderr=slave, stdout=subprocess.PIPE, start_new_session=True
    )
    os.close(slave)
    got, sent, deadline = b"", not keys, time.monotonic() + 40
    try:
        while time.monotonic() < deadline and select.select([master], [], [], deadline - time.monotonic())[0]:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not chunk:
                break
            got += chunk
            if not sent and until in got.decode(errors="ignore"):
                os.write(master, keys)
                sent = True
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        os.close(master)
    return process.returncode, got.decode(), out.decode()


def bare(text: str) -> list[str]:
    """The lines without colours and movements of the cursor."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").splitlines()]


def test_on_a_real_terminal_the_tree_lives_stays_and_gives_the_cursor_back() -> None:
    code, screen, out = on_a_terminal("end")
    assert code == 0
    assert out == "a result\n", "stdout is not the terminal and holds results alone"
    assert screen.count(HIDE) == screen.count(SHOW) == 1
    assert screen.index(HIDE) < screen.index("creating aws:ec2/vpc:Vpc main") < screen.index(SHOW)
    assert screen.count("deploy dev on local") > 2, "it was painted several times"
    lines = bare(screen)
    assert "networking: a word above the tree" in lines
    assert "├── ✓ networking  succeeded  2.0 s  1 created" in lines
    last = bare(screen.rsplit("deploy dev on local", 1)[-1])
    assert "├── ✓ networking  succeeded  2.0 s  1 created" in last, "the final tree stays"
    assert "└──   data        waiting" in last


def test_ctrl_c_on_a_real_terminal_gives_the_cursor_back() -> None:
    code, screen, _ = on_a_terminal("wait", until="creating aws:ec2/vpc:Vpc main", keys=b"\x03")
    assert code == 130
    assert screen.rindex(SHOW) > screen.rindex(HIDE)
    last = bare(screen.rsplit("deploy dev on local", 1)[-1])
    assert any(re.fullmatch(r"├── \? networking  broken off  \d+\.\d s", line) for line in last)


def test_no_color_keeps_the_tree_and_drops_the_colours() -> None:
    code, screen, _ = on_a_terminal("end", NO_COLOR="1")
    assert code == 0
    assert "├── ✓ networking  succeeded  2.0 s  1 created" in bare(screen)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", screen)


def test_a_dumb_terminal_sees_no_cursor_movement() -> None:
    code, screen, _ = on_a_terminal("end", TERM="dumb")
    assert code == 0
    assert "\x1b" not in screen
    assert "[networking] succeeded in 2.0 s: 1 created" in screen
