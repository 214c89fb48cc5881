"""The evaluator, held to what the IAM user guide says of policies, with its examples where it has some."""

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.conditions import UnknownError, holds, known
from tests.iam.evaluator import ALLOW_ALL, Caller, Decision, Policy, Request, decide

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/examplerole"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/examplerole/session"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"


def request(action: str, resource: str = f"{BUCKET}/a", account: str = ACCOUNT, **context: str) -> Request:
    return Request(Caller(ROLE), action, resource, account, known(context))


def allow(*actions: str, **more: Any) -> Policy:
    return Policy.of({"Statement": {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}})


def deny(*actions: str, **more: Any) -> Policy:
    return Policy.of({"Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}]})


def to(principal: str, action: str = "s3:GetObject") -> Policy:
    return allow(action, Principal={"AWS": principal})


# --- policy evaluation logic: requests within an account ---------------------------------------------------------------


def test_nothing_is_allowed_that_nobody_allows() -> None:
    assert decide(request("s3:GetObject"), identity=[], boundary=None, resource=None) is Decision.IMPLICIT_DENY
    assert decide(request("s3:PutObject"), identity=[allow("s3:GetObject")], boundary=None, resource=None) is Decision.IMPLICIT_DENY


def test_an_allow_of_either_policy_is_enough() -> None:
    assert decide(request("s3:GetObject"), identity=[allow("s3:GetObject")], boundary=None, resource=None) is Decision.ALLOWED
    assert decide(request("s3:GetObject"), identity=[], boundary=None, resource=to(ROLE)) is Decision.ALLOWED


def test_a_deny_of_any_policy_overrides_every_allow() -> None:
    no = deny("s3:Get*")
    everybody = Policy.of({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}})
    for identity, boundary, resource in (([ALLOW_ALL, no], None, to(ROLE)), ([ALLOW_ALL], no, to(SESSION)), ([ALLOW_ALL], ALLOW_ALL, everybody)):
        assert decide(request("s3:GetObject"), identity=identity, boundary=boundary, resource=resource) is Decision.EXPLICIT_DENY


def test_a_boundary_grants_nothing_and_limits_what_is_granted() -> None:
    """ShirleyRodriguez, of "Permissions boundaries for IAM entities": the boundary has three services, her policy iam:CreateUser."""
    boundary, policy = allow("s3:*", "cloudwatch:*", "ec2:*"), allow("iam:CreateUser")
    assert decide(request("iam:CreateUser"), identity=[policy], boundary=boundary, resource=None) is Decision.IMPLICIT_DENY
    assert decide(request("s3:CreateBucket"), identity=[policy], boundary=boundary, resource=None) is Decision.IMPLICIT_DENY
    assert decide(request("s3:CreateBucket"), identity=[policy, allow("s3:*")], boundary=boundary, resource=None) is Decision.ALLOWED


def test_a_grant_to_a_role_is_limited_by_its_boundary_and_one_to_its_session_is_not() -> None:
    """The table "Resource-based policies and implicit denies in other policy types (same account)"."""
    elsewhere = allow("sqs:*")
    assert decide(request("s3:GetObject"), identity=[], boundary=elsewhere, resource=to(ROLE)) is Decision.IMPLICIT_DENY
    assert decide(request("s3:GetObject"), identity=[], boundary=elsewhere, resource=to(SESSION)) is Decision.ALLOWED
    assert decide(request("s3:GetObject"), identity=[], boundary=elsewhere, resource=to("*")) is Decision.ALLOWED


def test_a_grant_to_the_account_leaves_it_to_the_account() -> None:
    for principal in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"):
        assert decide(request("s3:GetObject"), identity=[], boundary=None, resource=to(principal)) is Decision.IMPLICIT_DENY
        assert decide(request("s3:GetObject"), identity=[allow("s3:*")], boundary=None, resource=to(principal)) is Decision.ALLOWED


def test_a_key_is_used_by_nobody_whom_its_policy_does_not_know() -> None:
    """AWS KMS, "Key policies": an IAM policy counts where the key's policy lets the account decide."""
    ask = request("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1")
    assert decide(ask, identity=[ALLOW_ALL], boundary=None, resource=to(f"arn:aws:iam::{OTHER}:root", "kms:*")) is Decision.IMPLICIT_DENY
    root = to(f"arn:aws:iam::{ACCOUNT}:root", "kms:*")
    assert decide(ask, identity=[ALLOW_ALL], boundary=None, resource=root) is Decision.ALLOWED
    assert decide(ask, identity=[], boundary=None, resource=root) is Decision.IMPLICIT_DENY
    assert decide(ask, identity=[], boundary=None, resource=to(ROLE, "kms:Decrypt")) is Decision.ALLOWED


# --- policy evaluation logic: requests to another account --------------------------------------------------------------


@pytest.mark.parametrize("principal", [ROLE, SESSION, f"arn:aws:iam::{ACCOUNT}:root", "*"])
def test_another_accounts_resource_wants_an_allow_on_either_side(principal: str) -> None:
    ask = request("s3:GetObject", account=OTHER)
    assert decide(ask, identity=[allow("s3:*")], boundary=None, resource=to(principal)) is Decision.ALLOWED
    assert decide(ask, identity=[allow("s3:*")], boundary=None, resource=None) is Decision.IMPLICIT_DENY
    assert decide(ask, identity=[], boundary=None, resource=to(principal)) is Decision.IMPLICIT_DENY
    assert decide(ask, identity=[allow("s3:*")], boundary=allow("sqs:*"), resource=to(principal)) is Decision.IMPLICIT_DENY


def test_production_logs_are_denied_to_who_may_use_all_of_production() -> None:
    """Carlos, of "Cross-account policy evaluation logic": all of the bucket is his, but for the names with `log`."""
    identity = Policy.of(
        {
            "Statement": [
                {"Sid": "AllowS3ListRead", "Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": "*"},
                {"Sid": "AllowS3Production", "Effect": "Allow", "Action": "s3:*Object", "Resource": ["arn:aws:s3:::Production/*"]},
                {"Sid": "DenyS3Logs", "Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]},
            ]
        }
    )
    resource = to(ROLE, "s3:*Object")
    for key, decision in (("report.csv", Decision.ALLOWED), ("log/a", Decision.EXPLICIT_DENY)):
        ask = request("s3:GetObject", f"arn:aws:s3:::Production/{key}", OTHER)
        assert decide(ask, identity=[identity], boundary=None, resource=resource) is decision, key


# --- elements of a statement -------------------------------------------------------------------------------------------


def test_not_resource_is_everything_else() -> None:
    policy = Policy.of({"Statement": {"Effect": "Deny", "Action": "s3:*", "NotResource": [BUCKET, f"{BUCKET}/*"]}})
    assert not policy.denies(request("s3:GetObject"))
    assert policy.denies(request("s3:GetObject", "arn:aws:s3:::other/a"))
    assert policy.denies(request("s3:ListAllMyBuckets", "*"))


def test_not_action_is_every_other_one() -> None:
    """IAM JSON policy elements: NotAction, whose first example leaves s3:DeleteBucket out."""
    policy = Policy.of({"Statement": {"Effect": "Deny", "NotAction": ["s3:DeleteBucket", "sqs:*"], "Resource": "*"}})
    assert policy.denies(request("s3:GetObject"))
    assert policy.denies(request("sts:AssumeRole", "*"))
    assert not policy.denies(request("s3:deletebucket", BUCKET))
    assert not policy.denies(request("sqs:SendMessage", "*"))


def test_elements_that_are_not_evaluated_are_refused() -> None:
    with pytest.raises(UnknownError, match="NotPrincipal"):
        Policy.of({"Statement": {"Effect": "Deny", "Action": "s3:*", "NotPrincipal": "x", "Resource": "*"}})


def test_a_service_is_no_role() -> None:
    service = allow("s3:*", Principal={"Service": "cloudtrail.amazonaws.com"})
    assert decide(request("s3:GetObject"), identity=[], boundary=None, resource=service) is Decision.IMPLICIT_DENY
    with pytest.raises(UnknownError, match="Federated"):
        allow("s3:*", Principal={"Federated": "accounts.google.com"}).grants(request("s3:GetObject"))


# --- condition operators -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "context", "met"),
    [
        ({}, {}, True),
        ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, {"aws:PrincipalTag/job-category": "iamuser-admin"}, True),
        ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, {}, False),
        ({"StringEquals": {"AWS:principalaccount": "1"}}, {"aws:PrincipalAccount": "1"}, True),
        ({"StringEquals": {"a": ["x", "y"]}}, {"a": "y"}, True),
        ({"StringEquals": {"a": "x", "b": "y"}}, {"a": "x", "b": "z"}, False),
        ({"StringEquals": {"a": "x"}, "StringLike": {"b": "y*"}}, {"a": "x", "b": "yz"}, True),
        ({"StringEqualsIgnoreCase": {"a": "X"}}, {"a": "x"}, True),
        ({"StringLike": {"s3:prefix": ["", "home/", "home/*"]}}, {"s3:prefix": "home/anna"}, True),
        # "If the policy condition requires that the key is not matched ... and the right key is not present, the condition is true."
        ({"StringNotEquals": {"a": "x"}}, {}, True),
        ({"StringNotEquals": {"a": ["x", "y"]}}, {"a": "y"}, False),
        ({"StringNotLike": {"a": "x*"}}, {"a": "y"}, True),
        ({"ArnNotEquals": {"a": "arn:aws:iam::1:role/x"}}, {"a": "arn:aws:iam::1:role/x"}, False),
        # "If the key is not present, evaluate the condition element as true", and denied "even if the tag is missing".
        ({"StringEqualsIfExists": {"a": "x"}}, {}, True),
        ({"StringEqualsIfExists": {"a": "x"}}, {"a": "y"}, False),
        ({"StringNotEqualsIfExists": {"a": "x"}}, {}, True),
        ({"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {}, True),
        ({"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {"ec2:InstanceType": "m4.large"}, False),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}, False),
        ({"Null": {"a": "false", "b": "false"}}, {"a": "x"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "false"}, True),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {"s3:TlsVersion": "1.1"}, True),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, {"s3:TlsVersion": "1.2"}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, True),
        ({"NumericGreaterThan": {"a": "1"}}, {"a": "2"}, True),
        ({"NumericGreaterThanEquals": {"a": "3"}}, {"a": "2"}, False),
        ({"NumericNotEquals": {"a": "1"}}, {"a": "1.0"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, str], met: bool) -> None:
    assert holds(condition, known(context)) == met


@pytest.mark.parametrize(
    ("operator", "values", "met"),
    [
        ("ForAnyValue:StringEquals", ["dynamodb.amazonaws.com", "kms.amazonaws.com"], True),
        ("ForAnyValue:StringEquals", ["athena.amazonaws.com"], False),
        ("ForAnyValue:StringEquals", None, False),
        ("ForAnyValue:StringNotEquals", None, False),
        ("ForAllValues:StringEquals", ["dynamodb.amazonaws.com", "kms.amazonaws.com"], False),
        ("ForAllValues:StringEquals", ["dynamodb.amazonaws.com"], True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAllValues:StringNotEquals", ["athena.amazonaws.com", "kms.amazonaws.com"], True),
    ],
)
def test_keys_with_several_values(operator: str, values: list[str] | None, met: bool) -> None:
    """Which services called each other (aws:CalledVia), as in "Creating a condition with multiple keys or values"."""
    context = known({} if values is None else {"aws:CalledVia": values})
    assert holds({operator: {"aws:CalledVia": ["dynamodb.amazonaws.com"]}}, context) == met


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        {"ForEachValue:StringEquals": {"aws:TagKeys": "a"}},
        {"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}},
    ],
)
def test_what_is_not_evaluated_is_no_guess(condition: dict[str, Any]) -> None:
    with pytest.raises(UnknownError, match="is not evaluated"):
        holds(condition, known({"aws:SourceIp": "203.0.113.1"}))
