"""API Gateway: API keys and the usage plans that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, decimal, flag, number, text
from localcloud.kinds import Kind, Props
from localcloud.resources._apigateway_names import MotoLacks, Patch, given, replace, rfc3339, unless_gone

# --- ApiKey ----------------------------------------------------------------------------------------------------------

_KEY = {name: name for name in ("customerId", "description", "enabled", "name", "value")}


def _create_key(aws: Aws, inputs: Props) -> str:
    sent = {"enabled": True, **given(inputs, _KEY)}
    return str(aws.client("apigateway").create_api_key(**sent, generateDistinctId=True, tags=inputs.get("tags") or {})["id"])


def _read_key(aws: Aws, id_: str, _: Props) -> Props:
    live = aws.client("apigateway").get_api_key(apiKey=id_, includeValue=True)
    return {
        **{name: live.get(name) for name in _KEY},
        "arn": aws.arn("apigateway", f"/apikeys/{id_}", account=""),
        "createdDate": rfc3339(live["createdDate"]),
        "lastUpdatedDate": rfc3339(live["lastUpdatedDate"]),
    }


def _update_key(aws: Aws, id_: str, new: Props, old: Props) -> None:
    values: Props = {"description": "", "customerId": "", "enabled": True, **given(new, _KEY)}
    operations = [replace(f"/{name}", value) for name, value in values.items() if name != "value" and value != old.get(name)]
    if operations:
        aws.client("apigateway").update_api_key(apiKey=id_, patchOperations=operations)


def _delete_key(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_api_key(apiKey=id_)


API_KEY = Kind(
    type="aws:apigateway/apiKey:ApiKey",
    client="apigateway",
    inputs={
        "name": text(required=True, at_most=1024),
        "customerId": text(),
        "description": text(),
        "enabled": flag(),
        # API Gateway developer guide, "API keys": from 20 to 128 characters.
        "value": text(secret=True, replaces=True, at_least=20, at_most=128),
    },
    outputs=("arn", "createdDate", "lastUpdatedDate", "value"),
    tagged=True,
    create=_create_key,
    read=_read_key,
    update=_update_key,
    delete=_delete_key,
)

# --- UsagePlan -------------------------------------------------------------------------------------------------------


def _throttle(entry: Props) -> Props:
    return {name: entry[name] for name in ("burstLimit", "rateLimit") if entry.get(name) is not None}


def _stages(inputs: Props) -> list[Props]:
    return [
        {
            "apiId": entry["apiId"],
            "stage": entry["stage"],
            **({"throttle": {limit["path"]: _throttle(limit) for limit in entry["throttles"]}} if entry.get("throttles") else {}),
        }
        for entry in inputs.get("apiStages") or []
    ]


def _create_plan(aws: Aws, inputs: Props) -> str:
    sent = given(inputs, {"name": "name", "description": "description", "throttleSettings": "throttle", "quotaSettings": "quota"})
    return str(aws.client("apigateway").create_usage_plan(**sent, apiStages=_stages(inputs), tags=inputs.get("tags") or {})["id"])


def _read_plan(aws: Aws, id_: str, _: Props) -> Props:
    live = aws.client("apigateway").get_usage_plan(usagePlanId=id_)
    quota = live.get("quota") or {}
    # moto keeps what a patch says as the text that it came in.
    quota = {name: value if name == "period" else int(value) for name, value in quota.items()}
    return {
        "name": live["name"],
        "description": live.get("description"),
        "apiStages": [_as_pulumi(entry) for entry in live.get("apiStages") or []],
        "quotaSettings": quota or None,
        "throttleSettings": live.get("throttle") or None,
        "arn": aws.arn("apigateway", f"/usageplans/{id_}", account=""),
    }


def _as_pulumi(entry: Props) -> Props:
    throttles = [{"path": path, **limits} for path, limits in (entry.get("throttle") or {}).items()]
    return {"apiId": entry["apiId"], "stage": entry["stage"], **({"throttles": throttles} if throttles else {})}


def _update_plan(aws: Aws, id_: str, new: Props, old: Props) -> None:
    operations = [replace(f"/{name}", new.get(name) or "") for name in ("name", "description") if new.get(name) != old.get(name)]
    operations += [*_stage_operations(new, old), *_limit_operations("throttle", new, old), *_limit_operations("quota", new, old)]
    if operations:
        aws.client("apigateway").update_usage_plan(usagePlanId=id_, patchOperations=operations)


def _stage_operations(new: Props, old: Props) -> Iterator[Patch]:
    before, after = _stages(old), _stages(new)
    for op, entries in (("remove", [entry for entry in before if entry not in after]), ("add", [entry for entry in after if entry not in before])):
        for entry in entries:
            if "throttle" in entry:
                raise MotoLacks("the limits of a usage plan's single methods (apiStages[].throttles)", "the UsagePlan")
            yield {"op": op, "path": "/apiStages", "value": f"{entry['apiId']}:{entry['stage']}"}


def _limit_operations(name: str, new: Props, old: Props) -> Iterator[Patch]:
    before, after = old.get(f"{name}Settings") or {}, new.get(f"{name}Settings") or {}
    if before and before != after:
        yield {"op": "remove", "path": f"/{name}"}
    if before != after:
        for limit, value in after.items():
            if isinstance(value, float) and not value.is_integer():
                raise MotoLacks(f"a {limit} to {value}, which is no whole number", "the UsagePlan")
            yield {"op": "add", "path": f"/{name}/{limit}", "value": str(value if isinstance(value, str) else int(value))}


def _delete_plan(aws: Aws, id_: str, _: Props) -> None:
    aws.client("apigateway").delete_usage_plan(usagePlanId=id_)


# The first day of a quota's period that may be named: none for a day, seven for a week, 28 for a month (API Gateway API reference, QuotaSettings).
_OFFSETS = {"DAY": 0, "WEEK": 6, "MONTH": 27}


def _plan_rule(inputs: Props) -> Iterator[Refusal]:
    quota: Any = inputs.get("quotaSettings")
    if isinstance(quota, dict) and quota.get("period") in _OFFSETS and isinstance(quota.get("offset"), int):
        most = _OFFSETS[quota["period"]]
        if not 0 <= quota["offset"] <= most:
            yield Refusal("quotaSettings.offset", f"must be from 0 to {most} for period {quota['period']}, not {quota['offset']}")


_LIMITS = {"burstLimit": number(at_least=0), "rateLimit": decimal(at_least=0)}

USAGE_PLAN = Kind(
    type="aws:apigateway/usagePlan:UsagePlan",
    client="apigateway",
    inputs={
        "name": text(required=True, at_least=1),
        "apiStages": blocks(
            {
                "apiId": text(required=True),
                "stage": text(required=True),
                "throttles": blocks({"path": text(required=True, pattern=r"/.*/[A-Z*]+"), **_LIMITS}, unordered=True),
            },
            unordered=True,
        ),
        "description": text(),
        "quotaSettings": block(
            {
                "limit": number(required=True, at_least=1),
                "offset": number(at_least=0),
                "period": text(required=True, shape="CreateUsagePlan.quota.period"),
            }
        ),
        "throttleSettings": block(_LIMITS),
    },
    outputs=("arn",),
    tagged=True,
    rule=_plan_rule,
    create=_create_plan,
    read=_read_plan,
    update=_update_plan,
    delete=unless_gone(_read_plan, _delete_plan),
)

# --- UsagePlanKey ----------------------------------------------------------------------------------------------------


def _create_plan_key(aws: Aws, inputs: Props) -> str:
    sent = {name: inputs[name] for name in ("usagePlanId", "keyId", "keyType")}
    return str(aws.client("apigateway").create_usage_plan_key(**sent)["id"])


def _read_plan_key(aws: Aws, id_: str, known: Props) -> Props:
    live = aws.client("apigateway").get_usage_plan_key(usagePlanId=known["usagePlanId"], keyId=id_)
    return {"usagePlanId": known["usagePlanId"], "keyId": live["id"], "keyType": live["type"], "name": live["name"], "value": live["value"]}


def _delete_plan_key(aws: Aws, id_: str, state: Props) -> None:
    aws.client("apigateway").delete_usage_plan_key(usagePlanId=state["usagePlanId"], keyId=id_)


USAGE_PLAN_KEY = Kind(
    type="aws:apigateway/usagePlanKey:UsagePlanKey",
    client="apigateway",
    inputs={"usagePlanId": text(required=True), "keyId": text(required=True), "keyType": text(required=True, one_of=("API_KEY",))},
    outputs=("name", "value"),
    create=_create_plan_key,
    read=_read_plan_key,
    delete=unless_gone(_read_plan_key, _delete_plan_key),
)

KINDS = (API_KEY, USAGE_PLAN, USAGE_PLAN_KEY)
