"""The permissions boundary: the most that any role of the environment can do, whatever its own policy or a resource's says.

It allows the actions that roles of the platform use, denies all others, and of those that are used denies what is another environment's: by account, by
tag, and by name. Others are denied by name because an implicit deny does not limit what a resource's policy grants to a role's session (IAM user guide,
"Permissions boundaries for IAM entities"): a role that trusts everybody cannot be assumed, nor a function that is open to all be invoked.
It is the first thing made, and every role names it (shared/components/role.py).

Exceptions are AWS's doing, and stand here with their reasons:

- Log groups that AWS names for the whole account and region. API Gateway logs for all its APIs with the role that the account was last given
  ("Set up CloudWatch logging for REST APIs"), and Enhanced Monitoring writes for all databases to one group. Only these two roles get there.
- Secrets that RDS makes are called `rds!` and a UUID. Whose they are is told by the tag that RDS gives them, the database's ARN.
- What somebody else made, and the page names: the processor's secret and its key, the repository of an image.

Image layers are in a bucket of AWS's, but the address that ECR gives out is signed by ECR itself, so no role asks that bucket for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import Condition, Statement, policy
from shared.isolation import TELLING, boundary_name

# All that any role of the platform does, also what services do in its name; a test holds it to what the roles' own policies say.
ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
    "logs:PutRetentionPolicy",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)

# Services all of whose actions that a role could use name one resource by its name. `logs` and `ecr` have some that list, or are the account's.
_BY_NAME = ("dynamodb:*", "s3:*", "secretsmanager:*", "sns:*", "sqs:*")
_REPOSITORY_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOG_ACTIONS = ("logs:Create*", "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:Get*", "logs:Put*")

# Services whose resources have no policy that could grant anything to a role's session: there the implicit deny holds ("AWS services that work with
# IAM").
_WITHOUT_POLICIES = ("ec2", "xray")

# The buckets that roles use, each by its whole name: in `arn:aws:s3:::*-dev-main/*` the wildcard would also stand for a foreign bucket and a
# key that looks like a name of ours.
_BUCKETS = ("audit", "documents")

# Roles that write where AWS says, in groups of the whole account and region.
_ACCOUNT_WIDE: Mapping[str, Sequence[str]] = {
    "api-logs": ("/aws/apigateway/*", "API-Gateway-Execution-Logs_*"),
    "database-monitoring": ("RDS*",),
}


def statements(environment: Environment) -> list[Statement]:
    """What the boundary says of an environment's roles."""
    return [
        Statement(
            sid="UsedByThePlatform",
            actions=ACTIONS,
            resources=["*"],
            because="a boundary grants nothing; it is the most that a role's own policy can grant, and what follows takes away what is another's",
        ),
        Statement(sid="NothingElse", effect="Deny", not_actions=_spared(), resources=["*"]),
        _denied("OtherAccount", environment.shape.outside, {"aws:ResourceAccount": environment.account}),
        *(_denied(f"Other{tag}", _shared_or_outside(environment), {f"aws:ResourceTag/{tag}": environment.tags[tag]}) for tag in TELLING),
        _names(environment),
        *_logs(environment),
        *_database_secrets(environment),
    ]


def document(environment: Environment) -> dict[str, Any]:
    """The boundary in IAM's JSON form."""
    return {"Version": "2012-10-17", "Statement": [statement.document() for statement in statements(environment)]}


