"""Amazon SQS: queues and their policies."""

from __future__ import annotations

from typing import Any

from localcloud.aws import Aws
from localcloud.fields import flag, json_text, number, text
from localcloud.kinds import Kind, Props

# Pulumi's name: (SQS's attribute, how to read it back).
_ATTRIBUTES: dict[str, tuple[str, Any]] = {
    "delaySeconds": ("DelaySeconds", int),
    "kmsDataKeyReusePeriodSeconds": ("KmsDataKeyReusePeriodSeconds", int),
    "kmsMasterKeyId": ("KmsMasterKeyId", str),
    "maxMessageSize": ("MaximumMessageSize", int),
    "messageRetentionSeconds": ("MessageRetentionPeriod", int),
    "receiveWaitTimeSeconds": ("ReceiveMessageWaitTimeSeconds", int),
    "redriveAllowPolicy": ("RedriveAllowPolicy", str),
    "redrivePolicy": ("RedrivePolicy", str),
    "sqsManagedSseEnabled": ("SqsManagedSseEnabled", lambda value: value == "true"),
    "visibilityTimeoutSeconds": ("VisibilityTimeout", int),
}


def _attributes(inputs: Props) -> dict[str, str]:
    sent = {aws: inputs[name] for name, (aws, _) in _ATTRIBUTES.items() if inputs.get(name) is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in sent.items()}


def _create_queue(aws: Aws, inputs: Props) -> str:
    fifo = {"FifoQueue": "true"} if inputs.get("fifoQueue") else {}
    answer = aws.client("sqs").create_queue(QueueName=inputs["name"], Attributes={**_attributes(inputs), **fifo}, tags=inputs.get("tags") or {})
    return str(answer["QueueUrl"])


def _read_queue(aws: Aws, url: str, _: Props) -> Props:
    live = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    state: Props = {name: back(live[key]) for name, (key, back) in _ATTRIBUTES.items() if key in live}
    return {
        **state,
        "name": live["QueueArn"].rsplit(":", 1)[1],
        "arn": live["QueueArn"],
        "url": url,
        "fifoQueue": live.get("FifoQueue") == "true",
        "tags": aws.client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {}),
    }


def _update_queue(aws: Aws, url: str, new: Props, old: Props) -> None:
    sqs = aws.client("sqs")
    cleared = {_ATTRIBUTES[name][0]: "" for name in _ATTRIBUTES if old.get(name) and not new.get(name) and name.endswith(("Policy", "KeyId"))}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={**cleared, **_attributes(new)})
    if gone := sorted(set(old.get("tags") or {}) - set(new.get("tags") or {})):
        sqs.untag_queue(QueueUrl=url, TagKeys=gone)
    if new.get("tags"):
        sqs.tag_queue(QueueUrl=url, Tags=new["tags"])


def _delete_queue(aws: Aws, url: str, _: Props) -> None:
    aws.client("sqs").delete_queue(QueueUrl=url)


QUEUE = Kind(
    type="aws:sqs/queue:Queue",
    client="sqs",
    # The ranges are those of the SQS API reference, CreateQueue, "Attributes"; botocore has them as free strings.
    inputs={
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo"),
        "fifoQueue": flag(replaces=True),
        "delaySeconds": number(at_least=0, at_most=900),
        "kmsDataKeyReusePeriodSeconds": number(at_least=60, at_most=86_400),
        "kmsMasterKeyId": text(),
        "maxMessageSize": number(at_least=1024, at_most=1_048_576),
        "messageRetentionSeconds": number(at_least=60, at_most=1_209_600),
        "receiveWaitTimeSeconds": number(at_least=0, at_most=20),
        "redriveAllowPolicy": json_text(),
        "redrivePolicy": json_text(),
        "sqsManagedSseEnabled": flag(),
        "visibilityTimeoutSeconds": number(at_least=0, at_most=43_200),
    },
    outputs=("arn", "url"),
    tagged=True,
    create=_create_queue,
    read=_read_queue,
    update=_update_queue,
    delete=_delete_queue,
)


def _put_policy(aws: Aws, inputs: Props) -> str:
    url = str(inputs["queueUrl"])
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": inputs["policy"]})
    return url


def _read_policy(aws: Aws, url: str, _: Props) -> Props | None:
    live = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    return {"queueUrl": url, "policy": live["Policy"]} if live.get("Policy") else None


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, url: str, _: Props) -> None:
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


QUEUE_POLICY = Kind(
    type="aws:sqs/queuePolicy:QueuePolicy",
    client="sqs",
    inputs={"queueUrl": text(required=True, replaces=True), "policy": json_text(required=True)},
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)

KINDS = (QUEUE, QUEUE_POLICY)
