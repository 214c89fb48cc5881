"""Rules over the programs' sources: what they use of AWS, and how components are made."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from localcloud import catalogue
from localcloud.catalogue import UnknownType
from tests.architecture import sources
from tests.architecture.rehearsed import ENVIRONMENTS, FAMILIES, STAGES, Rehearsed

# No components: what components are made from.
BASES = {"shared/component.py:Component", "projects/data/relational.py:Relational"}


def known(token: str, look_up: Callable[[str], object]) -> bool:
    try:
        look_up(token)
    except UnknownType:
        return False
    return True


def test_the_local_cloud_knows_every_type_that_a_program_uses() -> None:
    used = {call.token: call.where for call in sources.aws_calls() if call.is_resource}
    assert len(used) > 40, "the scan finds the programs' resources"
    assert {token: where for token, where in used.items() if not known(token, catalogue.kind)} == {}


def test_the_local_cloud_knows_every_look_up_that_a_program_makes() -> None:
    made = {call.token: call.where for call in sources.aws_calls() if call.token and not call.is_resource}
    assert made != {}
    assert {token: where for token, where in made.items() if not known(token, catalogue.function)} == {}


def test_the_scan_misses_no_type_that_is_deployed(rehearse_once: Callable[[str], Rehearsed]) -> None:
    deployed = {resource.type for name in ENVIRONMENTS for resource in rehearse_once(name).of_aws()}
    assert deployed - {call.token for call in sources.aws_calls() if call.is_resource} == set()


def test_nothing_of_the_sdk_is_called_that_it_does_not_have() -> None:
    assert [call.where for call in sources.aws_calls() if call.called is None] == []


def test_every_resource_is_given_its_parent() -> None:
    """Also where no rehearsed page leads; what the parent is, the rehearsals show."""
    given = {call.where: ast.unparse(call.option("opts") or ast.Constant(None)) for call in sources.aws_calls() if call.is_resource}
    assert {where: opts for where, opts in given.items() if not (re.match(r"\w+\.child\(", opts) or (opts.isidentifier() and opts != "None"))} == {}


def test_every_component_ends_by_registering_its_outputs() -> None:
    found = dict(sources.components())
    assert len(found) > 15, "the scan finds the components"
    methods = [node for where in BASES for node in found[where].body if isinstance(node, ast.FunctionDef)]
    registering = [node.name for node in methods if ast.unparse(node.body[-1]).startswith("self.register_outputs(")]
    for where, component in found.items():
        if where in BASES:
            continue
        made = next((node for node in component.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)
        assert made is not None, f"{where} has no __init__"
        assert ast.unparse(made.body[0]).startswith("super().__init__("), f"{where} is a component only after super().__init__"
        last = ast.unparse(made.body[-1])
        ends = last.startswith("self.register_outputs(") or any(last.startswith(f"self.{name}(") for name in registering)
        assert ends, f"{where}: what comes after register_outputs is not part of it"


def test_every_component_says_what_it_produces() -> None:
    for where, component in sources.components():
        said = ast.get_docstring(component) or ""
        assert where in BASES or said.startswith("Produces "), f"{where}: its docstring begins with what it produces"


def test_nothing_is_protected_from_its_deletion() -> None:
    kept = [
        f"{path.name}:{node.value.lineno} {node.arg}"
        for path in sources.python("projects", "shared")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg in {"protect", "retain_on_delete", "deleted_with"}
    ]
    assert kept == []


def test_no_component_asks_which_stage_it_is_in() -> None:
    """Environments differ by their pages: a stage's or a blueprint's name may be part of a name, and decides nothing."""
    # What an environment is made of is asked for everywhere, and two customers' blueprints are called after it.
    names = {*STAGES, *ENVIRONMENTS, *FAMILIES} - {"", "aurora", "containers"}
    for where, component in sources.components():
        for node in ast.walk(component):
            compared = [*node.comparators, node.left] if isinstance(node, ast.Compare) else []
            found = {part.value for part in compared if isinstance(part, ast.Constant)} & names
            assert not found, f"{where} compares with {', '.join(map(str, found))}"
