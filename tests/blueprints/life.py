"""The life of a customer's environments on the local target, from nothing to nothing, with what was seen on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from localcloud.aws import Aws
from shared import page as pages
from shared.environment import Environment, environment_of
from tests.briefs.requirements import BRIEFS
from tests.engine.census import Census, beyond, census
from tests.engine.checkout import Checkout, Ended

PROJECTS = ("networking", "data", "app", "observability")


@dataclass
class Life:
    """One environment: how each command ended, and what its account held in its region after some of them."""

    environment: Environment
    ends: dict[str, Ended] = field(default_factory=dict[str, Ended])
    holdings: dict[str, Census] = field(default_factory=dict[str, Census])
    arns: set[str] = field(default_factory=set[str])

    @property
    def smoke(self) -> dict[str, Any]:
        """The report of the smoke test."""
        found: dict[str, Any] = json.loads(self.ends["smoke"].out)
        return found


def live(checkout: Checkout, brief: str) -> dict[str, Life]:
    """Deploys a customer's environments, again without a change, tries their service, and destroys them: by name.

    All are there at once, beside one another in one cloud, before the first is destroyed.
    """
    lives = {name: Life(environment_of(pages.read(name))) for name in BRIEFS[brief]}
    clouds = {name: checkout.aws(life.environment.account, life.environment.region) for name, life in lives.items()}
    empty = {name: _first(cloud) for name, cloud in clouds.items()}
    for name, life in lives.items():
        life.ends["first"] = _run(checkout, "deploy", name)
        life.arns = {arn for project in PROJECTS for arn in _arns(checkout.managed(project, name))}
    for name, life in lives.items():
        life.ends["again"] = _run(checkout, "deploy", name, "--force")
        life.ends["smoke"] = _run(checkout, "smoke", name)
        life.holdings["deployed"] = beyond(census(clouds[name]), empty[name])
    for name, life in lives.items():
        life.ends["destroyed"] = _run(checkout, "destroy", name)
    for name, life in lives.items():
        life.holdings["destroyed"] = beyond(census(clouds[name]), empty[name])
    return lives


def _run(checkout: Checkout, command: str, name: str, *options: str) -> Ended:
    # Some ask for their name before they are touched; the others let it pass.
    return checkout.invoke(command, "--env", name, "--target", "local", "--json", "--confirm", name, *options)


def _first(aws: Aws) -> Census:
    """What an account holds before anybody asks for anything; moto makes the default VPC when EC2 is first asked."""
    aws.client("ec2").describe_vpcs()
    return census(aws)


def _arns(resources: list[dict[str, Any]]) -> set[str]:
    return {entry["outputs"]["arn"] for entry in resources if isinstance(entry.get("outputs", {}).get("arn"), str)}
