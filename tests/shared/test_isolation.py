"""The statements by which a resource keeps the roles of other environments and accounts out."""

from __future__ import annotations

from typing import Any

from shared import page as pages
from shared.environment import environment_of
from shared.isolation import boundary_arn, closed_to_others, other_accounts_kept_out, others_kept_out

DEV = environment_of(pages.read("dev"))
QUEUE = DEV.arn("sqs", "work-dev-main")


def said(**about: Any) -> dict[str, dict[str, Any]]:
    return {statement.sid: statement.document() for statement in closed_to_others(DEV, ["sqs:*"], [QUEUE], **about)}


def test_both_tags_tell_an_environment_and_either_gives_it_away() -> None:
    both = {"aws:PrincipalTag/Environment": "false", "aws:PrincipalTag/Suffix": "false"}
    for tag, own in (("Environment", "dev"), ("Suffix", "main")):
        assert said()[f"OnlyThis{tag}"] == {
            "Sid": f"OnlyThis{tag}",
            "Effect": "Deny",
            "Action": "sqs:*",
            "Principal": {"AWS": "*"},
            "Resource": QUEUE,
            "Condition": {"Null": both, "StringNotEquals": {f"aws:PrincipalTag/{tag}": own}},
        }


def test_other_accounts_are_kept_out_but_for_awss_services_and_those_of_its_accounts() -> None:
    services = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    assert said()["OnlyThisAccount"]["Condition"] == {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}, **services}
    balancers = said(accounts=["127311923021"])["OnlyThisAccount"]["Condition"]
    assert balancers == {"StringNotEquals": {"aws:PrincipalAccount": ["123456789012", "127311923021"]}, **services}


def test_a_resource_says_both() -> None:
    tags, account = others_kept_out(DEV, ["sqs:*"], [QUEUE]), other_accounts_kept_out(DEV, ["sqs:*"], [QUEUE])
    assert closed_to_others(DEV, ["sqs:*"], [QUEUE]) == [*tags, account]


def test_the_boundary_is_known_before_it_is_made() -> None:
    assert boundary_arn(DEV) == "arn:aws:iam::123456789012:policy/boundary-dev-main"
    assert boundary_arn(environment_of(pages.read("containers-dev"))) == "arn:aws:iam::123456789012:policy/payment-boundary-dev"
