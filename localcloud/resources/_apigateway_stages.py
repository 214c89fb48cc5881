"""API Gateway: deployments, stages, and the settings of a stage's methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, decimal, flag, mapping, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._apigateway_names import Patch, given, made_id, named, replace, rfc3339, unless_gone

_ANY_API = text(required=True, replaces=True)

# --- Deployment ------------------------------------------------------------------------------------------------------


def _create_deployment(aws: Aws, inputs: Props) -> str:
    return str(aws.client("apigateway").create_deployment(restApiId=inputs["restApi"], **given(inputs, {"description": "description"}))["id"])


def _read_deployment(aws: Aws, id_: str, known: Props) -> Props | None:
    # Asked for one that is gone, moto breaks.
    found = aws.client("apigateway").get_deployments(restApiId=known["restApi"])["items"]
    live = next((entry for entry in found if entry["id"] == id_), None)
    return {"restApi": known["restApi"], "createdDate": rfc3339(live["createdDate"])} if live else None


def _update_deployment(aws: Aws, id_: str, new: Props, old: Props) -> None:
    """Changes nothing: only the description can change in place, and moto has no call for that."""


def _delete_deployment(aws: Aws, id_: str, state: Props) -> None:
    aws.client("apigateway").delete_deployment(restApiId=state["restApi"], deploymentId=id_)


DEPLOYMENT = Kind(
    type="aws:apigateway/deployment:Deployment",
    client="apigateway",
    inputs={"restApi": _ANY_API, "description": text(at_most=1024), "triggers": mapping(replaces=True)},
    outputs=("createdDate",),
    # The stage goes over to the new one before the old one goes: API Gateway keeps a deployment that a stage shows.
    delete_first=False,
    create=_create_deployment,
    read=_read_deployment,
    update=_update_deployment,
    delete=unless_gone(_read_deployment, _delete_deployment),
)

# --- Stage -----------------------------------------------------------------------------------------------------------

_STAGE = {
    "cacheClusterEnabled": "cacheClusterEnabled",
    "cacheClusterSize": "cacheClusterSize",
    "deployment": "deploymentId",
    "description": "description",
    "stageName": "stageName",
    "variables": "variables",
    "xrayTracingEnabled": "tracingEnabled",
}


def _create_stage(aws: Aws, inputs: Props) -> str:
    client = aws.client("apigateway")
    client.create_stage(restApiId=inputs["restApi"], **given(inputs, _STAGE), tags=inputs.get("tags") or {})
    id_ = made_id("ags", inputs["restApi"], inputs["stageName"])
    with made(id_):
        _patch_stage(aws, id_, _access_logs(inputs))
    return id_


def _stage(id_: str) -> Props:
    _, api, name = id_.split("-", 2)
    return {"restApiId": api, "stageName": name}


def _patch_stage(aws: Aws, id_: str, operations: list[Patch]) -> None:
    if operations:
        aws.client("apigateway").update_stage(**_stage(id_), patchOperations=operations)


def _access_logs(inputs: Props) -> list[Patch]:
    settings = inputs.get("accessLogSettings") or {}
    return [replace(f"/accessLogSettings/{name}", settings[name]) for name in ("destinationArn", "format") if settings]


def _read_stage(aws: Aws, id_: str, _: Props) -> Props:
    where = _stage(id_)
    live = aws.client("apigateway").get_stage(**where)
    api, name = where["restApiId"], where["stageName"]
    return {
        **named(live, _STAGE),
        "restApi": api,
        "accessLogSettings": live.get("accessLogSettings") or None,
        "variables": live.get("variables") or {},
        "tags": live.get("tags") or {},
        "arn": aws.arn("apigateway", f"/restapis/{api}/stages/{name}", account=""),
        "executionArn": aws.arn("execute-api", f"{api}/{name}"),
        "invokeUrl": f"https://{api}.execute-api.{aws.region}.amazonaws.com/{name}",
        "webAclArn": live.get("webAclArn") or "",
    }


def _update_stage(aws: Aws, id_: str, new: Props, old: Props) -> None:
    operations: list[Patch] = []
    for name, cleared in (("deployment", None), ("description", ""), ("xrayTracingEnabled", False), ("cacheClusterEnabled", False), ("cacheClusterSize", None)):
        value = cleared if new.get(name) is None else new[name]
        if value is not None and value != old.get(name):
            operations.append(replace(f"/{_STAGE[name]}", value))
    before, after = old.get("variables") or {}, new.get("variables") or {}
    operations += [{"op": "remove", "path": f"/variables/{name}"} for name in sorted(set(before) - set(after))]
    operations += [replace(f"/variables/{name}", value) for name, value in sorted(after.items()) if before.get(name) != value]
    if not new.get("accessLogSettings") and old.get("accessLogSettings"):
        operations.append({"op": "remove", "path": "/accessLogSettings"})
    elif new.get("accessLogSettings") != old.get("accessLogSettings"):
        operations += _access_logs(new)
    _patch_stage(aws, id_, operations)
    client = aws.client("apigateway")
    arn = aws.arn("apigateway", f"/restapis/{new['restApi']}/stages/{new['stageName']}", account="")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
        untag=lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys),
    )


def _delete_stage(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_stage(**_stage(id_))


def _log_format(value: str) -> str | None:
    # API Gateway refuses a format without one of them: "Access Log format must be ... contain at least $context.requestId or $context.extendedRequestId".
    has = "$context.requestId" in value or "$context.extendedRequestId" in value
    return None if has else "must contain $context.requestId or $context.extendedRequestId"


STAGE = Kind(
    type="aws:apigateway/stage:Stage",
    client="apigateway",
    inputs={
        "restApi": _ANY_API,
        "stageName": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,128}"),
        "deployment": text(required=True),
        "accessLogSettings": block(
            {
                "destinationArn": text(required=True, pattern=r"arn:aws[a-z-]*:(logs:[^:]+:\d{12}:log-group:[^*]+|firehose:.+)"),
                "format": text(required=True, rule=_log_format),
            }
        ),
        "cacheClusterEnabled": flag(),
        "cacheClusterSize": text(shape="CreateStage.cacheClusterSize"),
        "description": text(at_most=1024),
        "variables": mapping(text(pattern=r"[A-Za-z0-9\-._~:/?#&=,]+", at_most=512)),
        "xrayTracingEnabled": flag(),
    },
    outputs=("arn", "executionArn", "invokeUrl", "webAclArn"),
    tagged=True,
    create=_create_stage,
    read=_read_stage,
    update=_update_stage,
    delete=_delete_stage,
)

# --- MethodSettings --------------------------------------------------------------------------------------------------

# The member: its path in a patch, and API Gateway's default, which deletion goes back to.
_SETTINGS: dict[str, tuple[str, Any]] = {
    "metricsEnabled": ("metrics/enabled", False),
    "loggingLevel": ("logging/loglevel", "OFF"),
    "dataTraceEnabled": ("logging/dataTrace", False),
    "throttlingBurstLimit": ("throttling/burstLimit", -1),
    "throttlingRateLimit": ("throttling/rateLimit", -1),
    "cachingEnabled": ("caching/enabled", False),
    "cacheTtlInSeconds": ("caching/ttlInSeconds", 300),
    "cacheDataEncrypted": ("caching/dataEncrypted", False),
    "requireAuthorizationForCacheControl": ("caching/requireAuthorizationForCacheControl", True),
    "unauthorizedCacheControlHeaderStrategy": ("caching/unauthorizedCacheControlHeaderStrategy", "SUCCEED_WITH_RESPONSE_HEADER"),
}
# moto cannot remove the settings of a method; without a logging level, which API Gateway never has, they count as removed.
_REMOVED = ""


def _where(inputs: Props) -> Props:
    return {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}


def _method(inputs: Props) -> str:
    """The method in a patch's path: the slashes inside the resource's path are escaped."""
    resource, _, method = inputs["methodPath"].rpartition("/")
    return f"{resource.replace('/', '~1')}/{method}"


def _put_settings(aws: Aws, inputs: Props) -> str:
    settings = {name: default for name, (_, default) in _SETTINGS.items()} | {k: v for k, v in inputs["settings"].items() if v is not None and k in _SETTINGS}
    operations = [replace(f"/{_method(inputs)}/{_SETTINGS[name][0]}", value) for name, value in settings.items()]
    aws.client("apigateway").update_stage(**_where(inputs), patchOperations=operations)
    return f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}"


def _read_settings(aws: Aws, _: str, known: Props) -> Props | None:
    live = aws.client("apigateway").get_stage(**_where(known)).get("methodSettings", {}).get(_method(known))
    if live is None or live.get("loggingLevel") == _REMOVED:
        return None
    # What was not asked for has API Gateway's defaults, which the AWS provider leaves alone.
    settings = {name: live.get(name) for name in known.get("settings") or _SETTINGS if name in _SETTINGS}
    return {"restApi": known["restApi"], "stageName": known["stageName"], "methodPath": known["methodPath"], "settings": settings}


def _update_settings(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_settings(aws, new)


def _delete_settings(aws: Aws, _: str, state: Props) -> None:
    _put_settings(aws, {**state, "settings": {"loggingLevel": _REMOVED}})


def _settings_rule(inputs: Props) -> Iterator[Refusal]:
    settings = inputs["settings"]
    if isinstance(settings, dict) and settings.get("dataTraceEnabled") is True and settings.get("loggingLevel") in (None, "OFF"):
        yield Refusal("settings.dataTraceEnabled", "it needs loggingLevel ERROR or INFO")


METHOD_SETTINGS = Kind(
    type="aws:apigateway/methodSettings:MethodSettings",
    client="apigateway",
    inputs={
        "restApi": _ANY_API,
        "stageName": text(required=True, replaces=True),
        "methodPath": text(required=True, replaces=True, pattern=r"\*/\*|[^/].*/(\*|[A-Z]+)"),
        "settings": block(
            {
                "metricsEnabled": flag(),
                "loggingLevel": text(one_of=("OFF", "ERROR", "INFO")),
                "dataTraceEnabled": flag(),
                "throttlingBurstLimit": number(at_least=-1),
                "throttlingRateLimit": decimal(at_least=-1),
                "cachingEnabled": flag(),
                "cacheTtlInSeconds": number(at_least=0, at_most=3600),
                "cacheDataEncrypted": flag(),
                "requireAuthorizationForCacheControl": flag(),
                "unauthorizedCacheControlHeaderStrategy": text(one_of=("FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER")),
            },
            required=True,
        ),
    },
    rule=_settings_rule,
    create=_put_settings,
    read=_read_settings,
    update=_update_settings,
    delete=_delete_settings,
)

KINDS = (DEPLOYMENT, STAGE, METHOD_SETTINGS)
