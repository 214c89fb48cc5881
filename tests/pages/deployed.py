"""Any page, deployed into a moto of its own, and what of it is not as the page says."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from ops.projects import projects
from payments.functions import FUNCTIONS
from projects.networking.tiers import HTTPS
from shared import packages
from shared.contracts import CONTRACTS, AppOutputs, Contract, DataOutputs
from shared.environment import Environment, environment_of
from shared.isolation import boundary_arn
from shared.page import Page
from tests.architecture.rehearsed import Rehearsed
from tests.briefs import checks
from tests.briefs.family import Deployed
from tests.iam.evaluator import Decision, decide
from tests.iam.world import own_requests, world_of
from tests.projects.harness import Cloud


@contextmanager
def deployed(page: Page, folder: Path) -> Generator[Deployed]:
    """All programs of a page, one after the other; `folder` gets small packages: what functions hold is no matter here."""
    for function in FUNCTIONS:
        file = folder / "lambda-arm64" / f"{function.name}.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("handler.py", "")
    with patch.object(packages, "PACKAGES", folder), patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), mock_aws():
        cloud = Cloud(page, environment_of(page))
        for project in projects():
            cloud.deploy(project)
        yield Deployed(page.name, cloud)


Found = Counter[str]
Sections = dict[str, dict[str, Any]]
# What, how many of it there are, how many the page says.
Counts = Iterator[tuple[str, int, int]]


def differences(made: Deployed, page: Page) -> list[str]:
    """What was made otherwise than the page says, or than any environment is."""
    of_types = Counter(resource.type for resource in made.resources())
    sections = {key: value for key, value in page.config.items() if isinstance(value, dict)}
    asked = (_compute, _database, _stores, _way_out, _watched)
    counted = [f"{what}: {found} instead of {wanted}" for ask in asked for what, found, wanted in ask(of_types, sections) if found != wanted]
    return [*counted, *_domain(made, page), *_logging(made, page), *_contracts(made, page), *_always(made)]


def _count(types: Found, *prefixes: str) -> int:
    return sum(number for type_, number in types.items() if type_.startswith(prefixes))


def _compute(types: Found, sections: Sections) -> Counts:
    containers = "app:containers" in sections
    database, api = sections["data:database"].get("kind", "rds"), sections.get("app:api", {})
    migrates = database != "dynamodb"
    yield "functions", _count(types, "aws:lambda/function:"), 0 if containers else 4 + migrates
    yield "REST APIs", _count(types, "aws:apigateway/restApi:"), int(not containers)
    yield "anything of API Gateway's and Lambda's", int(_count(types, "aws:apigateway/", "aws:lambda/") > 0), int(not containers)
    yield "load balancers", _count(types, "aws:lb/loadBalancer:"), int(containers)
    yield "services", _count(types, "aws:ecs/service:"), 2 * containers
    yield "task definitions", _count(types, "aws:ecs/taskDefinition:"), (2 + migrates) * containers
    yield "web ACLs", _count(types, "aws:wafv2/webAcl:"), int(containers or "firewall" in api)
    yield "anything of containers'", int(_count(types, "aws:ecs/", "aws:ecr/", "aws:lb/") > 0), int(containers)
    yield "repositories", _count(types, "aws:ecr/repository:"), int(containers and "image" not in sections["app:containers"])
    yield "masks of what APIs log", _count(types, "aws:cloudwatch/logDataProtectionPolicy:"), int(not containers)


def _domain(made: Deployed, page: Page) -> Iterator[str]:
    """Containers have a domain, a copy's below its original's; an API has one where the page says so, and a copy's has none."""
    copied = page.config.get("platform:copyOf")
    asked = page.config.get("app:containers") or ({} if copied else page.config["app:api"])
    below = f"{page.config['platform:environmentSuffix']}." if copied else ""
    wanted = [f"{below}{asked['domain']['name']}"] if "domain" in asked else []
    found = [one.inputs["domainName"] for one in made.of("aws:acm/certificate:Certificate")]
    if found != wanted:
        yield f"certificates are for {found} instead of {wanted}"


def _logging(made: Deployed, page: Page) -> Iterator[str]:
    """API Gateway's logging role is the original's to set, where its page does not leave it to another environment of the account."""
    api = page.config.get("app:api")
    sets = api is not None and api.get("accountLogging", True) and not page.config.get("platform:copyOf")
    found = [len(made.of("aws:apigateway/account:Account")), len([one for one in made.of("aws:iam/role:Role") if one.name == "api-logs"])]
    if found != [int(sets)] * 2:
        yield f"the account's logging role is set and made {found} times instead of {int(sets)}"


