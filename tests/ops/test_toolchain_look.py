"""Which CLI is taken, and why others are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import toolchain
from ops.toolchain import pins
from ops.toolchain.cli import MINIMUM, objection, parse, show
from ops.toolchain.look import HOST, look
from ops.toolchain.places import HERE
from tests.ops.toolchain_fakes import House, house


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def reasons(home: House) -> str:
    found, refused = look(home.places, home.environ, home.memory)
    assert found is None
    return "\n".join(map(str, refused))


def test_the_minimum_is_what_the_modules_pin_and_so_what_the_tests_run_with() -> None:
    assert pins.cli(HERE).version == show(MINIMUM)


@pytest.mark.parametrize(
    ("text", "version"),
    [("v3.250.0\n", (3, 250, 0)), ("3.251.1-alpha.5+dirty", (3, 251, 1)), ("v10.0.2", (10, 0, 2)), ("pulumi", None), ("", None), ("v3.2", None)],
)
def test_versions_are_read(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse(text) == version


def test_only_a_tested_version_of_the_same_major_serves() -> None:
    assert objection(MINIMUM) == ""
    assert objection((3, 999, 0)) == ""
    assert "older than 3.250.0" in objection((3, 249, 9))
    assert "major version 4" in objection((4, 0, 0))


def test_one_on_path_comes_before_the_projects_own(home: House) -> None:
    home.put_cli(home.on_path, "3.260.1")
    home.put_cli(home.places.bin, "3.250.0")
    found = toolchain.find(home.places, home.environ)
    assert found is not None
    assert (found.pulumi, found.version, found.origin, found.path) == (home.on_path / "pulumi", "3.260.1", "on PATH", (home.on_path,))


def test_one_on_path_that_is_too_old_gives_way(home: House) -> None:
    home.put_cli(home.on_path, "3.100.0")
    home.put_cli(home.places.bin, "3.250.0")
    found, refused = look(home.places, home.environ, home.memory)
    assert found is not None
    assert found.pulumi == home.places.bin / "pulumi"
    assert [(refusal.place, refusal.absent) for refusal in refused] == [("on PATH", False)]
    assert "3.100.0" in refused[0].reason


def test_one_on_path_without_its_language_host_is_refused(home: House) -> None:
    home.put_cli(home.on_path, "3.260.0", with_host=False)
    assert "pulumi-language-python" in reasons(home)


def test_the_host_may_stand_in_another_folder_but_not_without_its_executor(home: House, tmp_path: Path) -> None:
    home.put_cli(home.on_path, "3.260.0", with_host=False)
    elsewhere = tmp_path / "elsewhere"
    home.put(elsewhere, HOST, "exit 0")
    environ = {"PATH": f"{home.on_path}:{elsewhere}"}
    assert toolchain.find(home.places, environ) is None
    home.put(elsewhere, "pulumi-language-python-exec", "exit 0")
    found = toolchain.find(home.places, environ)
    assert found is not None
    assert found.path == (home.on_path, elsewhere)


def test_a_link_to_an_installation_brings_the_host_beside_its_target(home: House, tmp_path: Path) -> None:
    home.put_cli(tmp_path / "opt" / "pulumi", "3.260.0")
    (home.on_path / "pulumi").symlink_to(tmp_path / "opt" / "pulumi" / "pulumi")
    found = toolchain.find(home.places, home.environ)
    assert found is not None
    assert found.path == (home.on_path, tmp_path / "opt" / "pulumi")


@pytest.mark.parametrize(
    ("answer", "said"),
    [("echo nonsense", "'nonsense', which is no version"), ("echo broken >&2; exit 3", "ended with 3: broken"), ("echo v4.1.0", "major version 4")],
)
def test_one_that_does_not_answer_properly_is_refused_with_its_own_words(home: House, answer: str, said: str) -> None:
    home.put_cli(home.on_path, "3.260.0")
    home.put(home.on_path, "pulumi", answer)
    assert said in reasons(home)


def test_nothing_anywhere_says_where_it_was_looked_for(home: House) -> None:
    said = reasons(home)
    assert "on PATH: there is no `pulumi`" in said
    assert f"{home.places.bin} has no pulumi, pulumi-language-python, pulumi-language-python-exec" in said


def test_an_own_copy_without_its_executor_is_none(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    (home.places.bin / "pulumi-language-python-exec").unlink()
    assert "has no pulumi-language-python-exec" in reasons(home)


def test_an_own_copy_of_other_pins_is_not_used(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    home.memory.keep_own(origin="built from tools/", host="3.60.0", pins=pins.fingerprint(home.places))
    found = toolchain.find(home.places, home.environ)
    assert found is not None
    assert (found.host, found.origin) == ("3.60.0", "the project's own copy (built from tools/)")
    sums = home.places.modules / "pulumi" / "go.sum"
    sums.write_text(sums.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "other modules" in reasons(home)


def test_a_version_is_asked_for_once_and_again_when_the_file_changed(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    assert [toolchain.find(home.places, home.environ) is not None for _ in range(3)] == [True, True, True]
    assert home.asked() == 1
    home.put_cli(home.places.bin, "3.251.00")
    found = toolchain.find(home.places, home.environ)
    assert found is not None
    assert (found.version, home.asked()) == ("3.251.0", 2)


@pytest.mark.parametrize("memory", ["", "{", "[1]", '{"versions": 3, "own": [], "official": "x"}'])
def test_a_damaged_memory_is_an_empty_one(home: House, memory: str) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    home.places.memory.write_text(memory, encoding="utf-8")
    assert toolchain.find(home.places, home.environ) is not None


def test_the_environment_puts_this_python_and_the_cli_first_and_names_nothing_twice(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    found = toolchain.find(home.places, home.environ)
    assert found is not None
    once = found.environment({"PATH": f"/usr/bin:{home.places.bin}::/bin", "KEPT": "yes"})
    assert once["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), str(home.places.bin), "/usr/bin", "/bin"]
    assert once["KEPT"] == "yes"
    assert found.environment(once) == once


def test_the_own_copy_keeps_its_name_when_it_comes_first_on_path(home: House) -> None:
    home.put_cli(home.places.bin, "3.250.0")
    found = toolchain.find(home.places, {"PATH": f"{home.places.bin}:{home.on_path}"})
    assert found is not None
    assert found.origin == "the project's own copy"


def test_finding_imports_neither_pulumi_nor_anything_else_that_is_slow() -> None:
    program = "import sys, ops.toolchain as t; t.find(); print(sorted({'pulumi', 'boto3', 'rich', 'grpc', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=HERE.root)
    assert done.stdout.strip() == "[]"
