"""What can be wrong with a page, found before anything is touched: all of it at once, each with page, key, value and rule."""

from __future__ import annotations

import importlib
from ipaddress import IPv4Network
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


def problems_beside(page: Page) -> list[Problem]:
    """What is wrong between a page and the others of its family: VPCs whose ranges overlap cannot be peered, and hide each other's addresses in logs."""
    own = range_of(page)
    found: list[Problem] = []
    for name in pages.names() if own else []:
        if name == page.name or family_of(name) != family_of(page.name):
            continue
        try:
            other = pages.read(name)
        except PageError:
            continue  # reported with the page itself
        theirs = range_of(other)
        if theirs and own and theirs.overlaps(own):
            rule = f"overlaps {theirs} of {other.file}; each environment has a range of its own"
            found.append(problem(page.file, "networking:vpc.cidr", rule, str(own)))
    return found


def range_of(page: Page) -> IPv4Network | None:
    """The range of a page's VPC, None where the page does not say it rightly."""
    try:
        settings = page.settings("networking", _model(importlib.import_module("projects.networking.settings")))
    except PageError:
        return None
    found: IPv4Network = settings.vpc.cidr
    return found


def family_of(name: str) -> str:
    """The blueprint that a page belongs to, empty for the platform's own: `aurora` of `aurora-prod`. Customers do not share address plans."""
    return name.rpartition("-")[0]


def validate(names: list[str]) -> list[Problem]:
    """Everything that is wrong with the named pages, and between them and the others of their families."""
    found: list[Problem] = []
    for name in names:
        try:
            page = pages.read(name)
        except PageError as error:
            found += error.problems
        else:
            found += problems_of(page) + problems_beside(page)
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