def _database(types: Found, sections: Sections) -> Counts:
    database = sections["data:database"]
    kind = database.get("kind", "rds")
    instances = {"aurora": lambda: int(database["instances"]), "aurora-serverless": lambda: 1 + int(database["readers"])}
    yield "RDS instances", _count(types, "aws:rds/instance:"), int(kind == "rds")
    yield "Aurora clusters", _count(types, "aws:rds/cluster:"), int(kind.startswith("aurora"))
    yield "instances of clusters", _count(types, "aws:rds/clusterInstance:"), instances[kind]() if kind in instances else 0
    yield "anything of RDS's", int(_count(types, "aws:rds/") > 0), int(kind != "dynamodb")


def _stores(types: Found, sections: Sections) -> Counts:
    cached = "data:cache" in sections
    payments = sections["data:database"].get("kind") == "dynamodb"
    tables = 1 + (not cached) + payments
    yield "tables", _count(types, "aws:dynamodb/table:"), tables
    scaled = sections["data:tables"]["billing"] == "autoscaled"
    # Reads and writes of each table, and of the one index.
    services = 2 * ("app:containers" in sections)
    yield "what scales", _count(types, "aws:appautoscaling/target:"), services + scaled * 2 * (tables + payments)
    yield "replication groups", _count(types, "aws:elasticache/replicationGroup:"), int(cached)
    yield "buckets", _count(types, "aws:s3/bucket:"), 3


def _way_out(types: Found, sections: Sections) -> Counts:
    egress, endpoints, zones = sections["networking:egress"], sections["networking:endpoints"], sections["networking:vpc"]["availabilityZones"]
    gateways = 0 if egress["kind"] != "nat-gateway" else zones if egress["perZone"] else 1
    yield "NAT gateways", _count(types, "aws:ec2/natGateway:"), gateways
    yield "NAT instances", _count(types, "aws:ec2/instance:"), int(egress["kind"] == "nat-instance")
    # The way of the public subnets, and of the private ones of each zone.
    yield "routes to the internet", _count(types, "aws:ec2/route:"), 1 + (zones if egress["kind"] != "none" else 0)
    yield "endpoints", _count(types, "aws:ec2/vpcEndpoint:"), len(endpoints["gateway"]) + len(endpoints["interface"]) + ("processor" in endpoints)


def _watched(types: Found, sections: Sections) -> Counts:
    yield "any alarms", int(_count(types, "aws:cloudwatch/metricAlarm:") > 0), int("observability:alarms" in sections)
    yield "trails", _count(types, "aws:cloudtrail/trail:"), 1
    yield "dashboards", _count(types, "aws:cloudwatch/dashboard:"), 1
    yield "people told", _count(types, "aws:sns/topicSubscription:"), len(sections["observability:notifications"].get("emails", ()))


def _contracts(made: Deployed, page: Page) -> Iterator[str]:
    """Contracts that are not kept, and fields that are null where there is the thing, or the other way round."""
    environment = environment_of(page)
    shape = environment.shape
    image = (page.config.get("app:containers") or {}).get("image")
    there: dict[type[Contract], set[str]] = {contract: set() for contract in CONTRACTS}
    database = {"databaseIdentifier", "databaseAddress", "databaseEndpoint", "databasePort", "databaseName", "databaseUrl", "databaseSecretArn"}
    there[DataOutputs] |= database if shape.relational else {"paymentsTableName", "paymentsTableArn"}
    there[DataOutputs] |= {"databaseReaderAddress"} if shape.database.startswith("aurora") else set()
    there[DataOutputs] |= {"databaseKeyArn"} if shape.relational and shape.database_key == "customer" else set()
    cache = {"cacheIdentifier", "cacheNodeIds", "cacheAddress", "cachePort", "cacheSecretArn"}
    there[DataOutputs] |= cache if shape.cache else {"sessionsTableName", "sessionsTableArn"}
    balanced = {"clusterName", "loadBalancerArn", "loadBalancerArnSuffix", "targetGroupArnSuffix"} | ({"repositoryUrl"} if not image else set())
    there[AppOutputs] |= {"webAclName"} if shape.firewall else set()
    there[AppOutputs] |= balanced if shape.compute == "containers" else {"apiName", "apiStage", "apiKeySecretArn"}
    for contract in CONTRACTS:
        outputs = made.cloud.runs[contract.PROJECT].outputs
        yield from (f"{contract.__name__}: {problem}" for problem in contract.problems(outputs))
        given = {name for name in contract.optional() if outputs.get(name) is not None}
        yield from (f"{contract.__name__}: {name} is {'null' if name not in given else 'there'}" for name in sorted(given ^ there[contract]))


