"""Roles and resources of rehearsed environments, as IAM's evaluation sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from localcloud.rehearsal import Resource
from tests.architecture.rehearsed import Rehearsed
from tests.iam.conditions import Context, known
from tests.iam.evaluator import Caller, Policy, Request, Statement, many


@dataclass(frozen=True)
class Role:
    """A role, the policies that are its own, its boundary, and the AWS service that assumes it."""

    word: str
    arn: str
    tags: Mapping[str, str]
    policies: Sequence[Policy]
    boundary: Policy
    service: str = ""

    @cached_property
    def caller(self) -> Caller:
        """The role as the caller of a request."""
        return Caller(self.arn)

    @cached_property
    def known(self) -> Context:
        """Its part of a request's context."""
        return known(self.context())

    def may_ask(self, action: str) -> bool:
        """Whether any of the role's own policies allows the action on anything at all."""
        asked = self._asked
        if action not in asked:
            asked[action] = any(one.allows and one.is_about(action) for policy in self.policies for one in policy.statements)
        return asked[action]

    @cached_property
    def _asked(self) -> dict[str, bool]:
        return {}

    def context(self) -> dict[str, str]:
        """What AWS knows of a caller (IAM user guide, "AWS global condition context keys")."""
        tags = {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}
        known = {"aws:PrincipalArn": self.arn, "aws:PrincipalAccount": Caller(self.arn).account, "aws:PrincipalIsAWSService": "false"}
        return {**tags, **known, "aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@dataclass(frozen=True)
class Thing:
    """A resource that calls are about.

    arns: those that its service's actions name: of a bucket also an object's, of a log group a stream's. actions: those that matter.
    told: the tags that AWS holds a request's conditions to; none where the service does not (objects in S3).
    """

    kind: str
    arns: Sequence[str]
    actions: Sequence[str]
    account: str
    told: Mapping[str, str]
    policy: Policy | None = None

    @cached_property
    def known(self) -> Context:
        """Its part of a request's context."""
        return known(self.context())

    @property
    def is_closed(self) -> bool:
        """Whether it is of a kind that has a policy of its own; the secrets that RDS makes are RDS's."""
        return self.kind in CLOSED and "aws:secretsmanager:owningService" not in self.told

    @cached_property
    def is_open(self) -> bool:
        """Whether its own policy lets anybody in whose own policies say nothing."""
        return self.policy is not None and any(one.allows and _direct(one.said.get("Principal", {})) for one in self.policy.statements)

    def context(self) -> dict[str, str]:
        """What AWS knows of the resource of a request."""
        return {"aws:ResourceAccount": self.account, **{f"aws:ResourceTag/{key}": value for key, value in self.told.items()}}


@dataclass(frozen=True)
class World:
    """One environment's roles and resources."""

    name: str
    account: str
    region: str
    roles: Sequence[Role]
    things: Sequence[Thing]


def requests(role: Role, thing: Thing, actions: Sequence[str] | None = None) -> Iterator[Request]:
    """All that matters that a role could ask of something of this or another environment, or these actions of it."""
    wanted = thing.actions if actions is None else actions
    if not wanted:
        return
    context, caller = {**role.known, **thing.known}, role.caller
    # IAM does not hold this action to a role's tags ("Grant a user permissions to pass a role to an AWS service").
    untagged = {key: value for key, value in context.items() if not key.startswith("aws:resourcetag/")}
    for arn in thing.arns:
        for action in wanted:
            yield Request(caller, action, arn, thing.account, untagged if action == "iam:PassRole" else context)


def worth_asking(role: Role, thing: Thing) -> Iterator[Request]:
    """Those of the requests that could be allowed: by a policy of the role's, or by one of the thing's that needs none."""
    return requests(role, thing, [action for action in thing.actions if thing.is_open or role.may_ask(action)])


def own_requests(role: Role, statement: Statement, world: World) -> Iterator[tuple[Request, Thing]]:
    """What a statement allows, asked one by one, of the things that are there; a wildcard stands for a letter."""
    met = {key: many(value)[0] for keys in statement.said.get("Condition", {}).values() for key, value in keys.items()}
    for resource in statement.resources:
        arn = resource if resource == "*" else resource.replace("*", "a").replace("?", "a")
        nothing = Thing("", [arn], (), world.account, {})
        thing = next((one for one in world.things if arn == one.arns[0] or arn.startswith((f"{one.arns[0]}/", f"{one.arns[0]}:"))), nothing)
        context = known({**role.context(), **thing.context(), **met})
        for action in statement.actions:
            yield Request(Caller(role.arn), action, arn, world.account, context), thing


def _direct(principal: Any) -> bool:
    """Whether a grant to this principal needs none from the role's own policies; one to an account or a service is none to a role."""
    named = principal if isinstance(principal, str) else principal.get("AWS", [])
    return any(not one.endswith(":root") for one in many(named))


_OBJECT = "receipts/a.json"
_STREAM = "log-stream:a"

# By type: the ends of the ARNs that requests name, and the actions that read, write, or take over.
_KINDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "aws:s3/bucket:Bucket": (("", f"/{_OBJECT}"), ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutBucketPolicy")),
    "aws:dynamodb/table:Table": (("", "/index/due"), ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:DeleteTable")),
    "aws:sqs/queue:Queue": (("",), ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:PurgeQueue", "sqs:SetQueueAttributes")),
    "aws:sns/topic:Topic": (("",), ("sns:Publish", "sns:Subscribe", "sns:SetTopicAttributes")),
    "aws:kms/key:Key": (("",), ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")),
    "aws:secretsmanager/secret:Secret": (("",), ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret")),
    "aws:lambda/function:Function": (("",), ("lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:GetFunction")),
    "aws:cloudwatch/logGroup:LogGroup": (("", f":{_STREAM}"), ("logs:PutLogEvents", "logs:GetLogEvents", "logs:CreateLogStream", "logs:DeleteLogGroup")),
    "aws:ecr/repository:Repository": (("",), ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage")),
    "aws:ecs/cluster:Cluster": (("",), ("ecs:DescribeClusters", "ecs:DeleteCluster")),
    "aws:ecs/service:Service": (("",), ("ecs:UpdateService",)),
    "aws:rds/instance:Instance": (("",), ("rds:ModifyDBInstance", "rds:DeleteDBInstance")),
    "aws:rds/cluster:Cluster": (("",), ("rds:ModifyDBCluster", "rds:DeleteDBCluster")),
    "aws:elasticache/replicationGroup:ReplicationGroup": (("",), ("elasticache:ModifyReplicationGroup", "elasticache:DeleteReplicationGroup")),
    "aws:iam/role:Role": (("",), ("sts:AssumeRole", "iam:PassRole", "iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary")),
    "aws:ec2/subnet:Subnet": (("",), ("ec2:CreateNetworkInterface",)),
    "aws:ec2/securityGroup:SecurityGroup": (("",), ("ec2:CreateNetworkInterface", "ec2:AuthorizeSecurityGroupIngress")),
}

# The types of resource policies, and the input that says whose each is.
_POLICIES = {
    "aws:s3/bucketPolicy:BucketPolicy": "bucket",
    "aws:sqs/queuePolicy:QueuePolicy": "queueUrl",
    "aws:sns/topicPolicy:TopicPolicy": "arn",
    "aws:dynamodb/resourcePolicy:ResourcePolicy": "resourceArn",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "secretArn",
}

# The kinds whose things refuse foreign roles by a policy of their own; every environment has some of each, but for secrets.
_SECRET = "aws:secretsmanager/secret:Secret"
CLOSED = ("aws:s3/bucket:Bucket", "aws:sqs/queue:Queue", "aws:sns/topic:Topic", "aws:dynamodb/table:Table", "aws:kms/key:Key", _SECRET)


def world_of(rehearsed: Rehearsed) -> World:
    """The roles and resources of a rehearsal."""
    environment = rehearsed.environment
    found = list(rehearsed.of_aws())
    policies: dict[str, Policy] = {}
    for resource in found:
        if whose := _POLICIES.get(resource.type):
            policies[str(resource.inputs[whose])] = _policy(resource.inputs["policy"])
    things = [thing for resource in found for thing in _things(resource, environment.account, policies)]
    return World(rehearsed.name, environment.account, environment.region, list(_roles(found)), things)


def _policy(document: str) -> Policy:
    return Policy.of(json.loads(document))


def _roles(found: Sequence[Resource]) -> Iterator[Role]:
    inline: dict[str, list[Policy]] = {}
    managed: dict[str, Policy] = {}
    for resource in found:
        if resource.type == "aws:iam/rolePolicy:RolePolicy":
            inline.setdefault(resource.inputs["role"], []).append(_policy(resource.inputs["policy"]))
        elif resource.type == "aws:iam/policy:Policy":
            managed[resource.outputs["arn"]] = _policy(resource.inputs["policy"])
        else:
            assert resource.type != "aws:iam/rolePolicyAttachment:RolePolicyAttachment", f"{resource.urn}: what is attached is not looked at here"
    for resource in found:
        if resource.type == "aws:iam/role:Role":
            outputs = resource.outputs
            [trusted] = json.loads(resource.inputs["assumeRolePolicy"])["Statement"]
            own, bound = inline[outputs["name"]], managed[outputs["permissionsBoundary"]]
            yield Role(resource.name, outputs["arn"], outputs["tags"], own, bound, trusted["Principal"]["Service"])


def _things(resource: Resource, account: str, policies: Mapping[str, Policy]) -> Iterator[Thing]:
    for secret in resource.outputs.get("masterUserSecrets") or []:
        ends, actions = _KINDS[_SECRET]
        # The tags that RDS gives the secret; it has none of the database's (RDS user guide, "Password management with AWS Secrets Manager").
        kind = "Cluster" if ":cluster:" in resource.outputs["arn"] else "Instance"
        told = {"aws:secretsmanager:owningService": "rds", f"aws:rds:primaryDB{kind}Arn": resource.outputs["arn"]}
        yield Thing(_SECRET, [f"{secret['secretArn']}{end}" for end in ends], actions, account, told)
    if resource.type not in _KINDS:
        return
    ends, actions = _KINDS[resource.type]
    arn: str = resource.outputs["arn"]
    # General purpose buckets take part in access by tags only where that is switched on for them (S3, "Using tags with S3 buckets").
    told: dict[str, Any] = {} if resource.type == "aws:s3/bucket:Bucket" else resource.outputs.get("tags") or {}
    if resource.type == "aws:kms/key:Key":
        policy: Policy | None = _policy(resource.inputs["policy"])
    else:
        policy = next((policies[key] for key in (resource.id, arn) if key in policies), None)
    yield Thing(resource.type, [f"{arn}{end}" for end in ends], actions, account, told, policy)
