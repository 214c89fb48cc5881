"""The permissions boundary: a pure function of the environment, and in front of every role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pulumi
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from projects.networking import boundary
from projects.networking.boundary import Boundary
from shared import naming
from shared import page as pages
from shared.components.role import Role, RoleArgs
from shared.environment import Environment, environment_of
from shared.iam import Statement
from shared.isolation import boundary_arn
from tests.iam.conditions import known
from tests.iam.evaluator import ALLOW_ALL, Caller, Decision, Policy, Request, decide
from tests.projects.harness import empty_aws

# IAM and STS quotas: a managed policy, without white space.
MOST_CHARACTERS = 6_144

SECRET = "arn:aws:secretsmanager:us-east-1:999999999999:secret:stripe/key-AbCdEf"
KEY = "arn:aws:kms:us-east-1:999999999999:key/8d2c0b8e-6a5d-4a0e-9d1b-000000000000"


def environment(name: str, **changed: Any) -> Environment:
    return environment_of(pages.read(name).with_values(changed))


def decision(of: Environment, action: str, arn: str, role: str = "process-payment", **context: str) -> Decision:
    """What the boundary says to a role that may do everything."""
    caller = Caller(of.arn("iam", f"role/{of.names(role, naming.ROLE)}", region=""))
    account = context.setdefault("aws:ResourceAccount", of.account)
    ask = Request(caller, action, arn, account, known({"aws:PrincipalArn": caller.role, **context}))
    # The resource lets its own account decide; another account's lets everybody in.
    whom = {"AWS": account} if account == caller.account else "*"
    resource = Policy.of({"Statement": {"Effect": "Allow", "Principal": whom, "Action": "*", "Resource": "*"}})
    return decide(ask, identity=[ALLOW_ALL], boundary=Policy.of(boundary.document(of)), resource=resource)


def own_arns(of: Environment) -> Iterator[tuple[str, str]]:
    """What roles do with what this environment's names are given to."""
    names = of.names
    yield "s3:PutObject", f"arn:aws:s3:::{names('documents', naming.BUCKET)}/receipts/2026/a.json"
    yield "s3:PutObject", f"arn:aws:s3:::{names('audit', naming.BUCKET)}/audit/a.json"
    yield "dynamodb:PutItem", of.arn("dynamodb", f"table/{names('transaction-log', naming.TABLE)}")
    yield "dynamodb:Query", of.arn("dynamodb", f"table/{names('payments', naming.TABLE)}/index/due")
    yield "sqs:SendMessage", of.arn("sqs", names("payment-work-dlq", naming.QUEUE))
    yield "sns:Publish", of.arn("sns", names("payment-events", naming.TOPIC))
    yield "secretsmanager:GetSecretValue", of.arn("secretsmanager", f"secret:{names('cache')}-AbCdEf")
    yield "ecr:BatchGetImage", of.arn("ecr", f"repository/{names('payments')}")
    yield "logs:PutLogEvents", of.arn("logs", f"log-group:/aws/lambda/{names('process-payment', naming.FUNCTION)}:log-stream:2026/11/21/[1]a")
    yield "logs:CreateLogStream", of.arn("logs", f"log-group:/vpc/{names('flow-logs', naming.LOG_GROUP)}:log-stream:eni-1")


@pytest.mark.parametrize("name", pages.names())
def test_a_role_reaches_what_is_called_as_this_environment_calls_things(name: str) -> None:
    of = environment(name)
    for action, arn in own_arns(of):
        assert decision(of, action, arn) is Decision.ALLOWED, f"{action} on {arn}"
    for action in ("ecr:GetAuthorizationToken", "xray:PutTraceSegments", "ec2:DescribeNetworkInterfaces", "logs:DescribeLogGroups"):
        assert decision(of, action, "*") is Decision.ALLOWED, action
    assert decision(of, "kms:Decrypt", of.arn("kms", "key/1"), **_tags(of)) is Decision.ALLOWED


@pytest.mark.parametrize("name", pages.names())
def test_a_role_reaches_nothing_that_is_called_otherwise(name: str) -> None:
    of = environment(name)
    for copy in ({"suffix": f"{of.names.suffix}x"}, {"suffix": "other"}, {"account": "999999999999", "suffix": "other"}):
        other = replace(of, names=replace(of.names, **copy))
        for action, arn in own_arns(other):
            assert decision(of, action, arn) is Decision.EXPLICIT_DENY, f"{action} on {arn}"


def test_the_key_of_an_object_is_not_taken_for_the_name_of_its_bucket() -> None:
    of = environment("dev")
    assert decision(of, "s3:PutObject", f"arn:aws:s3:::elsewhere/{of.names('documents', naming.BUCKET)}/a") is Decision.EXPLICIT_DENY


