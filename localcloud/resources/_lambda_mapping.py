"""What a function consumes: queues and streams that Lambda polls for it."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, json_text, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags
from localcloud.resources._lambda_names import as_asked, lower, upper

# Lambda's way to say that a setting is not there any more.
_MAPPING_CLEARED: Props = {
    "BatchSize": 10,
    "DestinationConfig": {},
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MetricsConfig": {},
    "ScalingConfig": {},
}
_MAPPING_PLAIN = {
    "batchSize": "BatchSize",
    "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
    "enabled": "Enabled",
    "eventSourceArn": "EventSourceArn",
    "functionName": "FunctionName",
    "functionResponseTypes": "FunctionResponseTypes",
    "kmsKeyArn": "KMSKeyArn",
    "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds": "MaximumRecordAgeInSeconds",
    "maximumRetryAttempts": "MaximumRetryAttempts",
    "parallelizationFactor": "ParallelizationFactor",
    "startingPosition": "StartingPosition",
    "tumblingWindowInSeconds": "TumblingWindowInSeconds",
}


def _mapping(inputs: Props) -> Props:
    sent = {theirs: inputs[ours] for ours, theirs in _MAPPING_PLAIN.items() if inputs.get(ours) is not None}
    if inputs.get("filterCriteria"):
        sent["FilterCriteria"] = {"Filters": [upper(entry) for entry in inputs["filterCriteria"].get("filters") or []]}
    for ours in ("metricsConfig", "scalingConfig"):
        if inputs.get(ours):
            sent.update(upper({ours: upper(inputs[ours])}))
    if inputs.get("destinationConfig"):
        sent["DestinationConfig"] = {"OnFailure": {"Destination": inputs["destinationConfig"]["onFailure"]["destinationArn"]}}
    return sent


def _create_mapping(aws: Aws, inputs: Props) -> str:
    _check_visibility(aws, inputs)
    sent = _mapping(inputs)
    return str(aws.client("lambda").create_event_source_mapping(**sent, Tags=inputs.get("tags") or {})["UUID"])


def _check_visibility(aws: Aws, inputs: Props) -> None:
    """Refuses, as Lambda does and moto does not, a queue that would hand a message out again while the function still works on it."""
    arn = inputs["eventSourceArn"].split(":")
    if arn[2] != "sqs":
        return
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=arn[5], QueueOwnerAWSAccountId=arn[4])["QueueUrl"]
    visible = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]["VisibilityTimeout"])
    timeout = aws.client("lambda").get_function_configuration(FunctionName=inputs["functionName"])["Timeout"]
    if visible < timeout:
        message = f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
        raise ClientError({"Error": {"Code": "InvalidParameterValueException", "Message": message}}, "CreateEventSourceMapping")


def _read_mapping(aws: Aws, uuid: str, known: Props) -> Props:
    client = aws.client("lambda")
    live = client.get_event_source_mapping(UUID=uuid)
    filters = live.get("FilterCriteria", {}).get("Filters")
    failures = live.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    state = {ours: live[theirs] for ours, theirs in _MAPPING_PLAIN.items() if theirs in live}
    return {
        **state,
        "enabled": live["State"] in {"Enabled", "Enabling"},
        "destinationConfig": {"onFailure": {"destinationArn": failures}} if failures else None,
        "filterCriteria": {"filters": [lower(entry) for entry in filters]} if filters else None,
        "functionName": as_asked(live["FunctionArn"], known.get("functionName")),
        "functionArn": live["FunctionArn"],
        "metricsConfig": lower(live.get("MetricsConfig")) or None,
        "scalingConfig": lower(live.get("ScalingConfig")) or None,
        "arn": live["EventSourceMappingArn"],
        "lastModified": live["LastModified"].isoformat(),
        "state": live["State"],
        "stateTransitionReason": live["StateTransitionReason"],
        "uuid": live["UUID"],
        "tags": client.list_tags(Resource=live["EventSourceMappingArn"])["Tags"],
    }


def _update_mapping(aws: Aws, uuid: str, new: Props, old: Props) -> None:
    client = aws.client("lambda")
    before, after = _mapping(old), _mapping(new)
    dropped = {name: _MAPPING_CLEARED[name] for name in before if name not in after and name in _MAPPING_CLEARED}
    kept = {name: value for name, value in after.items() if name not in {"EventSourceArn", "StartingPosition"}}
    live = client.update_event_source_mapping(UUID=uuid, **dropped, **kept)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: client.tag_resource(Resource=live["EventSourceMappingArn"], Tags=tags),
        untag=lambda keys: client.untag_resource(Resource=live["EventSourceMappingArn"], TagKeys=keys),
    )


def _delete_mapping(aws: Aws, uuid: str, _: Props) -> None:
    aws.client("lambda").delete_event_source_mapping(UUID=uuid)


def _mapping_rule(inputs: Props) -> Iterator[Refusal]:
    """Lambda API reference, CreateEventSourceMapping, "BatchSize" and "MaximumBatchingWindowInSeconds"."""
    arn, size, window = inputs["eventSourceArn"], inputs.get("batchSize"), inputs.get("maximumBatchingWindowInSeconds")
    if ":sqs:" not in arn:
        if ":kinesis:" in arn and inputs.get("startingPosition") is None:
            yield Refusal("startingPosition", "it is required for a stream")
        return
    if arn.endswith(".fifo"):
        if isinstance(size, int) and size > 10:
            yield Refusal("batchSize", f"{size}: a FIFO queue hands out at most 10")
        if window:
            yield Refusal("maximumBatchingWindowInSeconds", "FIFO queues have no batching window")
    elif isinstance(size, int) and size > 10 and window in (None, 0):
        yield Refusal("batchSize", f"{size}: more than 10 needs maximumBatchingWindowInSeconds of at least 1")
    for name in ("bisectBatchOnFunctionError", "maximumRecordAgeInSeconds", "maximumRetryAttempts", "parallelizationFactor", "startingPosition"):
        if inputs.get(name) is not None:
            yield Refusal(name, "it is for streams, not for queues")


_FILTER = {"pattern": json_text(required=True, shape="CreateEventSourceMapping.FilterCriteria.Filters.Pattern")}
_METRIC = text(shape="CreateEventSourceMapping.MetricsConfig.Metrics")

EVENT_SOURCE_MAPPING = Kind(
    type="aws:lambda/eventSourceMapping:EventSourceMapping",
    client="lambda",
    inputs={
        "batchSize": number(shape="CreateEventSourceMapping.BatchSize"),
        "bisectBatchOnFunctionError": flag(),
        "destinationConfig": block({"onFailure": block({"destinationArn": text(required=True)}, required=True)}),
        "enabled": flag(),
        "eventSourceArn": text(required=True, replaces=True, shape="CreateEventSourceMapping.EventSourceArn"),
        "filterCriteria": block(
            {
                "filters": blocks(
                    {"pattern": json_text(required=True, shape="CreateEventSourceMapping.FilterCriteria.Filters.Pattern")}, unordered=True, at_most=5
                )
            }
        ),
        "functionName": text(required=True, shape="CreateEventSourceMapping.FunctionName"),
        "functionResponseTypes": texts(text(shape="CreateEventSourceMapping.FunctionResponseTypes"), shape="CreateEventSourceMapping.FunctionResponseTypes"),
        "kmsKeyArn": text(shape="CreateEventSourceMapping.KMSKeyArn"),
        "maximumBatchingWindowInSeconds": number(shape="CreateEventSourceMapping.MaximumBatchingWindowInSeconds"),
        "maximumRecordAgeInSeconds": number(shape="CreateEventSourceMapping.MaximumRecordAgeInSeconds"),
        "maximumRetryAttempts": number(shape="CreateEventSourceMapping.MaximumRetryAttempts"),
        "metricsConfig": block({"metrics": texts(_METRIC, required=True)}),
        "parallelizationFactor": number(shape="CreateEventSourceMapping.ParallelizationFactor"),
        "scalingConfig": block({"maximumConcurrency": number(shape="CreateEventSourceMapping.ScalingConfig.MaximumConcurrency")}),
        "startingPosition": text(replaces=True, shape="CreateEventSourceMapping.StartingPosition"),
        "tumblingWindowInSeconds": number(shape="CreateEventSourceMapping.TumblingWindowInSeconds"),
    },
    outputs=("arn", "functionArn", "lastModified", "state", "stateTransitionReason", "uuid"),
    tagged=True,
    rule=_mapping_rule,
    create=_create_mapping,
    read=_read_mapping,
    update=_update_mapping,
    delete=_delete_mapping,
)
