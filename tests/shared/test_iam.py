"""Policy documents: what a statement may not say, and what it says in IAM's JSON."""

from __future__ import annotations

from typing import Any

import pytest

from shared.environment import Environment
from shared.iam import Statement, policy, trust
from tests.projects.harness import empty_aws


def document(*statements: Statement) -> list[dict[str, Any]]:
    """The statements as a role's policy says them, read back from IAM."""
    import pulumi_aws as aws

    def components(_: Environment) -> None:
        role = aws.iam.Role("role", name="role", assume_role_policy=trust("lambda.amazonaws.com", account="123456789012"))
        aws.iam.RolePolicy("policy", name="policy", role=role.name, policy=policy(*statements))

    with empty_aws("dev") as cloud:
        cloud.make(components)
        found = cloud.client("iam").get_role_policy(RoleName="role", PolicyName="policy")["PolicyDocument"]
    assert found["Version"] == "2012-10-17"
    return list(found["Statement"])


def test_one_action_and_one_resource_stand_alone_and_several_in_a_list() -> None:
    one = Statement(sid="One", actions=["s3:GetObject"], resources=["arn:aws:s3:::a/*"])
    two = Statement(sid="Two", actions=["s3:GetObject", "s3:PutObject"], resources=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"])
    assert document(one, two) == [
        {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"},
        {"Sid": "Two", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]},
    ]


def test_conditions_and_denials_are_kept() -> None:
    conditions = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
    [found] = document(Statement(sid="No", effect="Deny", actions=["kms:Decrypt"], resources=["*"], conditions=conditions))
    assert found == {"Sid": "No", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": conditions}


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ({"sid": "With space"}, "may only have letters and digits"),
        ({"sid": ""}, "may only have letters and digits"),
        ({"actions": ["s3:*"]}, r"'s3:\*' allows everything"),
        ({"actions": ["*"]}, r"'\*' is no action of one service"),
        ({"actions": ["*"], "resources": ["*"], "because": "it is easier"}, r"'\*' is no action of one service"),
        ({"actions": ["*:GetObject"]}, "is no action of one service"),
        ({"actions": ["s3:Get?bject"]}, "is no action of one service"),
        ({"actions": ["GetObject"]}, "is no action of one service"),
        ({"actions": ["s3:GetObject", "s3:get object"]}, "is no action of one service"),
        ({"resources": ["*"]}, r"resource '\*' goes with `because`"),
        ({"resources": ["arn:aws:s3:::a", "*"]}, r"resource '\*' goes with `because`"),
        ({"because": "no reason is needed for an ARN"}, r"resource '\*' goes with `because`"),
        ({"resources": ["arn:aws:s3:::*"]}, r"resource 'arn:aws:s3:::\*' goes with `because`"),
        ({"resources": ["arn:aws:sqs:us-east-1:*:work"]}, "goes with `because`"),
        ({"resources": ["arn:aws:sqs:*:123456789012:work"]}, "goes with `because`"),
        ({"resources": ["arn:aws:sns:us-east-1:123456789012:*-dev-main"]}, "goes with `because`"),
        ({"resources": ["arn:aws:dynamodb:us-east-1:123456789012:table/*"]}, "goes with `because`"),
        ({"resources": ["arn:aws:logs:us-east-1:123456789012:log-group:*"]}, "goes with `because`"),
        ({"actions": ()}, "wants actions"),
        ({"actions": (), "not_actions": ["s3:GetObject"]}, "NotAction is for a Deny"),
        ({"not_actions": ["s3:GetObject"], "effect": "Deny"}, "NotAction is for a Deny without an Action"),
        ({"actions": (), "not_actions": ["GetObject"], "effect": "Deny"}, "is no action of one service"),
        ({"not_resources": ["arn:aws:s3:::a"], "resources": ()}, "NotResource is for a Deny"),
        ({"not_resources": ["arn:aws:s3:::a"], "effect": "Deny"}, "NotResource is for a Deny without a Resource"),
    ],
)
def test_a_statement_that_says_too_much_is_refused(statement: dict[str, Any], rule: str) -> None:
    said: dict[str, Any] = {"sid": "Some", "actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::a"], **statement}
    with pytest.raises(ValueError, match=rule):
        Statement(**said)


@pytest.mark.parametrize(
    "statement",
    [
        {"actions": ["kms:GenerateDataKey*"]},
        {"actions": ["xray:PutTraceSegments"], "resources": ["*"], "because": "X-Ray has no resource to name"},
        {"actions": ["kms:*"], "resources": ["*"], "because": "the key itself"},
        {"actions": ["s3:*"], "effect": "Deny"},
        {"actions": ["*"], "resources": ["*"], "effect": "Deny"},
        {"not_actions": ["s3:GetObject", "sqs:*"], "resources": ["*"], "effect": "Deny"},
        {"actions": ["*"], "resources": (), "not_resources": ["arn:aws:s3:::a"], "effect": "Deny"},
        {"actions": ["logs:PutLogEvents"], "resources": ["arn:aws:logs:us-east-1:123456789012:log-group:a:*"]},
        {"actions": ["s3:PutObject"], "resources": ["arn:aws:s3:::a/receipts/*"]},
        {"actions": ["execute-api:Invoke"]},
    ],
)
def test_what_is_narrow_or_has_its_reason_is_taken(statement: dict[str, Any]) -> None:
    said: dict[str, Any] = {"sid": "Some", "resources": ["arn:aws:s3:::a"], **statement}
    made = Statement(**said)
    assert made.document()["Sid"] == "Some"
    assert "because" not in made.document()


def test_a_denial_of_everything_else_names_what_is_left() -> None:
    [found] = document(Statement(sid="Others", effect="Deny", actions=["s3:*"], not_resources=["arn:aws:s3:::a", "arn:aws:s3:::a/*"]))
    assert found == {"Sid": "Others", "Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"]}


def test_a_denial_of_all_other_actions_names_those_that_are_left() -> None:
    [found] = document(Statement(sid="Others", effect="Deny", not_actions=["s3:GetObject", "s3:PutObject"], resources=["*"]))
    assert found == {"Sid": "Others", "Effect": "Deny", "NotAction": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}


def trusted(service: str, **about: Any) -> dict[str, Any]:
    import pulumi_aws as aws

    def components(_: Environment) -> None:
        aws.iam.Role("role", name="role", assume_role_policy=trust(service, account="123456789012", **about))

    with empty_aws("dev") as cloud:
        cloud.make(components)
        [statement] = cloud.client("iam").get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return dict(statement)


def test_a_service_assumes_a_role_on_behalf_of_this_account_and_source_only() -> None:
    found = trusted("vpc-flow-logs.amazonaws.com", arn="arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*")
    assert (found["Action"], found["Principal"]) == ("sts:AssumeRole", {"Service": "vpc-flow-logs.amazonaws.com"})
    assert found["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*"},
    }
    assert trusted("vpc-flow-logs.amazonaws.com")["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", "apigateway.amazonaws.com", "cloudtrail.amazonaws.com"])
def test_services_that_name_no_source_are_trusted_without(service: str) -> None:
    assert "Condition" not in trusted(service)
