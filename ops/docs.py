"""`python -m ops.docs`: what the documents state about the code, written from the code.

A generated part stands between `<!-- generated:NAME -->` and `<!-- /generated -->`; the text around it is written by hand.
`--check` writes nothing, and ends with 1 when a part is stale; `tests/ops/test_docs.py` holds that.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import yaml
from invoke.collection import Collection
from invoke.loader import FilesystemLoader

from localcloud import catalogue
from localcloud.gaps import GAPS
from ops import environments
from ops.projects import Project, projects
from shared import page as pages
from shared.contracts import CONTRACTS, Contract
from shared.environment import AwsKeys, Platform, Stage
from shared.page import ROOT, Page, Settings

DOCUMENTS = ("README.md", "docs/contracts.md", "docs/environments.md", "docs/local-cloud.md")

_NOTHING = "-"
_PART = re.compile(r"<!-- generated:(?P<name>[a-z-]+) -->\n(?P<body>.*?)<!-- /generated -->", re.DOTALL)


class DocsError(ValueError):
    """A document asks for a part that nobody generates, or has a marker without its other half."""


def generated(text: str, name: str = "the document", parts: Mapping[str, Callable[[], str]] | None = None) -> str:
    """The document with each generated part (of `parts`, by default `PARTS`) as the code would have it now; raises DocsError."""
    known = PARTS if parts is None else parts
    marks = len(re.findall(r"<!-- /?generated\b", text))
    found = list(_PART.finditer(text))
    if marks != 2 * len(found):
        raise DocsError(f"{name}: {marks} markers make {len(found)} parts; each is <!-- generated:NAME --> ... <!-- /generated -->")
    if unknown := [part["name"] for part in found if part["name"] not in known]:
        raise DocsError(f"{name}: nobody generates {', '.join(unknown)}; there are {', '.join(known)}")
    return _PART.sub(lambda part: f"<!-- generated:{part['name']} -->\n{known[part['name']]()}<!-- /generated -->", text)


def stack_graph() -> str:
    """A Mermaid picture of the stacks, with what each really takes from another on the arrow."""
    known = projects().values()
    stacks = [f'    {project.name}["<b>{project.name}</b><br/>{_description(project)}"]' for project in known]
    arrows = [f'    {producer} -->|"{"<br/>".join(fields)}"| {project.name}' for project in known for producer, fields in taken(project).items()]
    return lines(["```mermaid", "flowchart TB", *stacks, *arrows, "```"])


def taken(project: Project) -> dict[str, list[str]]:
    """By producer, the outputs (exported names) that the project's code reads of it, in the contract's order.

    A program binds an upstream contract to a name (`network = stack.upstream(...)`) and its modules keep that name, so the fields
    are the attributes read from it: `network.vpc_id`, `args.network.vpc_id`; and those that a method of the contract's own reads: `network.group("nat")`.
    """
    contracts = {contract.__name__: contract for contract in CONTRACTS}
    read = set(_attributes_read(project.folder))
    found: dict[str, list[str]] = {}
    for variable, contract in _upstreams(ast.parse((project.folder / "__main__.py").read_text())):
        fields, methods = contracts[contract].outputs(), _read_by_methods(contracts[contract])
        used = {name for holder, name in read if holder == variable}
        used |= {field for method in used & set(methods) for field in methods[method]}
        found[contracts[contract].PROJECT] = [name for name, field in fields.items() if field.name in used]
    return found


def _read_by_methods(contract: type[Contract]) -> dict[str, set[str]]:
    """By the methods that a contract has beside those of all, the attributes of its own that each reads."""
    methods = {name: value for name, value in vars(contract).items() if inspect.isfunction(value) and not name.startswith("__")}
    trees = {name: ast.parse(textwrap.dedent(inspect.getsource(method))) for name, method in methods.items()}
    return {
        name: {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"} for name, tree in trees.items()
    }


def contract_tables() -> str:
    """A table per contract: each output, its type, and who takes it."""
    takers = {project.name: taken(project) for project in projects().values()}
    said: list[str] = []
    for contract in CONTRACTS:
        said += [f"## {contract.__name__} (version {contract.VERSION})", "", _summary(contract), "", *_outputs_of(contract, takers), ""]
    return lines(said[:-1])


def every_environment() -> str:
    """All pages side by side."""
    return lines(table(environments.HEADERS, [environments.row(one) for one in environments.everything()]))


def environment_matrix(blueprint: str = "") -> str:
    """What differs between a family's pages, by default the platform's own, defaults included; then what is the same."""
    names = [f"{blueprint}-{stage}" if blueprint else stage for stage in typing.get_args(Stage)]
    own = [pages.read(name) for name in names if name in pages.names()]
    columns = [dict(_values(page)) for page in own]
    order = ["aws", "platform", *projects()]
    keys = sorted(dict.fromkeys(key for column in columns for key in column), key=lambda key: order.index(key.partition(":")[0]))
    # Where one page has a section and another has none, the section's own keys say so.
    keys = [key for key in keys if not any(other.startswith(f"{key}.") for other in keys)]
    rows = {key: [column.get(key, _NOTHING) for column in columns] for key in keys}
    differing = [(f"`{key}`", *values) for key, values in rows.items() if len(set(values)) > 1 and key != "platform:stage"]
    same = [f"`{key}` {values[0]}" for key, values in rows.items() if len(set(values)) == 1 and values[0] != _NOTHING]
    return lines([*table(("key", *(page.name for page in own)), differing), "", f"The same on all of them: {', '.join(same)}."])


def task_list() -> str:
    """What `invoke --list` shows, with each task's options."""
    module, _ = FilesystemLoader(start=str(ROOT)).load("tasks")
    namespace = Collection.from_module(module)
    rows: list[tuple[str, ...]] = []
    for name in sorted(namespace.task_names, key=lambda known: ("." in known, known)):
        task: Any = namespace[name]
        options = [f"`--{argument.name.strip('_').replace('_', '-')}`" for argument in task.get_arguments()]
        rows.append((f"`{name}`", str(task.__doc__).splitlines()[0], " ".join(options)))
    return lines(table(("task", "what it does", "options"), rows))


