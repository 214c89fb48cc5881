"""AWS Lambda functions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from localcloud import moto_code
from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, archive, block, flag, mapping, number, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags
from localcloud.resources._lambda_code import is_archive, zipped
from localcloud.resources._lambda_names import invoke_arn, lower, upper

# Pulumi's name: Lambda's, for what creation takes.
_CONFIGURATION = {
    "architectures": "Architectures",
    "description": "Description",
    "handler": "Handler",
    "kmsKeyArn": "KMSKeyArn",
    "layers": "Layers",
    "memorySize": "MemorySize",
    "packageType": "PackageType",
    "role": "Role",
    "runtime": "Runtime",
    "timeout": "Timeout",
}
_BLOCKS = {
    "deadLetterConfig": "DeadLetterConfig",
    "environment": "Environment",
    "ephemeralStorage": "EphemeralStorage",
    "loggingConfig": "LoggingConfig",
    "tracingConfig": "TracingConfig",
    "vpcConfig": "VpcConfig",
}
# What an input goes back to when it is dropped. The numbers are the AWS provider's defaults.
_CLEARED: Props = {
    "Description": "",
    "KMSKeyArn": "",
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "DeadLetterConfig": {"TargetArn": ""},
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "LoggingConfig": {"LogFormat": "Text"},
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
# Taken by UpdateFunctionCode or never changed.
_NOT_CONFIGURATION = {"Architectures", "PackageType"}

# Lambda developer guide, "Defined runtime environment variables", the reserved ones, and its limit of 4 KB for them all.
_RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    )
)
_ENVIRONMENT_LIMIT = 4096
_VARIABLE = r"[a-zA-Z]([a-zA-Z0-9_])+"

_VPC_INPUTS = ("subnetIds", "securityGroupIds", "ipv6AllowedForDualStack")


def _configuration(inputs: Props) -> Props:
    plain = {aws: inputs[name] for name, aws in _CONFIGURATION.items() if inputs.get(name) is not None}
    nested = {aws: upper(inputs[name]) for name, aws in _BLOCKS.items() if inputs.get(name) is not None}
    if "Environment" in nested:
        nested["Environment"].setdefault("Variables", {})
    return {**plain, **nested}


def _code(aws: Aws, inputs: Props) -> Props:
    if inputs.get("code") is not None:
        code = zipped(inputs["code"])
        return {"ZipFile": code if aws.endpoint else moto_code.by_reference(code)}
    return {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs["s3Key"]}


def _create(aws: Aws, inputs: Props) -> str:
    client = aws.client("lambda")
    client.create_function(
        FunctionName=inputs["name"],
        Code=_code(aws, inputs),
        Publish=bool(inputs.get("publish")),
        Tags=inputs.get("tags") or {},
        **_configuration(inputs),
    )
    with made(inputs["name"]):
        _reserve(aws, inputs)
    return str(inputs["name"])


def _reserve(aws: Aws, inputs: Props) -> None:
    reserved = inputs.get("reservedConcurrentExecutions")
    if reserved is not None and reserved >= 0:
        aws.client("lambda").put_function_concurrency(FunctionName=inputs["name"], ReservedConcurrentExecutions=reserved)
    else:
        aws.client("lambda").delete_function_concurrency(FunctionName=inputs["name"])


def _read(aws: Aws, name: str, _: Props) -> Props:
    client = aws.client("lambda")
    found = client.get_function(FunctionName=name)
    live = found["Configuration"]
    latest = client.list_versions_by_function(FunctionName=name)["Versions"][-1]
    reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    variables = live.get("Environment", {}).get("Variables")
    vpc = lower(live.get("VpcConfig"))
    arn = live["FunctionArn"]
    return {
        "name": live["FunctionName"],
        "description": live.get("Description"),
        "environment": {"variables": variables} if variables else None,
        "handler": live.get("Handler"),
        "layers": [layer["Arn"] for layer in live.get("Layers", [])],
        "memorySize": live["MemorySize"],
        "packageType": live["PackageType"],
        "reservedConcurrentExecutions": -1 if reserved is None else reserved,
        "role": live["Role"],
        "runtime": live.get("Runtime"),
        "timeout": live["Timeout"],
        "vpcConfig": {member: vpc[member] for member in _VPC_INPUTS if member in vpc} if vpc.get("subnetIds") else None,
        "tags": found.get("Tags", {}),
        "arn": arn,
        "invokeArn": invoke_arn(aws, arn),
        "responseStreamingInvokeArn": invoke_arn(aws, arn).replace("2015-03-31", "2021-11-15").replace("/invocations", "/response-streaming-invocations"),
        "qualifiedArn": latest["FunctionArn"],
        "qualifiedInvokeArn": invoke_arn(aws, latest["FunctionArn"]),
        "version": latest["Version"],
        "lastModified": live["LastModified"],
        "codeSha256": live["CodeSha256"],
        "sourceCodeSize": live["CodeSize"],
    }


def _update(aws: Aws, name: str, new: Props, old: Props) -> None:
    client = aws.client("lambda")
    before, after = _configuration(old), _configuration(new)
    wanted = {key: (before.get(key, _CLEARED.get(key)), after.get(key, _CLEARED.get(key))) for key in {*before, *after} - _NOT_CONFIGURATION}
    if changed := {key: value for key, (was, value) in wanted.items() if value not in (None, was)}:
        client.update_function_configuration(FunctionName=name, **changed)
    code_changed = _update_code(aws, name, new)
    if new.get("publish") and (changed or code_changed or not old.get("publish")):
        client.publish_version(FunctionName=name)
    if new.get("reservedConcurrentExecutions") != old.get("reservedConcurrentExecutions"):
        _reserve(aws, new)
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: client.tag_resource(Resource=arn, Tags=tags),
        untag=lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
    )


def _update_code(aws: Aws, name: str, new: Props) -> bool:
    client = aws.client("lambda")
    before = client.get_function_configuration(FunctionName=name)["CodeSha256"]
    if new.get("code") is not None and base64.b64encode(hashlib.sha256(zipped(new["code"])).digest()).decode() == before:
        return False
    code = _code(aws, new)
    after = client.update_function_code(FunctionName=name, **code, **({"Architectures": new["architectures"]} if new.get("architectures") else {}))
    return bool(after["CodeSha256"] != before)


def _delete(aws: Aws, name: str, _: Props) -> None:
    aws.client("lambda").delete_function(FunctionName=name)


def _variables(variables: Mapping[str, Any]) -> str | None:
    if wrong := sorted(name for name in set(variables) - _RESERVED if not re.fullmatch(_VARIABLE, name)):
        return f"{', '.join(wrong)}: a variable's name must match {_VARIABLE}"
    if reserved := sorted(set(variables) & _RESERVED):
        return f"{', '.join(reserved)}: Lambda sets this itself and refuses it; choose another name"
    size = len(json.dumps({name: value for name, value in variables.items() if value != UNKNOWN}, separators=(",", ":")).encode())
    if size > _ENVIRONMENT_LIMIT:
        return f"the variables are {size} bytes as JSON; Lambda takes at most {_ENVIRONMENT_LIMIT}. Keep long values in Parameter Store or Secrets Manager"
    return None


def _rule(inputs: Props) -> Iterator[Refusal]:
    if inputs.get("code") is None and inputs.get("s3Bucket") is None:
        yield Refusal("code", "it is required and missing (or s3Bucket and s3Key)")
    if inputs.get("code") is not None and inputs.get("s3Bucket") is not None:
        yield Refusal("s3Bucket", "it cannot be given together with code")
    if (inputs.get("s3Bucket") is None) != (inputs.get("s3Key") is None):
        yield Refusal("s3Key", "s3Bucket and s3Key are given together")
    for name in ("handler", "runtime"):
        if inputs.get(name) is None:
            yield Refusal(name, "it is required for packageType Zip")
    logging = inputs.get("loggingConfig")
    if isinstance(logging, dict) and logging.get("logFormat") == "Text":
        for name in ("applicationLogLevel", "systemLogLevel"):
            if logging.get(name):
                yield Refusal(f"loggingConfig.{name}", "a log level needs logFormat JSON")


def _ids(member: str) -> Field:
    shape = f"CreateFunction.VpcConfig.{member}"
    return texts(text(shape=shape), required=True, shape=shape)


FUNCTION = Kind(
    type="aws:lambda/function:Function",
    client="lambda",
    inputs={
        "name": text(required=True, replaces=True, pattern=r"[a-zA-Z0-9_-]{1,64}"),
        "architectures": texts(text(shape="CreateFunction.Architectures"), shape="CreateFunction.Architectures"),
        "code": archive(rule=is_archive),
        "deadLetterConfig": block({"targetArn": text(required=True, shape="CreateFunction.DeadLetterConfig.TargetArn")}),
        "description": text(shape="CreateFunction.Description"),
        "environment": block({"variables": mapping(rule=_variables)}),
        # Lambda quotas: 512 MB to 10,240 MB, as with memory; the shape's larger range is that of managed instances.
        "ephemeralStorage": block({"size": number(at_least=512, at_most=10_240)}),
        "handler": text(shape="CreateFunction.Handler"),
        "kmsKeyArn": text(shape="CreateFunction.KMSKeyArn"),
        "layers": texts(text(pattern=r"arn:aws[a-z-]*:lambda:[^:]+:\d{12}:layer:[a-zA-Z0-9_-]+:\d+"), unordered=False, at_most=5),
        "loggingConfig": block(
            {
                "logFormat": text(required=True, shape="CreateFunction.LoggingConfig.LogFormat"),
                "logGroup": text(shape="CreateFunction.LoggingConfig.LogGroup"),
                "applicationLogLevel": text(shape="CreateFunction.LoggingConfig.ApplicationLogLevel"),
                "systemLogLevel": text(shape="CreateFunction.LoggingConfig.SystemLogLevel"),
            }
        ),
        "memorySize": number(at_least=128, at_most=10_240),
        "packageType": text(replaces=True, one_of=("Zip",)),
        "publish": flag(),
        "reservedConcurrentExecutions": number(at_least=-1),
        "role": text(required=True, shape="CreateFunction.Role"),
        "runtime": text(shape="CreateFunction.Runtime"),
        "s3Bucket": text(),
        "s3Key": text(),
        "sourceCodeHash": text(),
        "timeout": number(at_least=1, at_most=900),
        "tracingConfig": block({"mode": text(required=True, shape="CreateFunction.TracingConfig.Mode")}),
        "vpcConfig": block(
            {
                "subnetIds": _ids("SubnetIds"),
                "securityGroupIds": _ids("SecurityGroupIds"),
                "ipv6AllowedForDualStack": flag(),
            }
        ),
    },
    outputs=(
        "arn",
        "codeSha256",
        "invokeArn",
        "lastModified",
        "qualifiedArn",
        "qualifiedInvokeArn",
        "responseStreamingInvokeArn",
        "sourceCodeSize",
        "version",
    ),
    tagged=True,
    rule=_rule,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
