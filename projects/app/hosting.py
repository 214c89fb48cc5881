"""What both ways of running the service tell the world."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import pulumi

Texts = pulumi.Output[dict[str, str]]


class Hosted(TypedDict):
    """The part of AppOutputs that depends on how the service runs; what one way does not have is left out."""

    api_url: pulumi.Output[str]
    endpoint_urls: Texts
    api_name: NotRequired[pulumi.Output[str]]
    api_stage: NotRequired[pulumi.Output[str]]
    api_key: pulumi.Output[str]
    api_key_secret_arn: NotRequired[pulumi.Output[str]]
    function_names: Texts
    function_arns: Texts
    cluster_name: NotRequired[pulumi.Output[str]]
    service_names: Texts
    task_definition_arns: Texts
    load_balancer_arn: NotRequired[pulumi.Output[str]]
    load_balancer_arn_suffix: NotRequired[pulumi.Output[str]]
    target_group_arn_suffix: NotRequired[pulumi.Output[str]]
    web_acl_name: NotRequired[pulumi.Output[str]]
    repository_url: NotRequired[pulumi.Output[Any]]


def none() -> Texts:
    """Of what the other way has."""
    return pulumi.Output.from_input({})
