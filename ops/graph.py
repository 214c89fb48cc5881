"""What the stacks take from one another, and who may talk to whom in an environment's network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ops.docs import taken
from ops.projects import projects
from shared import page as pages
from shared.environment import environment_of
from shared.page import PageError

if TYPE_CHECKING:
    from projects.networking.tiers import Firewall

FLOW_HEADERS = ("from", "to", "outputs")
GROUP_HEADERS = ("tier", "security group", "what for")
RULE_HEADERS = ("tier", "direction", "with", "port", "what for")


def flows() -> list[dict[str, Any]]:
    """Each pair of stacks of which the second takes outputs of the first, as the code of the second has it."""
    return [{"from": producer, "to": project.name, "outputs": outputs} for project in projects().values() for producer, outputs in taken(project).items()]


def flow_rows(found: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The flows for people."""
    return [(flow["from"], flow["to"], ", ".join(flow["outputs"])) for flow in found]


def stacks(env: str) -> list[dict[str, str]]:
    """The stacks of an environment; raises PageError. Without an environment, the projects alone."""
    if not env:
        return [{"project": name} for name in projects()]
    environment = environment_of(pages.read(env))
    organization = environment.platform.organization
    return [{"project": name, "stack": f"{organization}/{name}/{env}", "account": environment.account, "region": environment.region} for name in projects()]


def security(env: str) -> Firewall:
    """The tiers of an environment and the rules between them; raises PageError with what is wrong with the page."""
    from ops.validation import problems_of
    from projects.networking.settings import NetworkingSettings
    from projects.networking.tiers import firewall

    page = pages.read(env)
    if found := problems_of(page):
        raise PageError(found)
    environment, reached = environment_of(page), page.settings("networking", NetworkingSettings).endpoints
    return firewall(environment.shape, gateways=reached.gateway, interfaces=reached.interface, tags=environment.tags)


def security_as_dict(env: str, found: Firewall) -> dict[str, Any]:
    """The tiers and rules for machines."""
    names = environment_of(pages.read(env)).names
    return {
        "environment": env,
        "groups": [{**asdict(group), "name": names(group.tier)} for group in found.groups],
        "rules": [{**asdict(rule), "name": rule.name} for rule in found.rules],
    }


def group_rows(env: str, found: Firewall) -> list[tuple[str, ...]]:
    """The tiers for people."""
    names = environment_of(pages.read(env)).names
    return [(group.tier, names(group.tier), group.purpose) for group in found.groups]


def rule_rows(found: Firewall) -> list[tuple[str, ...]]:
    """The rules for people."""
    return [(rule.tier, rule.direction, rule.peer, f"TCP {rule.port}", rule.why) for rule in found.rules]