def test_a_name_within_another_environments_names_is_told_by_its_tags() -> None:
    """`payment-*-dev` is also the pattern of what an environment with the suffix `x-dev` has."""
    of = environment("containers-dev")
    arn = of.arn("sqs", "payment-payment-work-x-dev")
    assert decision(of, "sqs:SendMessage", arn) is Decision.ALLOWED
    assert decision(of, "sqs:SendMessage", arn, **_tags(of, Suffix="x-dev")) is Decision.EXPLICIT_DENY


@pytest.mark.parametrize(("tag", "value"), [("Environment", "prod"), ("Suffix", "other")])
def test_a_key_of_another_environment_is_known_by_its_tags(tag: str, value: str) -> None:
    of = environment("dev")
    assert decision(of, "kms:Decrypt", of.arn("kms", "key/1"), **_tags(of, **{tag: value})) is Decision.EXPLICIT_DENY
    assert decision(of, "kms:Decrypt", of.arn("kms", "key/1"), **{f"aws:ResourceTag/{tag}": value}) is Decision.EXPLICIT_DENY
    assert decision(of, "kms:Decrypt", of.arn("kms", "key/1")) is Decision.ALLOWED


def test_a_resource_of_another_account_is_out_of_reach_whatever_it_is_called() -> None:
    of = environment("dev")
    for action, arn in own_arns(of):
        assert decision(of, action, arn, **{"aws:ResourceAccount": "999999999999"}) is Decision.EXPLICIT_DENY, arn


@pytest.mark.parametrize(("kind", "type_"), [("Instance", "db"), ("Cluster", "cluster")])
def test_of_the_secrets_that_rds_makes_only_those_of_our_databases(kind: str, type_: str) -> None:
    of = environment("dev")
    secret = of.arn("secretsmanager", "secret:rds!db-8d2c0b8e-6a5d-4a0e-9d1b-000000000000-AbCdEf")
    for name, wanted in ((of.names("database", naming.DATABASE), Decision.ALLOWED), ("database-dev-other", Decision.EXPLICIT_DENY)):
        owner = {f"aws:ResourceTag/aws:rds:primaryDB{kind}Arn": of.arn("rds", f"{type_}:{name}")}
        assert decision(of, "secretsmanager:GetSecretValue", secret, **owner) is wanted


@pytest.mark.parametrize(
    ("group", "role"),
    [
        ("/aws/apigateway/payments-dev-other/access", "api-logs"),
        ("API-Gateway-Execution-Logs_abc/dev", "api-logs"),
        ("RDSOSMetrics", "database-monitoring"),
    ],
)
def test_logs_of_the_whole_account_are_for_the_role_that_aws_wants_them_of(group: str, role: str) -> None:
    of = environment("dev")
    of_all, own = (of.arn("logs", f"log-group:{name}:log-stream:a") for name in (group, f"/aws/lambda/{of.names('process-payment')}"))
    assert decision(of, "logs:PutLogEvents", of_all, role, **_tags(of, Suffix="other")) is Decision.ALLOWED
    assert decision(of, "logs:PutLogEvents", own, role) is Decision.EXPLICIT_DENY
    for another in {"api-logs", "database-monitoring", "process-payment"} - {role}:
        assert decision(of, "logs:PutLogEvents", of_all, another) is Decision.EXPLICIT_DENY


# What no role of the platform does, on what bears no tags: another identity's, or more than was meant of what is ours.
TAKEN_OVER = (
    ("sts:AssumeRole", "iam", "role/untagged"),
    ("sts:TagSession", "iam", "role/untagged"),
    ("iam:PassRole", "iam", "role/untagged"),
    ("iam:PutRolePolicy", "iam", "role/untagged"),
    ("kms:CreateGrant", "kms", "key/1"),
    ("kms:PutKeyPolicy", "kms", "key/1"),
    ("lambda:InvokeFunction", "lambda", "function:untagged"),
    ("lambda:UpdateFunctionCode", "lambda", "function:untagged"),
    ("sqs:SetQueueAttributes", "sqs", "payment-work-dev-main"),
    ("secretsmanager:PutSecretValue", "secretsmanager", "secret:cache-dev-main-AbCdEf"),
)


def granted_past_the_boundary(of: Environment, action: str, arn: str) -> Iterator[tuple[str, Decision]]:
    """What comes of a resource's grants that no implicit deny of a boundary limits: to the session, and to everybody who is this role."""
    caller = Caller(of.arn("iam", f"role/{of.names('process-payment', naming.ROLE)}", region=""))
    ask = Request(caller, action, arn, of.account, known({"aws:PrincipalArn": caller.role, "aws:ResourceAccount": of.account}))
    for principal, condition in (({"AWS": caller.session}, {}), ("*", {}), ("*", {"ArnEquals": {"aws:PrincipalArn": caller.role}})):
        grant = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", "Condition": condition}
        for identity in ([], [ALLOW_ALL]):
            found = decide(ask, identity=identity, boundary=Policy.of(boundary.document(of)), resource=Policy.of({"Statement": grant}))
            yield f"{principal} {condition}", found


