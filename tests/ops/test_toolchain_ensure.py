"""Making a CLI: the order of the attempts, what each leaves behind, and what is said when none succeeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ops.toolchain import ToolchainError, ensure, official, pins
from ops.toolchain import build as building
from ops.toolchain.look import EXECUTOR, HOST
from ops.toolchain.memory import FORGET_AFTER, Memory
from ops.toolchain.places import HERE
from tests.ops.toolchain_fakes import House, Told, house

CLOSED = "raise OSError('the network is closed')"
OPEN = "pass"
INSTALLS = """
import pathlib, sys
root, version = pathlib.Path(sys.argv[1]), sys.argv[2]
(root / "bin").mkdir()
for name in ("pulumi", "pulumi-language-python", "pulumi-language-python-exec"):
    (root / "bin" / name).write_text(f"#!/bin/sh\\necho v{version}\\n")
    (root / "bin" / name).chmod(0o755)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    made = house(tmp_path)
    monkeypatch.setenv("PATH", made.environ["PATH"])
    network(monkeypatch, probe=CLOSED)
    return made


def network(monkeypatch: pytest.MonkeyPatch, *, probe: str, install: str = INSTALLS) -> None:
    monkeypatch.setattr(official, "_PROBE", probe)
    monkeypatch.setattr(official, "_INSTALL", install)


def left_behind(home: House) -> set[str]:
    return {path.name for path in home.places.local.iterdir()} if home.places.local.exists() else set()


