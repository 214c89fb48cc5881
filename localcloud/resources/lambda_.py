"""AWS Lambda: functions, who may call them, what they consume, and their aliases."""

from __future__ import annotations

import json
import secrets
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import block, decimal, mapping, number, text
from localcloud.kinds import Kind, Props, if_there
from localcloud.resources._lambda_function import FUNCTION
from localcloud.resources._lambda_mapping import EVENT_SOURCE_MAPPING
from localcloud.resources._lambda_names import as_asked, function_name, invoke_arn, lower, upper

# --- Permission: one statement of a function's policy ----------------------------------------------------------------

_PERMISSION = {
    "action": "Action",
    "eventSourceToken": "EventSourceToken",
    "function": "FunctionName",
    "functionUrlAuthType": "FunctionUrlAuthType",
    "principal": "Principal",
    "principalOrgId": "PrincipalOrgID",
    "qualifier": "Qualifier",
    "sourceAccount": "SourceAccount",
    "sourceArn": "SourceArn",
    "statementId": "StatementId",
}


def _create_permission(aws: Aws, inputs: Props) -> str:
    sent = {theirs: inputs[ours] for ours, theirs in _PERMISSION.items() if inputs.get(ours) is not None}
    sent.setdefault("StatementId", f"pulumi-{secrets.token_hex(8)}")
    aws.client("lambda").add_permission(**sent)
    return str(sent["StatementId"])


def _read_permission(aws: Aws, statement_id: str, known: Props) -> Props | None:
    qualifier = {"Qualifier": known["qualifier"]} if known.get("qualifier") else {}
    policy = json.loads(aws.client("lambda").get_policy(FunctionName=function_name(known["function"]), **qualifier)["Policy"])
    live: Props = next((statement for statement in policy["Statement"] if statement["Sid"] == statement_id), {})
    if not live:
        return None
    conditions = {key.lower(): value for tests in live.get("Condition", {}).values() for key, value in tests.items()}
    resource = live["Resource"].split(":")
    return {
        "statementId": live["Sid"],
        "action": live["Action"],
        "function": as_asked(live["Resource"].rstrip(":"), known["function"]),
        "functionUrlAuthType": live.get("FunctionUrlAuthType"),
        "principal": _principal(live["Principal"], known.get("principal")),
        "principalOrgId": conditions.get("aws:principalorgid"),
        "qualifier": resource[7] if len(resource) > 7 and resource[7] else None,
        "sourceAccount": conditions.get("aws:sourceaccount"),
        "sourceArn": conditions.get("aws:sourcearn"),
    }


def _principal(live: Any, asked: str | None) -> str:
    who = str(next(iter(live.values()))) if isinstance(live, dict) else str(live)
    # AWS shows an account's number as the ARN of its root.
    return asked if asked and who.startswith("arn:") and f"::{asked}:" in who else who


def _delete_permission(aws: Aws, statement_id: str, state: Props) -> None:
    qualifier = {"Qualifier": state["qualifier"]} if state.get("qualifier") else {}
    aws.client("lambda").remove_permission(FunctionName=function_name(state["function"]), StatementId=statement_id, **qualifier)


PERMISSION = Kind(
    type="aws:lambda/permission:Permission",
    client="lambda",
    inputs={
        "action": text(required=True, shape="AddPermission.Action"),
        "eventSourceToken": text(shape="AddPermission.EventSourceToken"),
        "function": text(required=True, shape="AddPermission.FunctionName"),
        "functionUrlAuthType": text(shape="AddPermission.FunctionUrlAuthType"),
        "principal": text(required=True, shape="AddPermission.Principal"),
        "principalOrgId": text(shape="AddPermission.PrincipalOrgID"),
        "qualifier": text(shape="AddPermission.Qualifier"),
        "sourceAccount": text(shape="AddPermission.SourceAccount"),
        "sourceArn": text(shape="AddPermission.SourceArn"),
        "statementId": text(shape="AddPermission.StatementId"),
    },
    create=_create_permission,
    read=_read_permission,
    delete=_delete_permission,
)


# --- FunctionEventInvokeConfig: asynchronous calls -------------------------------------------------------------------


def _put_invoke_config(aws: Aws, inputs: Props) -> str:
    destinations = {name: {"Destination": to["destination"]} for name, to in upper(inputs.get("destinationConfig") or {}).items()}
    numbers = upper({name: inputs.get(name) for name in ("maximumEventAgeInSeconds", "maximumRetryAttempts")})
    sent: Props = {"FunctionName": inputs["functionName"], **numbers, **({"DestinationConfig": destinations} if destinations else {})}
    aws.client("lambda").put_function_event_invoke_config(**sent)
    return str(inputs["functionName"])


