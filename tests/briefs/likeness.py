"""Whether a customer's environments are the same: what each has, and what was asked for it, in words that all of them share."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.rehearsal import Resource
from tests.briefs.family import Deployed, Family

# Outputs beside the ID that others refer to, where AWS makes them up.
_REFERENCES = ("prefixListId", "rootResourceId", "primaryNetworkInterfaceId", "arnSuffix", "primaryEndpointAddress", "authToken")

# Where ECR keeps the layers of images: "prod" is AWS's own word there (ECR user guide, "Amazon ECR interface VPC endpoints").
_LAYERS = re.compile(r"prod-[a-z0-9-]+-starport-layer-bucket")

# What RDS makes up within a name: that of its secret, and that of a cluster's address.
_RANDOM = re.compile(r"(?<=secret:)rds!(?:db|cluster)-[0-9a-f-]{36}-\w{6}|(?<=\.cluster-)[0-9a-z]{12}(?=\.)|(?<=\.cluster-ro-)[0-9a-z]{12}(?=\.)")

# The digest of a definition that has an account's and an API's number in it, whose own parts are compared; and what Secrets Manager drew by lot.
_DIGESTS = {("aws:apigateway/deployment:Deployment", "triggers"), ("aws:secretsmanager/secretVersion:SecretVersion", "secretString")}


def apart(family: Family) -> dict[str, set[str]]:
    """The resources that not every environment of the family has, by stage: those that this one has, as project, types and logical name."""
    shared = set.intersection(*(deployed.shape() for deployed in family))
    return {deployed.stage: deployed.shape() - shared for deployed in family}


def unlike(family: Family) -> dict[str, dict[str, Any]]:
    """The inputs in which resources that several environments have differ, as `project types::name: input`, with their values by stage.

    Account, region, stage and the first half of the addresses count as the same in each environment, and so do references to the same resource.
    What still differs was decided by somebody.
    """
    asked = {deployed.stage: _asked(deployed) for deployed in family}
    found: dict[str, dict[str, Any]] = {}
    for resource in dict.fromkeys(called for resources in asked.values() for called in resources):
        there = {stage: resources[resource] for stage, resources in asked.items() if resource in resources}
        for key in dict.fromkeys(key for inputs in there.values() for key in inputs):
            values = {stage: inputs.get(key) for stage, inputs in there.items()}
            if len(set(values.values())) > 1:
                found[f"{resource}: {key}"] = values
    return found


def inputs(family: Family) -> set[str]:
    """What `unlike` finds, by type and input alone, such as `Function.memorySize`."""
    return {f"{key.split('::')[0].rpartition(':')[2]}.{key.rpartition(': ')[2]}" for key in unlike(family)}


def _asked(deployed: Deployed) -> dict[str, dict[str, str]]:
    """Each input of each resource as JSON, in words that the family shares."""
    environment = deployed.environment
    names = _names(deployed)
    ids = re.compile("|".join(re.escape(value) for value in sorted(names, key=len, reverse=True)))
    words = {environment.account: "<account>", environment.region: "<region>", environment.platform.stage: "<stage>"}
    # The letter after a region is the zone's.
    said = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, words))})(?=[^A-Za-z0-9]|[a-f]\b)")
    # Where AWS takes letters and digits alone, a stage begins with a capital and another word follows.
    joined = re.compile(rf"(?<=[a-z0-9]){environment.platform.stage.capitalize()}(?=[A-Z0-9])")
    block = ".".join(deployed.inputs("aws:ec2/vpc:Vpc")["cidrBlock"].split(".")[:2])

    def shared(value: Any) -> str:
        text = json.dumps(value, sort_keys=True, default=lambda archive: str(archive.path))
        text = _LAYERS.sub("<layers>", _RANDOM.sub("<random>", ids.sub(lambda found: names[found[0]], text)))
        return said.sub(lambda found: words[found[1]], joined.sub("<stage>", text)).replace(f'"{block}.', '"<block>.')

    return {_called(one): {key: shared(value) for key, value in one.inputs.items() if (one.type, key) not in _DIGESTS} for one in deployed.resources()}


def _names(deployed: Deployed) -> dict[str, str]:
    """What AWS made up, and the resource that it stands for."""
    found: dict[str, str] = {}
    for one in deployed.resources():
        for key, value in (("id", one.id), *((key, one.outputs.get(key)) for key in _REFERENCES)):
            if isinstance(value, str) and value:
                # A role and a rule may have the same name, and be made in any order.
                name = f"<{key} of {_called(one)}>"
                found[value] = min(found.get(value, name), name)
    return found


def _called(one: Resource) -> str:
    """As `Deployed.shape` calls it."""
    _, project, what = one.urn.split("::", 2)
    return f"{project} {what}"
