"""moto's API Gateway with the TLS policy and the endpoint access mode of REST APIs, and the access mode of domain names: it keeps neither.

What changes of them AWS refuses is refused here too (developer guide, "Security policies for REST APIs in API Gateway").
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.apigateway import models, responses
from moto.apigateway.exceptions import BadRequestException

_CHANGED = "_localcloud"
_POLICY, _MODE = "securityPolicy", "endpointAccessMode"


def complete() -> None:
    """Lets moto's API Gateway keep both; afterwards it changes nothing."""
    service: Any = responses.APIGatewayResponse
    if hasattr(service, _CHANGED):
        return
    setattr(service, _CHANGED, True)
    service.create_rest_api = _creating_an_api(service.create_rest_api)
    service.create_domain_name = _creating_a_domain(service.create_domain_name)
    apis: Any = models.RestAPI
    apis.to_dict = _with_policy(apis.to_dict)
    apis.apply_patch_operations = _patching(apis.apply_patch_operations)
    domains: Any = models.DomainName
    domains.to_json = _with_mode(domains.to_json)


def _kept(thing: Any) -> dict[str, str]:
    return vars(thing).setdefault(_CHANGED, {})


def _keep(thing: Any, **values: str | None) -> None:
    """What is empty is unset."""
    kept = _kept(thing)
    for name, value in values.items():
        kept.pop(name, None)
        if value:
            kept[name] = value


def _policy(api: Any) -> str:
    """An API's own, or API Gateway's for its type of endpoint ("Supported security policies", "Default security policies")."""
    return _kept(api).get(_POLICY) or ("TLS_1_2" if "PRIVATE" in api.endpoint_configuration["types"] else "TLS_1_0")


def _creating_an_api(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(create)
    def create_rest_api(response: Any) -> Any:
        status, headers, body = create(response)
        api = response.backend.apis.get(json.loads(body).get("id"))
        if api is None:
            return status, headers, body
        _keep(api, **{name: response._get_param(name) for name in (_POLICY, _MODE)})  # noqa: SLF001 - how moto's responses read what they were sent
        return status, headers, json.dumps(api.to_dict())

    return create_rest_api


def _creating_a_domain(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(create)
    def create_domain_name(response: Any) -> Any:
        status, headers, _ = create(response)
        domain = response.backend.domain_names[response._get_param("domainName")]  # noqa: SLF001
        _keep(domain, **{_MODE: response._get_param(_MODE)})  # noqa: SLF001
        return status, headers, json.dumps(domain.to_json())

    return create_domain_name


def _with_policy(shown: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    @wraps(shown)
    def to_dict(api: Any) -> dict[str, Any]:
        return {**shown(api), **_kept(api), _POLICY: _policy(api)}

    return to_dict


def _with_mode(shown: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    @wraps(shown)
    def to_json(domain: Any) -> dict[str, Any]:
        return {**shown(domain), **_kept(domain)}

    return to_json


def _patching(patch: Callable[[Any, list[dict[str, Any]]], None]) -> Callable[[Any, list[dict[str, Any]]], None]:
    @wraps(patch)
    def apply_patch_operations(api: Any, patch_operations: list[dict[str, Any]]) -> None:
        wanted = {operation["path"]: operation.get("value", "") for operation in patch_operations if operation["op"] == "replace"}
        policy, mode = _policy(api), _kept(api).get(_MODE, "")
        after, mode_after = wanted.get(f"/{_POLICY}", policy), wanted.get(f"/{_MODE}", mode)
        types = [value for path, value in wanted.items() if path.startswith("/endpointConfiguration/types")]
        if mode == "STRICT" and types and types != api.endpoint_configuration["types"]:
            raise BadRequestException("The endpoint type cannot change while the endpoint access mode is STRICT; set it to BASIC first")
        if (policy, after) == ("TLS_1_0", "TLS_1_2"):
            raise BadRequestException("The security policy of an API cannot be updated from TLS_1_0 to TLS_1_2")
        if after.startswith("SecurityPolicy_") != bool(mode_after):
            raise BadRequestException(f"Security policy {after} does not go with endpoint access mode {mode_after or 'unset'}")
        patch(api, patch_operations)
        _keep(api, **{_POLICY: after, _MODE: mode_after})

    return apply_patch_operations
