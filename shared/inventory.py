"""What a program made: every resource of AWS, by type, name, ID and ARN, exported beside the contract for those who keep an inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

import pulumi

from shared.environment import Environment
from shared.outputs import known

INVENTORY_OUTPUT = "inventory"

_RESTAPI = "/restapis/{rest_api}"

# What ends the ARNs that the SDK's classes do not answer, by type: from the resource's own properties. Source: Service Authorization Reference, "Resource
# types defined by Amazon EC2", "... by Amazon CloudWatch" and "... by Amazon API Gateway Management".
_BUILT: Mapping[str, str] = {
    "aws:apigateway/account:Account": "/account",
    "aws:apigateway/basePathMapping:BasePathMapping": "/domainnames/{domain_name}/basepathmappings/{base_path}",
    "aws:apigateway/deployment:Deployment": f"{_RESTAPI}/deployments/{{id}}",
    "aws:apigateway/integration:Integration": f"{_RESTAPI}/resources/{{resource_id}}/methods/{{http_method}}/integration",
    "aws:apigateway/method:Method": f"{_RESTAPI}/resources/{{resource_id}}/methods/{{http_method}}",
    "aws:apigateway/model:Model": f"{_RESTAPI}/models/{{name}}",
    "aws:apigateway/requestValidator:RequestValidator": f"{_RESTAPI}/requestvalidators/{{id}}",
    "aws:apigateway/resource:Resource": f"{_RESTAPI}/resources/{{id}}",
    "aws:apigateway/response:Response": f"{_RESTAPI}/gatewayresponses/{{response_type}}",
    "aws:apigateway/usagePlanKey:UsagePlanKey": "/usageplans/{usage_plan_id}/keys/{id}",
    "aws:cloudwatch/dashboard:Dashboard": "dashboard/{id}",
    "aws:ec2/natGateway:NatGateway": "natgateway/{id}",
}
# The part that all ARNs of a service leave out.
_LEFT_OUT: Mapping[str, Mapping[str, str]] = {"apigateway": {"account": ""}, "cloudwatch": {"region": ""}}

# The SDK's classes do not agree on what an API's ID is called.
_ALSO = {"rest_api": "rest_api_id"}

# What API Gateway calls a mapping of a domain's root.
_NO_BASE_PATH = "(none)"


class Inventory:
    """Notes each resource that is made from here on; to be made before the program's first resource.

    What it tells of a resource is what AWS calls it. It reads no other property, so that no secret gets into it.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._made: list[tuple[str, str, pulumi.CustomResource, bool]] = []
        pulumi.runtime.register_stack_transformation(self._note)

    def output(self) -> pulumi.Output[list[dict[str, str]]]:
        """The resources made so far, sorted by type, name and ID: `type`, `name` (logical), `id`, and `arn` where the resource has one."""
        return known([self._described(*one) for one in self._made]).apply(_sorted)

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_.startswith("aws:") and isinstance(args.resource, pulumi.CustomResource):
            # A policy that is given an ARN is given that of what it belongs to.
            has_arn = args.props.get("arn") is None and _has_arn(type(args.resource))
            self._made.append((args.type_, args.name, args.resource, has_arn))

    def _described(self, type_: str, name: str, resource: pulumi.CustomResource, has_arn: bool) -> dict[str, Any]:
        arn: dict[str, Any] = {"arn": pulumi.get(resource, "arn")} if has_arn else {}
        if type_ in _BUILT:
            arn = {"arn": self._built(type_, resource)}
        return {"type": type_, "name": name, "id": resource.id, **arn}

    def _built(self, type_: str, resource: pulumi.CustomResource) -> pulumi.Output[str]:
        pattern, service = _BUILT[type_], type_.split(":")[1].partition("/")[0]
        words = [word for _, word, _, _ in Formatter().parse(pattern) if word]
        own = known({word: pulumi.get(resource, word if hasattr(resource, word) else _ALSO[word]) for word in words})

        def ended(found: Mapping[str, str | None]) -> str:
            end = pattern.format(**{word: value or _NO_BASE_PATH for word, value in found.items()})
            return self._environment.arn(service, end, **_LEFT_OUT.get(service, {}))

        return own.apply(ended)


def _has_arn(made_by: type[pulumi.CustomResource]) -> bool:
    """Whether resources of the class have an ARN; what the SDK calls deprecated there is that of another resource."""
    found: Any = getattr(made_by, "arn", None)
    return found is not None and not hasattr(found.fget, "_pulumi_deprecated_callable")


def _sorted(found: Sequence[dict[str, str | None]]) -> list[dict[str, str]]:
    told = [{key: str(value) for key, value in one.items() if value} for one in found]
    return sorted(told, key=lambda one: (one["type"], one["name"], one["id"]))
