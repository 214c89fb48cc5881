"""What every environment holds, held to the platform's rules: parents, tags, permissions, networks, deletion."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import pytest
from jsonschema import Draft202012Validator

from localcloud import catalogue
from localcloud.rehearsal import STACK_REFERENCE, Resource
from ops.projects import projects
from projects.observability.metrics import INDEXES
from shared.page import ROOT
from tests.architecture.rehearsed import ENVIRONMENTS, STAGES, Rehearsed, resource_class

T = TypeVar("T")

_BOUNDARY = "UsedByThePlatform"

# Statements that may use the resource `*`, by the type and the statement's Sid: nothing narrower can be said there.
ANY_RESOURCE = {
    ("aws:iam/rolePolicy:RolePolicy", "NetworkInterfaces"): "Lambda makes a function's interfaces in its role's name, before any has an ARN",
    ("aws:iam/rolePolicy:RolePolicy", "Traces"): "X-Ray's Put calls have no resource",
    ("aws:iam/rolePolicy:RolePolicy", "List"): "DescribeLogGroups lists, and has no single group to name",
    ("aws:iam/policy:Policy", _BOUNDARY): "the boundary grants nothing: it is the most that roles' own policies can grant",
    ("aws:kms/key:Key", "Account"): "a key policy's resource is the key itself",
    ("aws:kms/key:Key", "CloudWatchLogs"): "a key policy's resource is the key itself",
    ("aws:kms/key:Key", "CloudTrailFiles"): "a key policy's resource is the key itself",
    ("aws:kms/key:Key", "CloudTrailKey"): "a key policy's resource is the key itself",
    ("aws:kms/key:Key", "CloudWatchAlarms"): "a key policy's resource is the key itself",
    ("aws:iam/rolePolicy:RolePolicy", "Registry"): "ecr:GetAuthorizationToken is for the whole registry, and has no repository to name",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "OwnAccount"): "it narrows what callers' own policies allow, to callers of the account",
}
# Statements that let in anybody, without a condition on the account.
ANYBODY = {
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "ImageLayers"): "images' layers are in a bucket of AWS's (Amazon ECR, Minimum Amazon S3 Bucket Permissions)",
}
# Policies (no role's) that may allow all actions of a service.
ANY_ACTION = {
    ("aws:kms/key:Key", "Account"): "without it nobody could administer the key; it hands the decision to IAM",
}


@cache
def inputs(type_: str) -> set[str]:
    """The inputs of a type in the official SDK (snake_case)."""
    made_by: Any = resource_class(type_)
    return set(inspect.signature(made_by._internal_init).parameters)


def under(value: Any) -> Iterator[Any]:
    """The value and all that is in it."""
    yield value
    if isinstance(value, dict):
        for entry in value.values():
            yield from under(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from under(entry)


def many(value: Any) -> list[Any]:
    """IAM writes a list of one without the list."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Said:
    """One statement of a policy in a resource's inputs."""

    resource: Resource
    statement: dict[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """By what the lists above know it."""
        return self.resource.type, self.statement.get("Sid", "")

    @property
    def allows(self) -> bool:
        """Not a Deny."""
        return self.statement["Effect"] == "Allow"

    def __str__(self) -> str:
        return f"{self.resource.type} {self.resource.name}: {self.statement.get('Sid')}"


def statements(rehearsed: Rehearsed) -> Iterator[Said]:
    """Every statement of every policy document of IAM's language, whichever input it stands in."""
    for resource in rehearsed.of_aws():
        if resource.type == "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy":
            continue  # what CloudWatch Logs masks is said in a language of its own
        for text in under(resource.inputs):
            if isinstance(text, str) and text.startswith("{") and '"Statement"' in text:
                yield from (Said(resource, statement) for statement in many(json.loads(text)["Statement"]))


def test_the_file_is_as_its_schema_says(rehearsed: Rehearsed) -> None:
    schema = json.loads((ROOT / "docs/schemas/rehearsal.schema.json").read_text())
    Draft202012Validator(schema).validate(rehearsed.content)
    assert [stack.project for stack in rehearsed.stacks()] == list(projects())


def test_every_resource_belongs_to_a_component(rehearsed: Rehearsed) -> None:
    for stack in rehearsed.stacks():
        for resource in stack.resources.values():
            if resource.type == STACK_REFERENCE:
                assert resource.parent == stack.urn
            elif resource.type.startswith("payments:"):
                assert resource.parent == stack.urn or resource.parent in stack.resources, f"{resource.urn} has no parent"
            else:
                parent = stack.resources.get(resource.parent)
                assert parent is not None, f"{resource.urn} is nobody's child"
                assert parent.type.startswith("payments:"), f"{resource.urn} is a child of {parent.type}"


def test_a_component_is_named_after_its_project(rehearsed: Rehearsed) -> None:
    for stack in rehearsed.stacks():
        for resource in stack.resources.values():
            if resource.type.startswith("payments:"):
                assert re.fullmatch(rf"payments:(shared|{stack.project}):[A-Z][A-Za-z]+", resource.type), resource.urn


def test_no_logical_name_has_the_environment_in_it(rehearsed: Rehearsed) -> None:
    words = re.compile(rf"\b({'|'.join([*STAGES, *ENVIRONMENTS])})\b")
    for stack in rehearsed.stacks():
        assert [entry.urn for entry in stack.resources.values() if entry.type != STACK_REFERENCE and words.search(entry.name)] == []


def test_everything_taggable_bears_the_tags(rehearsed: Rehearsed) -> None:
    wanted = rehearsed.environment.tags
    assert set(wanted) == {"Environment", "Project", "Team", "CostCenter", "DataClassification", "Suffix"}
    taggable = 0
    for resource in rehearsed.of_aws():
        for name in ("tags", "volume_tags"):
            if name in inputs(resource.type):
                taggable += 1
                borne = resource.inputs.get("tags" if name == "tags" else "volumeTags") or {}
                assert wanted.items() <= borne.items(), f"{resource.urn} has {name} {borne}"
    assert taggable > 60


def test_the_table_takes_tags_wherever_aws_does(rehearsed: Rehearsed) -> None:
    for type_ in {resource.type for resource in rehearsed.of_aws()}:
        assert catalogue.kind(type_).tagged == ("tags" in inputs(type_)), type_


def test_no_role_may_do_everything(rehearsed: Rehearsed) -> None:
    found = 0
    for said in statements(rehearsed):
        assert not (said.allows and "NotAction" in said.statement), f"{said} says what it does not mean"
        if said.resource.type.startswith("aws:iam/") and said.statement.get("Sid") != _BOUNDARY:
            found += 1
            assert not (said.allows and any(action.split(":")[-1] == "*" for action in many(said.statement["Action"]))), f"{said} allows every action"
    assert found > 10


def test_no_policy_allows_every_action_without_a_reason(rehearsed: Rehearsed) -> None:
    for said in statements(rehearsed):
        if said.allows and any(action.split(":")[-1] == "*" for action in many(said.statement["Action"])):
            assert said.key in ANY_ACTION, f"{said} allows every action"


def test_no_policy_names_every_resource_without_a_reason(rehearsed: Rehearsed) -> None:
    for said in statements(rehearsed):
        assert not (said.allows and "NotResource" in said.statement), f"{said} says what it does not mean"
        if said.allows and "*" in many(said.statement.get("Resource", [])):
            assert said.key in ANY_RESOURCE, f"{said} is about every resource"


def test_nobody_is_let_in_without_a_condition(rehearsed: Rehearsed) -> None:
    for said in statements(rehearsed):
        principal = said.statement.get("Principal", {})
        if said.allows and (principal == "*" or "*" in many(principal.get("AWS", []))):
            own = "aws:PrincipalAccount" in said.statement.get("Condition", {}).get("StringEquals", {})
            assert own or said.key in ANYBODY, f"{said} lets anybody in"
            assert own or "*" not in many(said.statement["Resource"]), f"{said} lets anybody at everything"


def test_every_reason_is_still_needed(rehearse_once: Callable[[str], Rehearsed]) -> None:
    allowed = [said for name in ENVIRONMENTS for said in statements(rehearse_once(name)) if said.allows]
    everything = {said.key for said in allowed if any(action.split(":")[-1] == "*" for action in many(said.statement["Action"]))}
    everywhere = {said.key for said in allowed if "*" in many(said.statement.get("Resource", []))}
    assert set(ANY_ACTION) == everything
    assert set(ANY_RESOURCE) == everywhere
    assert set(ANYBODY) <= {said.key for said in allowed}


def test_nothing_is_open_to_the_world(rehearsed: Rehearsed) -> None:
    rules = list(rehearsed.of_aws("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"))
    # Functions are called by AWS, not by an address: where there is no other tier, nothing is let in.
    assert bool(rules) is ({group.name for group in rehearsed.of_aws("aws:ec2/securityGroup:SecurityGroup")} != {"functions"})
    for rule in rules:
        if rule.name.startswith("load-balancer-from-"):
            assert rule.inputs["cidrIpv4"] in rehearsed.environment.shape.clients, f"{rule.name} lets in whom the page does not name"
            assert (rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs["ipProtocol"]) == (443, 443, "tcp"), f"{rule.name} lets in more than HTTPS"
            continue
        assert rule.inputs.get("referencedSecurityGroupId"), f"{rule.name} names no security group as its source"
        assert not {"cidrIpv4", "cidrIpv6", "prefixListId"} & set(rule.inputs), f"{rule.name} lets addresses in"
    for type_ in ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        for group in rehearsed.of_aws(type_):
            assert not group.inputs.get("ingress"), f"{group.name} has rules that no rule of ours is"
            assert not group.inputs.get("egress"), f"{group.name} has rules that no rule of ours is"
    for type_, name in (("aws:rds/instance:Instance", "publiclyAccessible"), ("aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch")):
        for resource in rehearsed.of_aws(type_):
            assert resource.inputs[name] is False, resource.urn


def test_the_way_out_is_https_alone(rehearsed: Rehearsed) -> None:
    for rule in rehearsed.of_aws("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"):
        if rule.inputs.get("cidrIpv4") == "0.0.0.0/0":
            ports = {name: rule.inputs.get(name) for name in ("ipProtocol", "fromPort", "toPort")}
            assert ports == {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}, rule.name


@pytest.mark.parametrize(
    ("snake", "camel", "wanted"),
    [
        ("force_destroy", "forceDestroy", (True,)),
        ("skip_final_snapshot", "skipFinalSnapshot", (True,)),
        ("deletion_protection", "deletionProtection", (False, None)),
        ("deletion_protection_enabled", "deletionProtectionEnabled", (False, None)),
        ("skip_destroy", "skipDestroy", (False, None)),
        ("disable_api_termination", "disableApiTermination", (False, None)),
    ],
)
def test_everything_can_be_destroyed(rehearsed: Rehearsed, snake: str, camel: str, wanted: tuple[bool | None, ...]) -> None:
    # An instance's forceDestroy is for one with disableApiTermination, and none has that; a cluster's instance's is for one that replicates another cluster.
    excepted = {"aws:ec2/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"} if snake == "force_destroy" else set[str]()
    for resource in rehearsed.of_aws():
        if snake in inputs(resource.type) and resource.type not in excepted:
            assert resource.inputs.get(camel) in wanted, f"{resource.urn}: {camel} is {resource.inputs.get(camel)}"


def test_endpoints_let_through_what_the_service_may_do(rehearsed: Rehearsed) -> None:
    let_through: dict[str, set[str]] = {}
    for endpoint in rehearsed.of_aws("aws:ec2/vpcEndpoint:VpcEndpoint"):
        # As in com.amazonaws.us-east-1.ecr.api.
        service = endpoint.inputs["serviceName"].split(".")[3]
        let_through.setdefault(service, set()).update(many(json.loads(endpoint.inputs["policy"])["Statement"][0]["Action"]))
    # What functions and containers call from within the VPC. On Fargate images, secrets and logs come and go by the task's own interface.
    tasks = {f"{task.name}-task" for task in rehearsed.of_aws("aws:ecs/taskDefinition:TaskDefinition")}
    callers = {function.name for function in rehearsed.of_aws("aws:lambda/function:Function")} | tasks | ({"task-execution"} if tasks else set[str]())
    # The use of keys is asked of KMS by the services that encrypt; Lambda sends logs and traces itself.
    elsewhere = {"kms"} if tasks else {"kms", "logs", "xray"}
    asked = 0
    for said in statements(rehearsed):
        if said.resource.type == "aws:iam/rolePolicy:RolePolicy" and said.resource.name in callers and said.allows:
            for action in many(said.statement["Action"]):
                service = action.split(":")[0]
                if service in let_through and service not in elsewhere:
                    asked += 1
                    assert action in let_through[service], f"{said}: the VPC endpoint of {service} does not let {action} through"
    assert asked > 5


def test_every_log_is_encrypted_and_ends(rehearsed: Rehearsed) -> None:
    groups = list(rehearsed.of_aws("aws:cloudwatch/logGroup:LogGroup"))
    assert groups != []
    for group in groups:
        assert group.inputs.get("kmsKeyId"), group.name
        assert group.inputs["retentionInDays"] == rehearsed.environment.platform.log_retention_days, group.name


def test_every_index_of_a_table_is_watched(rehearsed: Rehearsed) -> None:
    tables = rehearsed.of_aws("aws:dynamodb/table:Table")
    made = {table.name: tuple(index["name"] for index in table.inputs.get("globalSecondaryIndexes", ())) for table in tables}
    assert {name: indexes for name, indexes in made.items() if indexes} == {name: indexes for name, indexes in INDEXES.items() if name in made}
