"""Rules over the tree's files: layers, sizes, card numbers, tests that are collected."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shared.page import ROOT
from tests.architecture import sources

CONFIGURATION: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Numbers that Stripe and PayPal publish for tests: they pass Luhn's check and belong to no card.
TEST_CARDS = set(
    """
    4242424242424242 4111111111111111 4012888888881881 4000056655665556 4000000000000002 4000000000009995
    5555555555554444 5200828282828210 5105105105105100 2223003122003222
    378282246310005 371449635398431 6011111111111117 6011000990139424 30569309025904 38520000023237
    3566002020360505 3530111333300000 6200000000000005 6205500000000000004
    """.split()
)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_go_one_way() -> None:
    # A process of its own: import-linter sets up logging anew, which switches off every logger that was there.
    command = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())", "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout
    assert "0 broken" in linted.stdout


def test_import_linter_looks_at_every_room() -> None:
    configured = CONFIGURATION["tool"]["importlinter"]
    rooms = {path.parent.name for path in sources.python() if path.name == "__init__.py" and path.parent.parent == ROOT}
    assert set(configured["root_packages"]) >= rooms - {"tests", "bench"}
    contracts = configured["contracts"]
    assert {room for contract in contracts for room in contract.get("source_modules", ())} >= set(configured["root_packages"])
    apart = next(contract for contract in contracts if contract["type"] == "independence")
    assert set(apart["modules"]) == {f"projects.{path.parent.name}" for path in ROOT.glob("projects/*/Pulumi.yaml")}


def test_no_file_is_long() -> None:
    lines = {shown(path): len(path.read_text().splitlines()) for path in sources.python()}
    assert {name: count for name, count in lines.items() if count > 400} == {}
    assert {name: count for name, count in lines.items() if name.endswith("__main__.py") and count > 40} == {}


def luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if position % 2 else 1) for position, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def card_numbers(text: str) -> set[str]:
    """What could be a card's number: 13 to 19 digits, alone or in the usual groups, of a known network, with a check digit that is right."""
    found = {re.sub(r"[ -]", "", run) for run in re.findall(r"(?<![\w.:/+-])\d(?:[ -]?\d){12,18}(?![\w./+-])", text)}
    return {number for number in found if re.match(r"3[0-9]|4|5[1-5]|2[2-7]|6[0245]", number) and luhn(number)}


def test_no_card_number_stands_in_the_tree() -> None:
    found: dict[str, set[str]] = {}
    for path in sources.files():
        if numbers := card_numbers(path.read_text(errors="replace")) - TEST_CARDS:
            found[shown(path)] = numbers
    assert found == {}


def test_a_card_number_would_be_found() -> None:
    # Put together here, so that this file holds none.
    number = "4539" + "578763621486"
    grouped = " ".join(number[i : i + 4] for i in range(0, 16, 4))
    assert card_numbers(f'pan = "{number}"') == card_numbers(f"paid with {grouped}, thanks") == {number}
    assert card_numbers(f"{number[:-1]}7") == set()


def named_tests(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")]
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.startswith("Test")]
    return [node.name for node in functions if not is_fixture(node)] + [node.name for node in classes if not is_no_test(node)]


def is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).split("(")[0] == "pytest.fixture" for decorator in node.decorator_list)


def is_no_test(node: ast.ClassDef) -> bool:
    """Whether the class says so itself, as pytest wants it said."""
    return any(ast.unparse(line) == "__test__ = False" for line in node.body)


def test_what_is_a_test_is_known_as_one(tmp_path: Path) -> None:
    path = tmp_path / "helper.py"
    path.write_text(
        "@pytest.fixture(scope='session')\ndef test_store(): ...\n@pytest.fixture\ndef test_other(): ...\ndef test_it(): ...\n"
        "class TestStore:\n    __test__ = False\nclass TestIt: ...\n"
    )
    assert named_tests(path) == ["test_it", "TestIt"]


def test_every_test_is_collected(request: pytest.FixtureRequest) -> None:
    options = CONFIGURATION["tool"]["pytest"]["ini_options"]
    assert options["testpaths"] == ["tests"]
    assert {"python_files", "python_functions", "python_classes", "norecursedirs"}.isdisjoint(options), "pytest's own patterns are what is checked below"
    with_tests = {path for path in sources.python() if named_tests(path)}
    misnamed = {shown(path) for path in with_tests if not path.name.startswith("test_") or path.relative_to(ROOT).parts[0] != "tests"}
    assert misnamed == set(), "pytest does not look into these files"
    empty = {shown(path) for path in sources.python("tests") if path.name.startswith("test_") and path not in with_tests}
    assert empty == set(), "these files say that they hold tests, and hold none"


def test_every_folder_of_tests_is_a_package() -> None:
    """Without `__init__.py` two files of one name cannot be collected together."""
    folders = {folder for path in sources.python("tests") for folder in [path.parent, *path.parent.parents] if folder.is_relative_to(ROOT / "tests")}
    assert {shown(folder) for folder in folders if not (folder / "__init__.py").is_file()} == set()


def test_no_test_is_hidden_by_another_of_its_name() -> None:
    twice: dict[str, list[str]] = {}
    for path in sources.python("tests"):
        for holder in ast.walk(ast.parse(path.read_text())):
            if isinstance(holder, ast.Module | ast.ClassDef):
                names = [node.name for node in holder.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")]
                if repeated := sorted({name for name in names if names.count(name) > 1}):
                    twice[shown(path)] = repeated
    assert twice == {}