@pytest.mark.parametrize(("action", "service", "resource"), TAKEN_OVER)
def test_no_resource_policy_gives_a_role_or_its_session_what_the_platform_does_not_do(action: str, service: str, resource: str) -> None:
    of = environment("dev")
    for grant, decision_ in granted_past_the_boundary(of, action, of.arn(service, resource, region="" if service == "iam" else None)):
        assert decision_ is Decision.EXPLICIT_DENY, grant


def test_what_the_platform_does_a_resource_policy_may_give() -> None:
    """Or the test above would show nothing but that grants to sessions are not decided at all."""
    of = environment("dev")
    assert {found for _, found in granted_past_the_boundary(of, "kms:Decrypt", of.arn("kms", "key/1"))} == {Decision.ALLOWED}


@given(st.from_regex(r"(sts|iam|kms|s3|sqs|ecr|lambda|organizations|logs|ec2|xray):[A-Z][a-z]{1,9}", fullmatch=True), st.booleans())
def test_what_no_role_does_is_denied_by_name_where_a_resource_could_grant_it(action: str, bare: bool) -> None:
    of = environment("dev")
    arn = "*" if bare else of.arn(action.partition(":")[0], "anything")
    caller = Caller(of.arn("iam", f"role/{of.names('process-payment', naming.ROLE)}", region=""))
    ask = Request(caller, action, arn, of.account, known({"aws:PrincipalArn": caller.role, "aws:ResourceAccount": of.account}))
    policy = Policy.of(boundary.document(of))
    assume(action not in boundary.ACTIONS)
    assert not policy.allows(ask)
    assert policy.denies(ask) or action.startswith(("ec2:", "xray:"))


def test_what_somebody_else_made_is_reached_where_the_page_names_it() -> None:
    processor = {"name": "stripe", "secretArn": SECRET, "secretKeyArn": KEY}
    of, without = environment("dev", **{"app:processor": processor}), environment("dev")
    theirs = {"aws:ResourceAccount": "999999999999", "aws:ResourceTag/Environment": "payments"}
    for action, arn in (("secretsmanager:GetSecretValue", SECRET), ("kms:Decrypt", KEY)):
        assert decision(of, action, arn, **theirs) is Decision.ALLOWED
        assert decision(without, action, arn, **theirs) is Decision.EXPLICIT_DENY
        assert decision(of, action, f"{arn}x", **theirs) is Decision.EXPLICIT_DENY


def test_an_image_is_fetched_from_where_the_page_says() -> None:
    page = pages.read("containers-dev")
    containers = {**page.config["app:containers"], "image": "999999999999.dkr.ecr.eu-west-1.amazonaws.com/team/payments:1.2.3"}
    of = environment_of(page.with_values({"app:containers": containers}))
    assert of.shape.outside == ("arn:aws:ecr:eu-west-1:999999999999:repository/team/payments",)
    assert decision(of, "ecr:BatchGetImage", of.shape.outside[0], **{"aws:ResourceAccount": "999999999999"}) is Decision.ALLOWED
    elsewhere = {**containers, "image": "registry.example.com/team/payments@sha256:" + "0" * 64}
    assert environment_of(page.with_values({"app:containers": elsewhere})).shape.outside == ()


@pytest.mark.parametrize("name", pages.names())
def test_it_is_no_longer_than_a_managed_policy_may_be(name: str) -> None:
    page = pages.read(name)
    longest = next(size for size in range(60, 0, -1) if not list(replace(environment_of(page).names, suffix="x" * size).problems()))
    assert longest >= 8
    outside = {"app:processor": {"name": "stripe", "secretArn": SECRET, "secretKeyArn": KEY}, "platform:environmentSuffix": "x" * longest}
    document = json.dumps(boundary.document(environment_of(page.with_values(outside))), separators=(",", ":"))
    assert len(document) <= MOST_CHARACTERS


def test_every_role_is_made_after_the_boundary_that_it_names() -> None:
    seen: list[Any] = []

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_ == "aws:iam/role:Role":
            seen.append(args.opts.depends_on)

    def components(of: Environment) -> None:
        made = Boundary("boundary", of)
        pulumi.runtime.register_stack_transformation(look)
        read = Statement(sid="Read", actions=["s3:GetObject"], resources=["arn:aws:s3:::documents/*"])
        Role("reader", of, RoleArgs(service="lambda.amazonaws.com", description="Reads", statements=[read]))
        seen.append(made)

    with empty_aws("dev") as cloud:
        cloud.make(components)
        iam, arn = cloud.client("iam"), boundary_arn(cloud.environment)
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"] == boundary.document(cloud.environment)
        assert iam.get_role(RoleName="reader-dev-main")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    [[before], _] = seen
    assert before.__class__.__name__ == "Policy"


def _tags(of: Environment, **other: str) -> dict[str, str]:
    return {f"aws:ResourceTag/{tag}": value for tag, value in {**of.tags, **other}.items()}
