"""Amazon EventBridge, whose types Pulumi files under `cloudwatch`: rules and their targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, flag, json_text, mapping, number, text
from localcloud.kinds import Kind, Props, if_there
from localcloud.resources import _tags
from localcloud.resources._lambda_names import lower, upper

_DEFAULT_BUS = "default"
# EventBridge user guide, "Rate expressions" and "Cron expressions": one has the singular, and each of six fields is there.
_SCHEDULE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)|cron\(\S+( \S+){5}\)")

# --- rules ---------------------------------------------------------------------------------------------------------------

_RULE = {
    "description": "Description",
    "eventBusName": "EventBusName",
    "eventPattern": "EventPattern",
    "name": "Name",
    "roleArn": "RoleArn",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
}


def _on(bus: str | None, rule: str) -> Props:
    """Names a rule to EventBridge."""
    return {"Name": rule, **({} if bus in (None, _DEFAULT_BUS) else {"EventBusName": bus})}


def _rule_id(inputs: Props) -> str:
    bus, name = inputs.get("eventBusName"), str(inputs["name"])
    return name if bus in (None, _DEFAULT_BUS) else f"{bus}/{name}"


def _named(id_: str) -> tuple[str | None, str]:
    """The bus, if it is not the default one, and the name that an id stands for; a bus's name may have slashes, a rule's has none."""
    bus, _, name = id_.rpartition("/")
    return bus or None, name


def _put_rule(aws: Aws, inputs: Props) -> str:
    sent = {theirs: inputs[ours] for ours, theirs in _RULE.items() if inputs.get(ours) is not None}
    aws.client("events").put_rule(**sent, Tags=_tags.as_list(inputs.get("tags")))
    return _rule_id(inputs)


def _read_rule(aws: Aws, id_: str, _: Props) -> Props:
    events = aws.client("events")
    live = events.describe_rule(**_on(*_named(id_)))
    found = {ours: live.get(theirs) for ours, theirs in _RULE.items()}
    return {
        **found,
        "eventBusName": live.get("EventBusName") or _DEFAULT_BUS,
        "arn": live["Arn"],
        "tags": _tags.as_map(events.list_tags_for_resource(ResourceARN=live["Arn"])["Tags"]),
    }


def _update_rule(aws: Aws, id_: str, new: Props, old: Props) -> None:
    events = aws.client("events")
    # EventBridge takes no tags for a rule that exists ("PutRule").
    _put_rule(aws, {**new, "tags": None})
    arn = events.describe_rule(**_on(*_named(id_)))["Arn"]
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: events.tag_resource(ResourceARN=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: events.untag_resource(ResourceARN=arn, TagKeys=keys),
    )


def _delete_rule(aws: Aws, id_: str, _: Props) -> None:
    aws.client("events").delete_rule(**_on(*_named(id_)))


def _rule_rule(inputs: Props) -> Iterator[Refusal]:
    """EventBridge API reference, PutRule."""
    if not inputs.get("scheduleExpression") and not inputs.get("eventPattern"):
        yield Refusal("scheduleExpression", "a rule has a scheduleExpression, an eventPattern or both; this one has neither")
    if inputs.get("scheduleExpression") and inputs.get("eventBusName") not in (None, _DEFAULT_BUS, UNKNOWN):
        yield Refusal("scheduleExpression", f"schedules are for the default bus, not {inputs['eventBusName']!r}")


def _is_schedule(expression: str) -> str | None:
    return None if _SCHEDULE.fullmatch(expression) else f"{expression!r} must be rate(<number> <unit>), such as rate(1 minute), or cron(<six fields>)"


EVENT_RULE = Kind(
    type="aws:cloudwatch/eventRule:EventRule",
    client="events",
    inputs={
        "name": text(required=True, replaces=True, shape="PutRule.Name"),
        "description": text(shape="PutRule.Description"),
        "eventBusName": text(replaces=True, shape="PutRule.EventBusName"),
        "eventPattern": json_text(shape="PutRule.EventPattern"),
        "forceDestroy": flag(),
        "roleArn": text(shape="PutRule.RoleArn", pattern=r"arn:[^:]+:iam::\d{12}:role/.+"),
        "scheduleExpression": text(shape="PutRule.ScheduleExpression", rule=_is_schedule),
        "state": text(shape="PutRule.State"),
    },
    defaults={"eventBusName": _DEFAULT_BUS, "state": "ENABLED"},
    outputs=("arn",),
    tagged=True,
    create=_put_rule,
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
    rule=_rule_rule,
)

# --- targets -------------------------------------------------------------------------------------------------------------

_TARGET = {"arn": "Arn", "input": "Input", "inputPath": "InputPath", "roleArn": "RoleArn"}
_TARGET_BLOCKS = {
    "deadLetterConfig": "DeadLetterConfig",
    "kinesisTarget": "KinesisParameters",
    "retryPolicy": "RetryPolicy",
    "sqsTarget": "SqsParameters",
}


def _of_rule(inputs: Props) -> Props:
    on = _on(inputs.get("eventBusName"), inputs["rule"])
    return {"Rule": on.pop("Name"), **on}


def _put_target(aws: Aws, inputs: Props) -> str:
    sent: Props = {"Id": inputs["targetId"]}
    sent |= {theirs: inputs[ours] for ours, theirs in _TARGET.items() if inputs.get(ours) is not None}
    sent |= {theirs: upper(inputs[ours]) for ours, theirs in _TARGET_BLOCKS.items() if inputs.get(ours)}
    if transformer := inputs.get("inputTransformer"):
        paths = {"InputPathsMap": transformer["inputPaths"]} if transformer.get("inputPaths") else {}
        sent["InputTransformer"] = {"InputTemplate": transformer["inputTemplate"], **paths}
    aws.client("events").put_targets(**_of_rule(inputs), Targets=[sent])
    bus = inputs.get("eventBusName")
    return "-".join(part for part in (None if bus == _DEFAULT_BUS else bus, inputs["rule"], inputs["targetId"]) if part)


def _read_target(aws: Aws, _: str, known: Props) -> Props | None:
    pages = aws.client("events").get_paginator("list_targets_by_rule").paginate(**_of_rule(known))
    live: Props | None = next((target for page in pages for target in page["Targets"] if target["Id"] == known["targetId"]), None)
    if live is None:
        return None
    return {
        "rule": known["rule"],
        "eventBusName": known.get("eventBusName") or _DEFAULT_BUS,
        "targetId": live["Id"],
        **{ours: live.get(theirs) for ours, theirs in _TARGET.items()},
        **{ours: lower(live.get(theirs)) or None for ours, theirs in _TARGET_BLOCKS.items()},
        "inputTransformer": _transformer(live.get("InputTransformer")),
    }


def _transformer(live: dict[str, Any] | None) -> Props | None:
    return {"inputTemplate": live["InputTemplate"], "inputPaths": live.get("InputPathsMap") or None} if live else None


def _update_target(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_target(aws, new)


def _delete_target(aws: Aws, _: str, state: Props) -> None:
    with if_there():
        aws.client("events").remove_targets(**_of_rule(state), Ids=[state["targetId"]])


def _target_rule(inputs: Props) -> Iterator[Refusal]:
    """EventBridge API reference, Target."""
    given = [name for name in ("input", "inputPath", "inputTransformer") if inputs.get(name)]
    if len(given) > 1:
        yield Refusal(given[1], f"a target has one of input, inputPath and inputTransformer; this one has {' and '.join(given)}")
    arn = str(inputs["arn"])
    if arn != UNKNOWN:
        if arn.endswith(".fifo") and not inputs.get("sqsTarget"):
            yield Refusal("sqsTarget", "a FIFO queue needs it, with a messageGroupId")
        for name, service in (("sqsTarget", "sqs"), ("kinesisTarget", "kinesis")):
            if inputs.get(name) and f":{service}:" not in arn:
                yield Refusal(name, f"it is for {service}, not for {arn}")


EVENT_TARGET = Kind(
    type="aws:cloudwatch/eventTarget:EventTarget",
    client="events",
    inputs={
        "arn": text(required=True, shape="PutTargets.Targets.Arn", pattern=r"arn:[^:]+:[a-z0-9-]+:[^:]*:(\d{12})?:.+"),
        "deadLetterConfig": block({"arn": text(shape="PutTargets.Targets.DeadLetterConfig.Arn", pattern=r"arn:[^:]+:sqs:[^:]+:\d{12}:[A-Za-z0-9_-]{1,80}")}),
        "eventBusName": text(replaces=True, shape="PutTargets.EventBusName"),
        "forceDestroy": flag(),
        "input": json_text(shape="PutTargets.Targets.Input"),
        "inputPath": text(shape="PutTargets.Targets.InputPath"),
        "inputTransformer": block(
            {
                "inputPaths": mapping(at_most=100),
                "inputTemplate": text(required=True, shape="PutTargets.Targets.InputTransformer.InputTemplate"),
            }
        ),
        "kinesisTarget": block({"partitionKeyPath": text(required=True, shape="PutTargets.Targets.KinesisParameters.PartitionKeyPath")}),
        "retryPolicy": block(
            {
                "maximumEventAgeInSeconds": number(shape="PutTargets.Targets.RetryPolicy.MaximumEventAgeInSeconds"),
                "maximumRetryAttempts": number(shape="PutTargets.Targets.RetryPolicy.MaximumRetryAttempts"),
            }
        ),
        "roleArn": text(shape="PutTargets.Targets.RoleArn", pattern=r"arn:[^:]+:iam::\d{12}:role/.+"),
        "rule": text(required=True, replaces=True, shape="PutTargets.Rule"),
        "sqsTarget": block({"messageGroupId": text(shape="PutTargets.Targets.SqsParameters.MessageGroupId")}),
        "targetId": text(required=True, replaces=True, shape="PutTargets.Targets.Id"),
    },
    defaults={"eventBusName": _DEFAULT_BUS},
    create=_put_target,
    read=_read_target,
    update=_update_target,
    delete=_delete_target,
    rule=_target_rule,
)
