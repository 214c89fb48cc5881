"""AWS CloudTrail: trails and what they record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, blocks, flag, text, texts
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _tags

# Pulumi's name: (what a trail is created and updated with, how it is described).
_TRAIL = {
    "s3BucketName": ("S3BucketName", "S3BucketName"),
    "s3KeyPrefix": ("S3KeyPrefix", "S3KeyPrefix"),
    "snsTopicName": ("SnsTopicName", "SnsTopicName"),
    "includeGlobalServiceEvents": ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
    "isMultiRegionTrail": ("IsMultiRegionTrail", "IsMultiRegionTrail"),
    "enableLogFileValidation": ("EnableLogFileValidation", "LogFileValidationEnabled"),
    "cloudWatchLogsGroupArn": ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
    "cloudWatchLogsRoleArn": ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
    "kmsKeyId": ("KmsKeyId", "KmsKeyId"),
}
_DEFAULTS = {"includeGlobalServiceEvents": True, "isMultiRegionTrail": False, "enableLogFileValidation": False}

_DATA_RESOURCE = {"type": "Type", "values": "Values"}
_SELECTOR = {
    "readWriteType": "ReadWriteType",
    "includeManagementEvents": "IncludeManagementEvents",
    "excludeManagementEventSources": "ExcludeManagementEventSources",
}
# What AWS records on a trail that was never told.
_EVERYTHING = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}

_FIELD_SELECTOR = {
    "field": "Field",
    "equals": "Equals",
    "startsWiths": "StartsWith",
    "endsWiths": "EndsWith",
    "notEquals": "NotEquals",
    "notStartsWiths": "NotStartsWith",
    "notEndsWiths": "NotEndsWith",
}


def _renamed(given: Props, names: dict[str, str]) -> dict[str, Any]:
    return {to: given[name] for name, to in names.items() if given.get(name) is not None}


def _back(names: dict[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in names.items()}


def _trail(inputs: Props) -> dict[str, Any]:
    """Every setting of the trail; one that was left out is set to what AWS has without it."""
    asked = {theirs: inputs[ours] if inputs.get(ours) is not None else _DEFAULTS.get(ours, "") for ours, (theirs, _) in _TRAIL.items()}
    # A topic may be given by its ARN; AWS keeps the name.
    return {**asked, "SnsTopicName": str(asked["SnsTopicName"]).rsplit(":", 1)[-1]}


def _create_trail(aws: Aws, inputs: Props) -> str:
    trail = aws.client("cloudtrail")
    asked = {name: value for name, value in _trail(inputs).items() if value != ""}
    arn = str(trail.create_trail(Name=inputs["name"], **asked, TagsList=_tags.as_list(inputs.get("tags")))["TrailARN"])
    with made(arn):
        if inputs.get("enableLogging") is not False:
            trail.start_logging(Name=arn)
        if inputs.get("eventSelectors") or inputs.get("advancedEventSelectors"):
            _select(trail, arn, inputs)
    return arn


def _select(trail: Any, arn: str, inputs: Props) -> None:
    if advanced := inputs.get("advancedEventSelectors"):
        selectors = [
            {**_renamed(one, {"name": "Name"}), "FieldSelectors": [_renamed(part, _FIELD_SELECTOR) for part in one["fieldSelectors"]]} for one in advanced
        ]
        trail.put_event_selectors(TrailName=arn, AdvancedEventSelectors=selectors)
        return
    selectors = [
        {**_renamed(one, _SELECTOR), "DataResources": [_renamed(part, _DATA_RESOURCE) for part in one.get("dataResources") or ()]}
        for one in inputs.get("eventSelectors") or ()
    ]
    trail.put_event_selectors(TrailName=arn, EventSelectors=selectors or [_EVERYTHING])


def _read_trail(aws: Aws, arn: str, known: Props) -> Props | None:
    trail = aws.client("cloudtrail")
    trails = trail.describe_trails(trailNameList=[arn], includeShadowTrails=False)["trailList"]
    live = next((found for found in trails if found["TrailARN"] == arn), None)
    if live is None:
        return None
    return {
        **{ours: live[described] for ours, (_, described) in _TRAIL.items() if live.get(described) not in (None, "")},
        **_read_selectors(trail.get_event_selectors(TrailName=arn), known),
        "name": live["Name"],
        "enableLogging": trail.get_trail_status(Name=arn)["IsLogging"],
        "arn": arn,
        "homeRegion": live["HomeRegion"],
        "snsTopicArn": live.get("SnsTopicARN") or "",
        "tags": _tags.as_map(trail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0].get("TagsList")),
    }


def _read_selectors(live: dict[str, Any], known: Props) -> Props:
    """The selectors of one kind or the other; those that AWS has by itself only where they were asked for."""
    if basic := live.get("EventSelectors"):
        if basic == [_EVERYTHING] and not known.get("eventSelectors"):
            return {}
        return {
            "eventSelectors": [
                {**_renamed(one, _back(_SELECTOR)), "dataResources": [_renamed(part, _back(_DATA_RESOURCE)) for part in one.get("DataResources") or ()]}
                for one in basic
            ]
        }
    advanced = live.get("AdvancedEventSelectors") or ()
    return {
        "advancedEventSelectors": [
            {**_renamed(one, {"Name": "name"}), "fieldSelectors": [_renamed(part, _back(_FIELD_SELECTOR)) for part in one["FieldSelectors"]]}
            for one in advanced
        ]
    }


def _update_trail(aws: Aws, arn: str, new: Props, old: Props) -> None:
    trail = aws.client("cloudtrail")
    trail.update_trail(Name=arn, **_trail(new))
    if any(new.get(name) != old.get(name) for name in ("eventSelectors", "advancedEventSelectors")):
        _select(trail, arn, new)
    switch = trail.stop_logging if new.get("enableLogging") is False else trail.start_logging
    switch(Name=arn)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: trail.add_tags(ResourceId=arn, TagsList=_tags.as_list(tags)),
        untag=lambda keys: trail.remove_tags(ResourceId=arn, TagsList=[{"Key": key} for key in keys]),
    )


def _delete_trail(aws: Aws, arn: str, _: Props) -> None:
    trail = aws.client("cloudtrail")
    # moto would give the tags to the next trail of this name.
    if tags := trail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0].get("TagsList"):
        trail.remove_tags(ResourceId=arn, TagsList=[{"Key": tag["Key"]} for tag in tags])
    # moto takes the name here, but not the ARN.
    trail.delete_trail(Name=arn.rsplit("/", 1)[1])


def _rule(inputs: Props) -> Iterator[Refusal]:
    if inputs.get("isMultiRegionTrail") is True and inputs.get("includeGlobalServiceEvents") is False:
        yield Refusal("includeGlobalServiceEvents", "must be true for a trail of all regions (isMultiRegionTrail)")
    if bool(inputs.get("cloudWatchLogsGroupArn")) != bool(inputs.get("cloudWatchLogsRoleArn")):
        missing = "cloudWatchLogsGroupArn" if inputs.get("cloudWatchLogsRoleArn") else "cloudWatchLogsRoleArn"
        yield Refusal(missing, "cloudWatchLogsGroupArn and cloudWatchLogsRoleArn go together")
    if inputs.get("eventSelectors") and inputs.get("advancedEventSelectors"):
        yield Refusal("advancedEventSelectors", "it cannot be given together with eventSelectors")
    selectors = inputs.get("eventSelectors") or ()
    for position, selector in enumerate(() if selectors == UNKNOWN else selectors):
        if isinstance(selector, dict) and selector.get("excludeManagementEventSources") and selector.get("includeManagementEvents") is False:
            yield Refusal(f"eventSelectors[{position}].excludeManagementEventSources", "it needs includeManagementEvents")


def _values() -> Field:
    return texts(text(at_least=1, at_most=2_048), unordered=False, at_least=1)


# CloudTrail user guide, "Quotas": five selectors, 250 data resources in all.
_EVENT_SELECTORS = blocks(
    {
        "readWriteType": text(shape="PutEventSelectors.EventSelectors.ReadWriteType"),
        "includeManagementEvents": flag(),
        "excludeManagementEventSources": texts(text(one_of=("kms.amazonaws.com", "rdsdata.amazonaws.com"))),
        "dataResources": blocks(
            {
                # DataResource, "Type": the others need advanced selectors.
                "type": text(required=True, one_of=("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")),
                "values": texts(text(pattern="arn:.+"), unordered=False, required=True, at_most=250),
            }
        ),
    },
    at_most=5,
)
_ADVANCED_SELECTORS = blocks(
    {
        "name": text(shape="PutEventSelectors.AdvancedEventSelectors.Name"),
        "fieldSelectors": blocks(
            {
                "field": text(required=True, shape="PutEventSelectors.AdvancedEventSelectors.FieldSelectors.Field"),
                **{name: _values() for name in _FIELD_SELECTOR if name != "field"},
            },
            unordered=True,
            required=True,
            at_least=1,
        ),
    }
)

TRAIL = Kind(
    type="aws:cloudtrail/trail:Trail",
    client="cloudtrail",
    inputs={
        # CreateTrail, "Name".
        "name": text(required=True, replaces=True, pattern=r"(?!.*[._-]{2})[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]"),
        "s3BucketName": text(required=True, at_least=3, at_most=63),
        "s3KeyPrefix": text(at_most=200),
        "snsTopicName": text(at_most=256),
        "includeGlobalServiceEvents": flag(),
        "isMultiRegionTrail": flag(),
        "enableLogFileValidation": flag(),
        "enableLogging": flag(),
        "kmsKeyId": text(pattern=r"arn:[^:]+:kms:[^:]+:\d{12}:(key|alias)/.+"),
        # CloudTrail wants the wildcard of the log streams at the end.
        "cloudWatchLogsGroupArn": text(pattern=r"arn:[^:]+:logs:[^:]+:\d{12}:log-group:.+:\*"),
        "cloudWatchLogsRoleArn": text(pattern=r"arn:[^:]+:iam::\d{12}:role/.+"),
        "eventSelectors": _EVENT_SELECTORS,
        "advancedEventSelectors": _ADVANCED_SELECTORS,
    },
    outputs=("arn", "homeRegion", "snsTopicArn"),
    tagged=True,
    delete_first=False,
    create=_create_trail,
    read=_read_trail,
    update=_update_trail,
    delete=_delete_trail,
    rule=_rule,
)

KINDS = (TRAIL,)
