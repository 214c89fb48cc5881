"""What can be wrong with a page, found before anything is touched: all of it at once, each with page, key, value and rule."""

from __future__ import annotations

import importlib
from itertools import combinations
from typing import Any

from ops.projects import projects
from shared import page as pages
from shared.environment import Environment, environment_of
from shared.page import Page, PageError, Problem, Settings, problem

# Namespaces that are not projects: the AWS provider's own, and what all programs share.
_SHARED_NAMESPACES = {"aws", "platform"}


def problems_of(page: Page) -> list[Problem]:
    """Everything that is wrong with one page."""
    found: list[Problem] = []
    environment: Environment | None = None
    try:
        environment = environment_of(page)
    except PageError as error:
        found += error.problems
    known = _SHARED_NAMESPACES | set(projects())
    for namespace in sorted(page.namespaces() - known):
        found.append(problem(page.file, f"{namespace}:", f"unknown namespace; a page has {', '.join(sorted(known))}"))
    for project in projects():
        module = importlib.import_module(f"projects.{project}.settings")
        try:
            settings = page.settings(project, _model(module))
        except PageError as error:
            found += error.problems
            continue
        if environment is not None:
            found += _rules(module, "problems", page, project, settings, environment)
    return found


def problems_on_aws(page: Page) -> list[Problem]:
    """What only AWS itself would refuse of a page that is otherwise right, and the local cloud takes."""
    environment = environment_of(page)
    found: list[Problem] = []
    for project in projects():
        module = importlib.import_module(f"projects.{project}.settings")
        found += _rules(module, "problems_on_aws", page, project, page.settings(project, _model(module)), environment)
    return found


def problems_between(all_pages: list[Page]) -> list[Problem]:
    """What is wrong between pages: VPCs whose ranges overlap cannot be peered, and hide each other's addresses in logs."""
    ranges: list[tuple[Page, Any]] = []
    for page in all_pages:
        try:
            ranges.append((page, page.settings("networking", _model(importlib.import_module("projects.networking.settings"))).vpc.cidr))
        except PageError:
            continue  # reported with the page itself
    return [
        problem(second.file, "networking:vpc.cidr", f"overlaps {first_range} of {first.file}; each environment has a range of its own", str(second_range))
        for (first, first_range), (second, second_range) in combinations(ranges, 2)
        if _family(first) == _family(second) and first_range.overlaps(second_range)
    ]


def _family(page: Page) -> str:
    """The blueprint that a page belongs to, empty for the platform's own: `aurora` of `aurora-prod`. Customers do not share address plans."""
    return page.name.rpartition("-")[0]


def validate(names: list[str]) -> list[Problem]:
    """Everything that is wrong with the named pages, and between them and all others of their families."""
    found: list[Problem] = []
    readable: list[Page] = []
    for name in pages.names():
        try:
            page = pages.read(name)
        except PageError as error:
            found += error.problems if name in names else []
            continue
        readable.append(page)
        if name in names:
            found += problems_of(page)
    found += [one for one in problems_between(readable) if any(page.file == one.page and page.name in names for page in readable)]
    return found


def _model(module: Any) -> type[Any]:
    """The settings class of a project: `<Project>Settings` of its settings module."""
    return next(value for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, Settings) and name == _class_name(module))


def _class_name(module: Any) -> str:
    return f"{module.__name__.split('.')[1].capitalize()}Settings"


def _rules(module: Any, name: str, page: Page, project: str, settings: Any, environment: Environment) -> list[Problem]:  # noqa: PLR0917
    """The project's own rules across sections of the page, from a function `name(settings, environment)` that its settings module may have."""
    rules = getattr(module, name, None)
    return [problem(page.file, f"{project}:{key}", rule, value) for key, value, rule in rules(settings, environment)] if rules else []
