"""What can be wrong with a page, found before anything is touched: all of it at once, each with page, key, value and rule."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from ops.families import drift, others_of
from ops.page_settings import module_of, settings_of
from ops.projects import projects
from projects.app.settings import AppSettings
from projects.networking.settings import NetworkingSettings
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
        try:
            settings = settings_of(page, project)
        except PageError as error:
            found += error.problems
            continue
        if environment is not None:
            found += _rules("problems", page, project, settings, environment)
    return found


def problems_on_aws(page: Page) -> list[Problem]:
    """What only AWS itself would refuse of a page that is otherwise right, and the local cloud takes."""
    environment = environment_of(page)
    found: list[Problem] = []
    for project in projects():
        found += _rules("problems_on_aws", page, project, settings_of(page, project), environment)
    return found


def problems_beside(page: Page) -> list[Problem]:
    """What is wrong between a page and the others of its family.

    VPCs whose ranges overlap cannot be peered, and hide each other's addresses in logs. API Gateway has one logging role for an account and region: the
    environment that is destroyed first would take the other's logs with it. What the family's environments may not differ in is drift.
    """
    found: list[Problem] = []
    own = range_of(page)
    for other in others_of(page) if own else []:
        theirs = range_of(other)
        if theirs and own and theirs.overlaps(own):
            rule = f"overlaps {theirs} of {other.file}; each environment has a range of its own"
            found.append(problem(page.file, "networking:vpc.cidr", rule, str(own)))
    return [*found, *_logging_twice(page), *drift(page)]


def logging_set_by(page: Page) -> Page | None:
    """The other page of the family that sets API Gateway's logging role for the account and region of this one, if there is one."""
    try:
        own = environment_of(page)
    except PageError:
        return None
    return next((other for other in others_of(page) if _logging_of(other) == (own.account, own.region)), None)


def _logging_of(page: Page) -> tuple[str, str] | None:
    """The account and region whose logging role an environment sets; None where it sets none, or the page does not say it rightly."""
    try:
        environment, api = environment_of(page), page.settings("app", AppSettings).api
    except PageError:
        return None
    return (environment.account, environment.region) if api and api.account_logging and not environment.platform.copy_of else None


def _logging_twice(page: Page) -> Iterator[Problem]:
    where, other = _logging_of(page), logging_set_by(page)
    if where and other:
        rule = (
            f"{other.file} sets API Gateway's logging role of account {where[0]} in {where[1]} too, and there is one: whichever is destroyed first ends the "
            "other's logs; set it to false on one of the two pages"
        )
        yield problem(page.file, "app:api.accountLogging", rule, True)


def range_of(page: Page) -> IPv4Network | None:
    """The range of a page's VPC, None where the page does not say it rightly."""
    try:
        return page.settings("networking", NetworkingSettings).vpc.cidr
    except PageError:
        return None


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


def _rules(name: str, page: Page, project: str, settings: Settings, environment: Environment) -> list[Problem]:
    """The project's own rules across sections of the page, from a function `name(settings, environment)` that its settings module may have."""
    rules = getattr(module_of(project), name, None)
    return [problem(page.file, f"{project}:{key}", rule, value) for key, value, rule in rules(settings, environment)] if rules else []