def test_one_that_is_there_is_taken_and_nothing_is_tried(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    told = Told()
    assert ensure(told, home.places).pulumi == home.places.bin / "pulumi"
    assert (told.said, told.phases) == ([], [])


def test_the_official_installation_comes_before_a_build(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    network(monkeypatch, probe=OPEN)
    home.put_go()
    cli = ensure(Told(), home.places)
    assert (cli.version, cli.host, cli.origin) == (official.version(), official.version(), "the project's own copy (official)")
    assert home.go_calls == []
    assert left_behind(home) == {"bin", "toolchain.json", "toolchain.lock"}


def test_a_closed_network_leads_to_a_build(home: House) -> None:
    home.put_go()
    told = Told()
    cli = ensure(told, home.places)
    assert (cli.version, cli.host, cli.origin) == ("3.250.0", "3.60.0", "the project's own copy (built from tools/)")
    assert {path.name for path in home.places.bin.iterdir()} == {"pulumi", HOST, EXECUTOR}
    assert (home.places.bin / EXECUTOR).read_text(encoding="utf-8") == "executor"
    assert left_behind(home) == {"bin", "toolchain.json", "toolchain.lock"}
    assert any("the network is closed" in line for line in told.said)


def test_a_build_uses_the_pins_and_their_packages_are_counted(home: House) -> None:
    home.put_go()
    told = Told()
    ensure(told, home.places)
    builds = [call for call in home.go_calls if call.startswith("go build")]
    assert len(builds) == 2
    assert all("-trimpath" in call and "-mod=readonly" in call and "-tags osusergo,grpcnotrace" in call for call in builds)
    assert "version.Version=v3.250.0" in builds[0]
    assert builds[0].endswith("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
    assert builds[1].endswith("github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python")
    assert told.phases[1:3] == ["Fetching the modules of pulumi 3.250.0", "Compiling pulumi 3.250.0"]
    assert told.steps[:3] == [(1, None, "example.org/one v1.0.0"), (1, 2, "example.org/one"), (2, 2, "example.org/two")]


def test_a_second_run_makes_nothing(home: House) -> None:
    home.put_go()
    first = ensure(Told(), home.places)
    calls = home.go_calls
    assert ensure(Told(), home.places) == first
    assert home.go_calls == calls


def test_a_closed_network_is_not_asked_again_until_an_hour_has_passed(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    with pytest.raises(ToolchainError, match="the network is closed"):
        ensure(told, home.places)
    network(monkeypatch, probe=OPEN)
    with pytest.raises(ToolchainError, match="tried within the last hour"):
        ensure(told, home.places)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + FORGET_AFTER + 1)
    assert ensure(told, home.places).origin == "the project's own copy (official)"


def test_retry_asks_at_once(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolchainError):
        ensure(Told(), home.places)
    network(monkeypatch, probe=OPEN)
    assert ensure(Told(), home.places, retry=True).version == official.version()


def test_a_silent_network_costs_seconds(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    network(monkeypatch, probe="import time; time.sleep(60)")
    monkeypatch.setattr(official, "_REACHED_WITHIN", 0.3)
    began = time.monotonic()
    with pytest.raises(ToolchainError, match=r"not done within 0\.3 s"):
        ensure(Told(), home.places)
    assert time.monotonic() - began < 30


def test_an_installer_that_fails_is_quoted_and_leaves_no_half(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    network(monkeypatch, probe=OPEN, install=INSTALLS + "\nsys.exit('no archive for this processor')")
    with pytest.raises(ToolchainError, match="no archive for this processor"):
        ensure(Told(), home.places)
    assert left_behind(home) == {"toolchain.json", "toolchain.lock"}


def test_an_error_lists_every_attempt_with_its_reason_and_what_works_without(home: House) -> None:
    home.put_cli(home.on_path, "3.100.0")
    with pytest.raises(ToolchainError) as failure:
        ensure(Told(), home.places)
    places = [refusal.place for refusal in failure.value.refused]
    assert places == ["on PATH", "the project's own copy", "the official installation", f"a build from {home.places.modules}"]
    said = str(failure.value)
    for expected in ("3.100.0", "1. on PATH", "4. a build", "there is no `go` on PATH; 1.26 or newer is needed", "invoke rehearse"):
        assert expected in said


@pytest.mark.parametrize(
    ("version", "toolchain", "said"),
    [
        ("1.19.3", "auto", "Go 1.19.3 is too old"),
        ("1.24", "local", "GOTOOLCHAIN=local"),
        ("1.24", "auto", ""),
        ("1.26rc1", "local", ""),
        ("1.26.8", "local", ""),
    ],
)
def test_a_go_that_is_too_old_is_said(home: House, version: str, toolchain: str, said: str) -> None:
    home.put_go(version=version, toolchain=toolchain)
    objection = building.go_objection([pins.cli(home.places)])
    assert said in objection
    assert bool(said) == bool(objection)


def test_a_build_that_fails_shows_the_compilers_words_and_leaves_no_half(home: House) -> None:
    home.put_go(then="echo '# example.org/two'; echo 'two.go:1:1: undefined: x'; exit 1")
    with pytest.raises(ToolchainError, match=r"two\.go:1:1: undefined: x"):
        ensure(Told(), home.places)
    assert list(home.places.bin.iterdir()) == []
    assert left_behind(home) == {"bin", "toolchain.json", "toolchain.lock"}


def test_a_build_whose_program_does_not_run_is_not_kept(home: House) -> None:
    home.put_go(then="printf '#!/bin/sh\\nexit 9\\n' > \"$2\"")
    with pytest.raises(ToolchainError, match="ended with 9"):
        ensure(Told(), home.places)
    assert list(home.places.bin.iterdir()) == []


def test_a_build_that_is_too_old_for_us_is_not_taken(home: House) -> None:
    home.put_go(built="3.1.0")
    with pytest.raises(ToolchainError, match=r"done, but .* is older than"):
        ensure(Told(), home.places)


RUN = """
import sys
from pathlib import Path
from ops.toolchain import __main__, ensure, places
here = places.Places(Path(sys.argv[1]))
__main__.ensure = lambda progress, *, retry: ensure(progress, here, retry=retry)
sys.exit(__main__.main([]))
"""


def start(home: House) -> subprocess.Popen[str]:
    """`python -m ops.toolchain` for the folder of a test."""
    Memory(home.places.memory).keep_failure(official.version(), "the network is closed")
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(home.places.root)]
    return subprocess.Popen(command, cwd=HERE.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **home.environ})


def until(what: Path) -> None:
    end = time.monotonic() + 60
    while not what.exists():
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_compiler_and_leaves_no_half(home: House, number: signal.Signals) -> None:
    compiling = home.places.root / "compiling"
    home.put_go(then=f'echo $$ > "{compiling}.half"; mv "{compiling}.half" "{compiling}"; exec sleep 300')
    child = start(home)
    until(compiling)
    child.send_signal(number)
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, "nothing half-made is left" in output) == (130, True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(compiling.read_text(encoding="utf-8")), 0)
    assert list(home.places.bin.iterdir()) == []
    assert left_behind(home) == {"bin", "toolchain.json", "toolchain.lock"}


def test_two_runs_at_once_build_once(home: House) -> None:
    compiling, go_on = home.places.root / "compiling", home.places.root / "go-on"
    home.put_go(then=f'touch "{compiling}"; while [ ! -e "{go_on}" ]; do sleep 0.05; done')
    first = start(home)
    until(compiling)
    second = start(home)
    assert second.stdout is not None
    assert second.stdout.readline() == "Another run is making the Pulumi CLI; waiting for it.\n"
    go_on.touch()
    assert [child.communicate(timeout=60)[0].splitlines()[-1].startswith("Pulumi 3.250.0 the project's own copy") for child in (first, second)] == [True, True]
    assert len([call for call in home.go_calls if call.startswith("go build")]) == 2


def test_the_command_says_which_cli_it_is_or_that_there_is_none(home: House) -> None:
    child = start(home)
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert output.splitlines()[-1].startswith("Install Pulumi, or Go, and run `make venv` again.")
    home.put_cli(home.places.bin, "3.250.0")
    child = start(home)
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, output) == (0, f"Pulumi 3.250.0 the project's own copy, language host unknown: {home.places.bin / 'pulumi'}\n")
