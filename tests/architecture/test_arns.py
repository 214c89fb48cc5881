"""Every resource of every environment is exported with its ARN, where AWS has one for it."""

from __future__ import annotations

from typing import Any

from tests.architecture.arns import WITH, WITHOUT
from tests.architecture.rehearsed import Rehearsed


def test_the_inventory_has_the_arn_of_all_that_has_one(rehearsed: Rehearsed) -> None:
    listed: list[dict[str, Any]] = [one for stack in rehearsed.content["stacks"] for one in stack["outputs"]["inventory"]]
    assert {one["type"] for one in listed} <= set(WITH) | set(WITHOUT), "a type of which nobody has looked up whether it has ARNs"
    for one in listed:
        if one["type"] in WITH:
            assert one.get("arn", "").startswith(f"arn:aws:{WITH[one['type']]}:"), one
            assert "{" not in one["arn"], one
            assert "None" not in one["arn"], one
        else:
            assert "arn" not in one, one
    arns = [one["arn"] for one in listed if "arn" in one]
    assert sorted(arns) == sorted(set(arns)), "two resources with one ARN"


def test_what_a_resource_is_called_is_in_its_arn(rehearsed: Rehearsed) -> None:
    own = {
        "aws:ec2/natGateway:NatGateway": "natgateway/{id}",
        "aws:cloudwatch/dashboard:Dashboard": "dashboard/{id}",
        "aws:apigateway/resource:Resource": "/{id}",
    }
    for stack in rehearsed.content["stacks"]:
        for one in stack["outputs"]["inventory"]:
            if one["type"] in own:
                assert one["arn"].endswith(own[one["type"]].format(id=one["id"])), one
