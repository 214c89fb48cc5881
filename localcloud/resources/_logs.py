"""CloudWatch Logs, whose types Pulumi files under `cloudwatch`: log groups, metric filters, resource policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, flag, mapping, number, text
from localcloud.kinds import Kind, Props, if_there, made
from localcloud.resources import _policy, _tags

# PutRetentionPolicy, "retentionInDays"; 0 is the AWS provider's word for "for ever".
_RETENTIONS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
# PutResourcePolicy, "policyDocument".
_RESOURCE_POLICY = 5_120
# The dimensions that a metric filter may publish.
_DIMENSIONS = 3

# --- log groups ----------------------------------------------------------------------------------------------------------


def _create_group(aws: Aws, inputs: Props) -> str:
    logs, name = aws.client("logs"), str(inputs["name"])
    names = {"kmsKeyId": "kmsKeyId", "logGroupClass": "logGroupClass", "tags": "tags"}
    logs.create_log_group(logGroupName=name, **{theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours)})
    if inputs.get("retentionInDays"):
        with made(name):
            logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    return name


def _find_group(aws: Aws, name: str) -> dict[str, Any] | None:
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return next((group for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)


def _read_group(aws: Aws, name: str, _: Props) -> Props | None:
    live = _find_group(aws, name)
    if live is None:
        return None
    arn = live["arn"].removesuffix(":*")
    return {
        "name": name,
        "retentionInDays": live.get("retentionInDays") or 0,
        "kmsKeyId": live.get("kmsKeyId"),
        "arn": arn,
        "tags": aws.client("logs").list_tags_for_resource(resourceArn=arn).get("tags") or {},
    }


def _update_group(aws: Aws, name: str, new: Props, old: Props) -> None:
    logs = aws.client("logs")
    if new.get("kmsKeyId") != old.get("kmsKeyId"):
        # moto has no call to change the key of a group that exists (see gaps.py).
        with if_there():
            _delete_group(aws, name, {})
        _create_group(aws, new)
        return
    if new.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=new["retentionInDays"])
    else:
        logs.delete_retention_policy(logGroupName=name)
    arn = aws.arn("logs", f"log-group:{name}")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
        untag=lambda keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
    )


def _delete_group(aws: Aws, name: str, state: Props) -> None:
    if state.get("skipDestroy"):
        return
    logs, arn = aws.client("logs"), aws.arn("logs", f"log-group:{name}")
    # moto would give the tags to the next group of this name.
    if tags := logs.list_tags_for_resource(resourceArn=arn).get("tags"):
        logs.untag_resource(resourceArn=arn, tagKeys=sorted(tags))
    logs.delete_log_group(logGroupName=name)


LOG_GROUP = Kind(
    type="aws:cloudwatch/logGroup:LogGroup",
    client="logs",
    inputs={
        "name": text(required=True, replaces=True, shape="CreateLogGroup.logGroupName"),
        "retentionInDays": number(one_of=_RETENTIONS),
        "kmsKeyId": text(shape="CreateLogGroup.kmsKeyId", pattern=r"arn:[^:]+:kms:[^:]+:\d{12}:key/.+"),
        "logGroupClass": text(replaces=True, shape="CreateLogGroup.logGroupClass"),
        "skipDestroy": flag(),
    },
    outputs=("arn",),
    tagged=True,
    create=_create_group,
    read=_read_group,
    update=_update_group,
    delete=_delete_group,
)

# --- metric filters ------------------------------------------------------------------------------------------------------

_TRANSFORMATION = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue", "unit": "unit", "dimensions": "dimensions"}


def _put_filter(aws: Aws, inputs: Props) -> str:
    logs = aws.client("logs")
    given = inputs["metricTransformation"]
    transformation = {theirs: given[ours] for ours, theirs in _TRANSFORMATION.items() if given.get(ours)}
    if given.get("defaultValue"):
        transformation["defaultValue"] = float(given["defaultValue"])
    # AWS overwrites a filter of the same name; moto would hold both.
    logs.delete_metric_filter(logGroupName=inputs["logGroupName"], filterName=inputs["name"])
    logs.put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=inputs["name"],
        filterPattern=inputs["pattern"].strip(),
        metricTransformations=[transformation],
    )
    return str(inputs["name"])


def _read_filter(aws: Aws, name: str, known: Props) -> Props | None:
    group = known["logGroupName"]
    pages = aws.client("logs").get_paginator("describe_metric_filters").paginate(logGroupName=group, filterNamePrefix=name)
    live = next((found for page in pages for found in page["metricFilters"] if found["filterName"] == name), None)
    if live is None:
        return None
    shown = live["metricTransformations"][0]
    transformation = {ours: shown[theirs] for ours, theirs in _TRANSFORMATION.items() if shown.get(theirs)}
    if shown.get("defaultValue") is not None:
        transformation["defaultValue"] = _number_text(float(shown["defaultValue"]))
    return {"name": name, "logGroupName": live["logGroupName"], "pattern": live["filterPattern"], "metricTransformation": transformation}


def _number_text(value: float) -> str:
    """Pulumi keeps this number as a string, so that it can be absent: `0`, `0.5`."""
    return str(int(value)) if value.is_integer() else repr(value)


def _update_filter(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_filter(aws, new)


def _delete_filter(aws: Aws, name: str, state: Props) -> None:
    aws.client("logs").delete_metric_filter(logGroupName=state["logGroupName"], filterName=name)


def _filter_rule(inputs: Props) -> Iterator[Refusal]:
    transformation = inputs["metricTransformation"]
    if isinstance(transformation, dict) and transformation.get("dimensions") and transformation.get("defaultValue"):
        yield Refusal("metricTransformation.defaultValue", "it cannot be given together with dimensions")


def _is_number(value: str) -> str | None:
    try:
        float(value)
    except ValueError:
        return f"{value!r} is not a number"
    return None


LOG_METRIC_FILTER = Kind(
    type="aws:cloudwatch/logMetricFilter:LogMetricFilter",
    client="logs",
    inputs={
        "name": text(required=True, replaces=True, shape="PutMetricFilter.filterName"),
        "logGroupName": text(required=True, replaces=True, shape="PutMetricFilter.logGroupName"),
        "pattern": text(required=True, shape="PutMetricFilter.filterPattern"),
        "metricTransformation": block(
            {
                "name": text(required=True, shape="PutMetricFilter.metricTransformations.metricName"),
                "namespace": text(required=True, shape="PutMetricFilter.metricTransformations.metricNamespace"),
                "value": text(required=True, shape="PutMetricFilter.metricTransformations.metricValue"),
                "defaultValue": text(rule=_is_number),
                "dimensions": mapping(at_most=_DIMENSIONS),
                "unit": text(shape="PutMetricFilter.metricTransformations.unit"),
            },
            required=True,
        ),
    },
    delete_first=False,
    create=_put_filter,
    read=_read_filter,
    update=_update_filter,
    delete=_delete_filter,
    rule=_filter_rule,
)

# --- resource policies ---------------------------------------------------------------------------------------------------


def _put_policy(aws: Aws, inputs: Props) -> str:
    aws.client("logs").put_resource_policy(policyName=inputs["policyName"], policyDocument=inputs["policyDocument"])
    return str(inputs["policyName"])


def _read_policy(aws: Aws, name: str, _: Props) -> Props | None:
    pages = aws.client("logs").get_paginator("describe_resource_policies").paginate()
    live = next((policy for page in pages for policy in page["resourcePolicies"] if policy["policyName"] == name), None)
    return {"policyName": name, "policyDocument": live["policyDocument"]} if live else None


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, name: str, _: Props) -> None:
    aws.client("logs").delete_resource_policy(policyName=name)


LOG_RESOURCE_POLICY = Kind(
    type="aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
    client="logs",
    inputs={
        "policyName": text(required=True, replaces=True, shape="PutResourcePolicy.policyName", at_least=1),
        "policyDocument": _policy.resource(_RESOURCE_POLICY, required=True),
    },
    delete_first=False,
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)
