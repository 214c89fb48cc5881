"""Reads from the cloud the REST APIs that stand in front of functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.aws import Aws
from localcloud.serve import firewalls
from localcloud.serve.model import Function, GatewayResponse, Key, Limit, Method, Plan, Quota, Stage

_FUNCTION = re.compile(r":lambda:path/[^/]+/functions/arn:[^/]+:function:([A-Za-z0-9_-]+)(?::[A-Za-z0-9_$-]+)?/invocations$")
_PLACE = re.compile(r"method\.request\.(header|querystring|path)\.(.+)")
_MODEL_REFERENCE = re.compile(r"^https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)$")


def stages(aws: Aws, functions: Mapping[str, Function], problems: list[str]) -> Iterator[Stage]:
    """The stages of every API that calls one of the functions; what of them cannot be served is added to `problems`."""
    client = aws.client("apigateway")
    plans: list[dict[str, Any]] = [plan for page in client.get_paginator("get_usage_plans").paginate() for plan in page["items"]]
    for page in client.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            methods = tuple(_methods(aws, api["id"], functions, problems))
            if not methods:
                continue
            responses = {live["responseType"]: _response(live) for live in client.get_gateway_responses(restApiId=api["id"])["items"]}
            for live in client.get_stages(restApiId=api["id"])["item"]:
                access = live.get("accessLogSettings") or {}
                arn = aws.arn("apigateway", f"/restapis/{api['id']}/stages/{live['stageName']}", account="")
                yield Stage(
                    api=api["id"],
                    api_name=api["name"],
                    name=live["stageName"],
                    methods=methods,
                    variables=live.get("variables") or {},
                    settings=live.get("methodSettings") or {},
                    keys=_keys(aws, plans, api["id"], live["stageName"]),
                    key_source=api.get("apiKeySource") or "HEADER",
                    responses=responses,
                    binary_types=tuple(api.get("binaryMediaTypes") or ()),
                    log_group=(access.get("destinationArn") or "").partition(":log-group:")[2].removesuffix(":*"),
                    log_format=access.get("format") or "",
                    firewall=firewalls.before(aws, arn, f"stage {api['name']}/{live['stageName']}", problems),
                )


def _methods(aws: Aws, api: str, functions: Mapping[str, Function], problems: list[str]) -> Iterator[Method]:
    client = aws.client("apigateway")
    resources = [one for page in client.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"]) for one in page["items"]]
    validators = {one["id"]: one for one in client.get_request_validators(restApiId=api)["items"]}
    schemas = {one["name"]: one for page in client.get_paginator("get_models").paginate(restApiId=api) for one in page["items"]}
    for resource in resources:
        for verb, live in (resource.get("resourceMethods") or {}).items():
            integration = live.get("methodIntegration") or {}
            found = _FUNCTION.search(integration.get("uri") or "")
            if not found or found[1] not in functions:
                continue
            where = f"{verb} {resource['path']} of API {api}"
            if integration.get("type") != "AWS_PROXY":
                problems.append(f"{where}: its integration is {integration.get('type')}; AWS_PROXY alone is served here")
                continue
            if live.get("authorizationType", "NONE") != "NONE":
                problems.append(f"{where}: its authorization {live['authorizationType']} is not served here")
                continue
            validator = validators.get(live.get("requestValidatorId") or "", {})
            yield Method(
                resource=resource["path"],
                resource_id=resource["id"],
                verb=verb,
                function=found[1],
                key_required=bool(live.get("apiKeyRequired")),
                models=_schemas(live.get("requestModels") or {}, schemas) if validator.get("validateRequestBody") else {},
                required=tuple(_required(live.get("requestParameters") or {})) if validator.get("validateRequestParameters") else (),
                integration_timeout=(integration.get("timeoutInMillis") or 29_000) / 1000,
            )


def _required(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, required in parameters.items():
        found = _PLACE.fullmatch(name)
        if found and required in {True, "true"}:
            yield found[1], found[2]


def _schemas(models: Mapping[str, str], schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The schemas by content type; what they refer to in other models is put in their place under `definitions`."""
    found: dict[str, Mapping[str, Any]] = {}
    for content_type, name in models.items():
        if name in {"Empty", "Error"} and name not in schemas:
            continue  # the models that every API has, of which the first takes anything
        definitions: dict[str, Any] = {}
        schema = _local(json.loads(schemas[name]["schema"]), schemas, definitions)
        found[content_type.lower()] = {**schema, "definitions": {**schema.get("definitions", {}), **definitions}} if definitions else schema
    return found


def _local(value: Any, schemas: Mapping[str, Mapping[str, Any]], definitions: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_local(one, schemas, definitions) for one in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and (found := _MODEL_REFERENCE.match(reference)):
        name = found[1]
        if name not in definitions:
            definitions[name] = {}  # a model may refer to itself
            definitions[name] |= _local(json.loads(schemas[name]["schema"]), schemas, definitions)
        return {"$ref": f"#/definitions/{name}"}
    return {key: _local(one, schemas, definitions) for key, one in value.items()}


def _response(live: Mapping[str, Any]) -> GatewayResponse:
    status = live.get("statusCode")
    return GatewayResponse(
        status=int(status) if status else None, parameters=live.get("responseParameters") or {}, templates=live.get("responseTemplates") or {}
    )


def _keys(aws: Aws, plans: list[dict[str, Any]], api: str, stage: str) -> dict[str, Key]:
    """The keys that the stage takes, by their values: enabled, and in a usage plan of the stage."""
    client = aws.client("apigateway")
    found: dict[str, Key] = {}
    for live in plans:
        entry = next((one for one in live.get("apiStages") or [] if (one["apiId"], one["stage"]) == (api, stage)), None)
        if entry is None:
            continue
        plan = Plan(
            id=live["id"],
            throttle=_limit(live.get("throttle")),
            quota=_quota(live.get("quota")),
            methods={path: limit for path, one in (entry.get("throttle") or {}).items() if (limit := _limit(one))},
        )
        for page in client.get_paginator("get_usage_plan_keys").paginate(usagePlanId=live["id"]):
            for one in page["items"]:
                key = client.get_api_key(apiKey=one["id"], includeValue=True)
                if key.get("enabled"):
                    found[key["value"]] = Key(id=key["id"], name=key.get("name") or "", value=key["value"], plan=plan)
    return found


def _limit(live: Mapping[str, Any] | None) -> Limit | None:
    return Limit(rate=float(live["rateLimit"]), burst=int(live["burstLimit"])) if live and "rateLimit" in live and "burstLimit" in live else None


def _quota(live: Mapping[str, Any] | None) -> Quota | None:
    return Quota(limit=int(live["limit"]), period=live["period"]) if live and live.get("limit") else None
