"""The graph of the projects, read from the programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.projects import ProjectError, graph, projects
from ops.queue import GraphError
from shared.contracts import CONTRACTS
from shared.page import ROOT


def program(folder: Path, name: str, *, publishes: str = "", takes: tuple[str, ...] = ()) -> None:
    lines = [f"{contract.lower()} = stack.upstream({contract})" for contract in takes]
    lines += [f"stack.publish({publishes}(a=b))"] if publishes else []
    (folder / name).mkdir(parents=True)
    (folder / name / "__main__.py").write_text("\n".join(lines))


def test_the_platforms_order_is_what_its_programs_take() -> None:
    assert list(projects()) == ["networking", "data", "app", "observability"]
    assert graph() == {
        "networking": (),
        "data": ("networking",),
        "app": ("networking", "data"),
        "observability": ("networking", "data", "app"),
    }


def test_each_project_publishes_the_contract_of_its_name() -> None:
    assert {name: project.contract for name, project in projects().items()} == {contract.PROJECT: contract.__name__ for contract in CONTRACTS}


def test_a_new_program_finds_its_place_by_what_it_takes(tmp_path: Path) -> None:
    program(tmp_path, "alpha", takes=("Middle",))
    program(tmp_path, "beta", publishes="Middle", takes=("First",))
    program(tmp_path, "gamma", publishes="First")
    found = projects(tmp_path)
    assert list(found) == ["gamma", "beta", "alpha"]
    assert (found["alpha"].takes, found["alpha"].contract, found["alpha"].folder) == (("beta",), "", tmp_path / "alpha")


def test_several_upstreams_in_one_line_are_all_seen(tmp_path: Path) -> None:
    program(tmp_path, "a", publishes="One")
    program(tmp_path, "b", publishes="Two")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "__main__.py").write_text("one, two = stack.upstream(One), stack.upstream(Two)\n")
    assert projects(tmp_path)["c"].takes == ("a", "b")


def test_a_variable_stands_for_the_contract_of_its_annotation(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "__main__.py").write_text("handed_on: One = made(b=c)\nstack.publish(handed_on)\n")
    assert projects(tmp_path)["a"].contract == "One"


def test_two_publishers_of_one_contract_are_refused(tmp_path: Path) -> None:
    program(tmp_path, "one", publishes="Same")
    program(tmp_path, "two", publishes="Same")
    with pytest.raises(ProjectError, match="Same is published by one and by two"):
        projects(tmp_path)


def test_a_contract_that_nobody_publishes_is_refused(tmp_path: Path) -> None:
    program(tmp_path, "one", takes=("Missing", "Lost"))
    with pytest.raises(ProjectError, match=r"projects/one/__main__\.py takes Missing, Lost, which no project publishes"):
        projects(tmp_path)


def test_programs_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    program(tmp_path, "one", publishes="One", takes=("Two",))
    program(tmp_path, "two", publishes="Two", takes=("One",))
    with pytest.raises(GraphError, match="wait for each other"):
        projects(tmp_path)


def test_reading_the_graph_imports_no_pulumi() -> None:
    program = "import sys; from ops.projects import projects; projects(); print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