def resource_types() -> str:
    """Every type of the local cloud's table, with how many gaps of moto's it has; and the look-ups."""
    rows = [
        (f"`{kind.type}`", str(len(kind.fields)), str(len(kind.computed)), str(sum(key.partition(".")[0] == kind.type for key in GAPS) or ""))
        for kind in catalogue.everything()
    ]
    modules = [importlib.import_module(f"localcloud.resources.{name}") for name in catalogue.services()]
    look_ups = sorted(f"`{function.type}`" for module in modules for function in getattr(module, "FUNCTIONS", ()))
    return lines([*table(("type", "inputs", "computed outputs", "gaps"), rows), "", f"{len(rows)} types; look-ups: {', '.join(look_ups)}."])


def gaps() -> str:
    """Where moto does less than AWS, and what is done instead."""
    return lines(table(("type, or type and input", "what, and what is done instead"), [(f"`{key}`", said) for key, said in sorted(GAPS.items())]))


PARTS: Mapping[str, Callable[[], str]] = {
    "stack-graph": stack_graph,
    "environment-matrix": environment_matrix,
    "every-environment": every_environment,
    **{f"family-{blueprint}": partial(environment_matrix, blueprint) for blueprint in sorted({name.rpartition("-")[0] for name in pages.names()} - {""})},
    "contracts": contract_tables,
    "tasks": task_list,
    "resource-types": resource_types,
    "gaps": gaps,
}


def lines(said: Iterable[str]) -> str:
    """The lines as one text."""
    return "".join(f"{line}\n" for line in said)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""

    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    return [row(headers), f"|{'---|' * len(headers)}", *map(row, rows)]


def _description(project: Project) -> str:
    return str(yaml.safe_load((project.folder / "Pulumi.yaml").read_text())["description"])


def _summary(contract: type[Contract]) -> str:
    return f"Published by `{contract.PROJECT}`. {(inspect.getdoc(contract) or '').splitlines()[0]}"


def _outputs_of(contract: type[Contract], takers: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    hints = typing.get_type_hints(contract)
    rows: list[tuple[str, ...]] = []
    for name, field in contract.outputs().items():
        by = [project for project, takes in takers.items() if name in takes.get(contract.PROJECT, ())]
        rows.append((f"`{name}`", _type(hints[field.name]), "secret" if name in contract.secrets() else "", ", ".join(by)))
    return table(("output", "type", "", "taken by"), rows)


def _type(hint: Any) -> str:
    """The type within `pulumi.Output[...]`, as one writes it."""
    (inner,) = typing.get_args(hint)
    return f"`{inner.__name__ if isinstance(inner, type) and not typing.get_args(inner) else inner}`"


def _upstreams(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name and the contract of each `name = stack.upstream(Contract)`, also where several stand in one assignment."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts, strict=True) if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else [(target, value)]
        for bound, call in pairs:
            if isinstance(bound, ast.Name) and isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "upstream":
                yield bound.id, ast.unparse(call.args[0])


@lru_cache(maxsize=16)
def _attributes_read(folder: Path) -> tuple[tuple[str, str], ...]:
    """Each `X.attribute` in the sources of a folder, as (the last name of X, attribute)."""
    trees = [ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))]
    attributes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    named = [(node.value.attr if isinstance(node.value, ast.Attribute) else ast.unparse(node.value), node.attr) for node in attributes]
    return tuple(dict.fromkeys(named))


def _values(page: Page) -> Iterator[tuple[str, str]]:
    """The whole page, defaults included, as (key, what a reader is shown)."""
    models: dict[str, type[Settings]] = {"aws": AwsKeys, "platform": Platform}
    for name in projects():
        models[name] = getattr(importlib.import_module(f"projects.{name}.settings"), f"{name.capitalize()}Settings")
    for namespace, model in models.items():
        settings = page.settings(namespace, model).model_dump(mode="json", by_alias=True)
        yield from ((f"{namespace}:{key}", shown) for key, shown in _flat(settings))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, entry in value.items():
        if isinstance(entry, dict):
            yield from _flat(typing.cast("dict[str, Any]", entry), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _shown(entry)


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, typing.cast("list[Any]", value)))
    return f"{value:g}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Writes the generated parts, or with `--check` only says which documents have stale ones; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.docs", description="Write the generated parts of the documents.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a document is stale")
    options = parser.parse_args(arguments)
    stale: list[str] = []
    for name in DOCUMENTS:
        path = root / name
        before = path.read_text(encoding="utf-8")
        after = generated(before, name)
        if after == before:
            continue
        stale.append(name)
        if not options.check:
            path.write_text(after, encoding="utf-8")
    if options.check and stale:
        print(f"stale: {', '.join(stale)}. Write them with: python -m ops.docs", file=sys.stderr)
        return 1
    print(f"written: {', '.join(stale)}" if stale else "up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