def _read_invoke_config(aws: Aws, function: str, _: Props) -> Props:
    live = aws.client("lambda").get_function_event_invoke_config(FunctionName=function)
    destinations = {name: {"destination": to["Destination"]} for name, to in lower(live.get("DestinationConfig")).items() if to}
    return {
        "functionName": as_asked(live["FunctionArn"], function),
        "destinationConfig": destinations or None,
        "maximumEventAgeInSeconds": live.get("MaximumEventAgeInSeconds"),
        "maximumRetryAttempts": live.get("MaximumRetryAttempts"),
    }


def _update_invoke_config(aws: Aws, function: str, new: Props, _: Props) -> None:
    # moto answers with the first configuration that it was ever given.
    with if_there():
        _delete_invoke_config(aws, function, new)
    _put_invoke_config(aws, new)


def _delete_invoke_config(aws: Aws, function: str, _: Props) -> None:
    aws.client("lambda").delete_function_event_invoke_config(FunctionName=function)


_DESTINATION = block({"destination": text(required=True, shape="PutFunctionEventInvokeConfig.DestinationConfig.OnFailure.Destination")})

FUNCTION_EVENT_INVOKE_CONFIG = Kind(
    type="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    client="lambda",
    inputs={
        "functionName": text(required=True, replaces=True, shape="PutFunctionEventInvokeConfig.FunctionName"),
        "destinationConfig": block({"onFailure": _DESTINATION, "onSuccess": _DESTINATION}),
        "maximumEventAgeInSeconds": number(shape="PutFunctionEventInvokeConfig.MaximumEventAgeInSeconds"),
        "maximumRetryAttempts": number(shape="PutFunctionEventInvokeConfig.MaximumRetryAttempts"),
    },
    create=_put_invoke_config,
    read=_read_invoke_config,
    update=_update_invoke_config,
    delete=_delete_invoke_config,
)


# --- Alias -----------------------------------------------------------------------------------------------------------


def _alias(inputs: Props) -> Props:
    weights = (inputs.get("routingConfig") or {}).get("additionalVersionWeights") or {}
    return {
        "FunctionName": function_name(inputs["functionName"]),
        "Name": inputs["name"],
        "FunctionVersion": inputs["functionVersion"],
        "Description": inputs.get("description") or "",
        "RoutingConfig": {"AdditionalVersionWeights": weights},
    }


def _create_alias(aws: Aws, inputs: Props) -> str:
    return str(aws.client("lambda").create_alias(**_alias(inputs))["AliasArn"])


def _read_alias(aws: Aws, arn: str, known: Props) -> Props:
    *_, function, name = arn.split(":")
    live = aws.client("lambda").get_alias(FunctionName=function, Name=name)
    weights = (live.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    return {
        "name": live["Name"],
        "functionName": as_asked(live["AliasArn"], known.get("functionName") or function),
        "functionVersion": live["FunctionVersion"],
        "description": live.get("Description"),
        "routingConfig": {"additionalVersionWeights": weights} if weights else None,
        "arn": live["AliasArn"],
        "invokeArn": invoke_arn(aws, live["AliasArn"]),
    }


def _update_alias(aws: Aws, _: str, new: Props, __: Props) -> None:
    aws.client("lambda").update_alias(**_alias(new))


def _delete_alias(aws: Aws, arn: str, _: Props) -> None:
    *_parts, function, name = arn.split(":")
    aws.client("lambda").delete_alias(FunctionName=function, Name=name)


ALIAS = Kind(
    type="aws:lambda/alias:Alias",
    client="lambda",
    inputs={
        "name": text(required=True, replaces=True, shape="CreateAlias.Name"),
        "functionName": text(required=True, replaces=True, shape="CreateAlias.FunctionName"),
        "functionVersion": text(required=True, shape="CreateAlias.FunctionVersion"),
        "description": text(shape="CreateAlias.Description"),
        "routingConfig": block({"additionalVersionWeights": mapping(decimal(at_least=0, at_most=1), at_most=1)}),
    },
    outputs=("arn", "invokeArn"),
    create=_create_alias,
    read=_read_alias,
    update=_update_alias,
    delete=_delete_alias,
)

KINDS = (FUNCTION, PERMISSION, EVENT_SOURCE_MAPPING, FUNCTION_EVENT_INVOKE_CONFIG, ALIAS)