class Boundary(Component):
    """Produces the managed policy; every role that this program makes later comes after it.

    Outputs: `arn`.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        made = aws.iam.Policy(
            name,
            name=boundary_name(environment),
            description="The most that a role of this environment can do",
            policy=policy(*statements(environment)),
            opts=self.child(),
        )

        def after(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
            if args.type_ != "aws:iam/role:Role":
                return None
            return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(depends_on=[made])))

        # IAM refuses a role whose boundary is not there yet, and the role knows it by its ARN alone.
        pulumi.runtime.register_stack_transformation(after)
        self.arn = made.arn
        self.register_outputs({"arn": self.arn})


def _spared() -> list[str]:
    """ACTIONS, for the statement that denies all others; by service where that is enough, as a managed policy has no room for all of them twice."""
    services = {f"{service}:*" for service in _WITHOUT_POLICIES}
    return [*(action for action in ACTIONS if f"{action.partition(':')[0]}:*" not in services), *sorted(services)]


def _denied(sid: str, except_: Sequence[str], wanted: Mapping[str, str]) -> Statement:
    """Denies everything on what has another value than the one `wanted`; not on what has none, which StringNotEquals alone would take in."""
    conditions: Condition = {"StringNotEquals": wanted, "Null": dict.fromkeys(wanted, "false")}
    if except_:
        return Statement(sid=sid, effect="Deny", actions=["*"], not_resources=except_, conditions=conditions)
    return Statement(sid=sid, effect="Deny", actions=["*"], resources=["*"], conditions=conditions)


def _names(environment: Environment) -> Statement:
    """Denies what is called otherwise than this environment's things are."""
    name = _any_name(environment)
    own = [
        environment.arn("dynamodb", f"table/{name}"),
        environment.arn("dynamodb", f"table/{name}/*"),
        environment.arn("ecr", f"repository/{name}"),
        *(f"{environment.arn('s3', environment.names(word, naming.BUCKET), region='', account='')}{objects}" for word in _BUCKETS for objects in ("", "/*")),
        # Six characters are Secrets Manager's own (GetSecretValue, "SecretId").
        environment.arn("secretsmanager", f"secret:{name}-??????"),
        environment.arn("secretsmanager", "secret:rds!*"),
        environment.arn("sns", name),
        environment.arn("sqs", name),
    ]
    return Statement(sid="OtherNames", effect="Deny", actions=[*_BY_NAME, *_REPOSITORY_ACTIONS], not_resources=[*own, *environment.shape.outside])


def _logs(environment: Environment) -> list[Statement]:
    """Denies log groups that are not this environment's, and to a role that writes where AWS says all others."""
    name = _any_name(environment)
    own = [environment.arn("logs", f"log-group:/*/{name}{rest}") for rest in ("", ":*")]
    roles = {word: environment.arn("iam", f"role/{environment.names(word, naming.ROLE)}", region="") for word in _ACCOUNT_WIDE}

    def others(sid: str, groups: Sequence[str], conditions: Condition) -> Statement:
        return Statement(sid=sid, effect="Deny", actions=_LOG_ACTIONS, not_resources=groups, conditions=conditions)

    return [
        others("OtherLogs", own, {"ArnNotEquals": {"aws:PrincipalArn": list(roles.values())}}),
        *(
            others(f"AllBut{word.title().replace('-', '')}", _account_wide(environment, word), {"ArnEquals": {"aws:PrincipalArn": arn}})
            for word, arn in roles.items()
        ),
    ]


def _database_secrets(environment: Environment) -> list[Statement]:
    """Denies the secrets that RDS made for other databases (RDS user guide, "Password management with AWS Secrets Manager")."""
    name = _any_name(environment)
    return [
        Statement(
            sid=f"OtherDatabase{kind}",
            effect="Deny",
            actions=["secretsmanager:*"],
            resources=[environment.arn("secretsmanager", "secret:rds!*")],
            conditions={
                "StringNotLike": {f"aws:ResourceTag/aws:rds:primaryDB{kind}Arn": environment.arn("rds", f"{type_}:{name}")},
                "Null": {f"aws:ResourceTag/aws:rds:primaryDB{kind}Arn": "false"},
            },
        )
        for kind, type_ in (("Instance", "db"), ("Cluster", "cluster"))
    ]


def _any_name(environment: Environment) -> str:
    """What IAM's wildcards match of this environment's names."""
    names = environment.names
    return names.pattern.format(resource="*", stage=names.stage, suffix=names.suffix)


def _account_wide(environment: Environment, *words: str) -> list[str]:
    return [environment.arn("logs", f"log-group:{group}") for word in words for group in _ACCOUNT_WIDE[word]]


def _shared_or_outside(environment: Environment) -> list[str]:
    return [*_account_wide(environment, *_ACCOUNT_WIDE), *environment.shape.outside]