def _always(made: Deployed) -> Iterator[str]:
    """What holds of every environment, whatever its page says, and does not here."""
    environment = made.environment
    own = {"Environment": made.stage, "Suffix": environment.platform.environment_suffix, **environment.platform.tags.model_dump()}
    yield from (f"{found} is untagged" for found in checks.untagged(made, own))
    yield from (f"{found} has no suffix" for found in checks.without_suffix(made))
    yield from (f"{found} outlives its stack" for found in checks.kept(made))
    yield from (f"{found} is too much" for found in checks.too_much(made))
    for role in made.of("aws:iam/role:Role"):
        if role.inputs.get("permissionsBoundary") != boundary_arn(environment):
            yield f"{role.name} is not bounded by the environment's boundary"
    for resource in made.resources():
        arn = str(resource.outputs.get("arn") or "")
        _, _, _, region, account, *_ = [*arn.split(":"), "", "", "", "", ""]
        if account not in {"", environment.account} or region not in {"", environment.region}:
            yield f"{resource.urn} is elsewhere: {arn}"
    yield from _public(made)
    yield from _locked_out(made)


@dataclass(frozen=True)
class _Rehearsed(Rehearsed):
    """A rehearsal of a page that is in no file."""

    of: Environment

    @property
    def environment(self) -> Environment:
        """What the page says."""
        return self.of


def _locked_out(made: Deployed) -> Iterator[str]:
    """What roles are allowed, and cannot do all the same: because of their boundary, or of a resource's policy."""
    stacks = [{"project": project, "resources": [one.as_json() for one in run.resources]} for project, run in made.cloud.runs.items()]
    world = world_of(_Rehearsed(made.name, {"stacks": stacks}, made.environment))
    for role in world.roles:
        for statement in (one for policy in role.policies for one in policy.statements if one.allows):
            for request, thing in own_requests(role, statement, world):
                decision = decide(request, identity=role.policies, boundary=role.boundary, resource=thing.policy)
                if decision is not Decision.ALLOWED:
                    yield f"{role.word} cannot {request.action} on {request.resource}: {decision.value}"


def _public(made: Deployed) -> Iterator[str]:
    """Whatever the internet reaches that is not the load balancer, by HTTPS, from the page's addresses; and whatever it is reached by without HTTPS."""
    shape = made.environment.shape
    for rule in made.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        said = rule.inputs
        balanced = rule.name.startswith("load-balancer-from-") and said.get("cidrIpv4") in shape.clients and _is_https(said)
        if (said.get("cidrIpv4") and not balanced) or said.get("cidrIpv6") or said.get("prefixListId"):
            yield f"{rule.name} lets addresses in"
    for rule in made.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"):
        if rule.inputs.get("cidrIpv4") and (shape.way_out == "none" or not _is_https(rule.inputs)):
            yield f"{rule.name} lets out"
    for resource in made.resources():
        if resource.inputs.get("publiclyAccessible") or resource.inputs.get("mapPublicIpOnLaunch"):
            yield f"{resource.urn} is public"
        if (resource.inputs.get("networkConfiguration") or {}).get("assignPublicIp"):
            yield f"{resource.urn}: tasks have public addresses"
    listeners = [(one.inputs["port"], one.inputs["protocol"]) for one in made.of("aws:lb/listener:Listener")]
    yield from (f"a listener on {port} speaks {protocol}" for port, protocol in listeners if (port, protocol) != (HTTPS, "HTTPS"))
    blocks = [all(one.inputs[key] for key in _BLOCKED) for one in made.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")]
    if len(blocks) != len(made.of("aws:s3/bucket:Bucket")) or not all(blocks):
        yield "a bucket may be made public"


def _is_https(rule: dict[str, Any]) -> bool:
    return (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (HTTPS, HTTPS, "tcp")


_BLOCKED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
