"""Amazon SNS: topics, their policies and subscriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Refusal, flag, json_text, number, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _policy, _tags

# SNS endpoints and quotas, "Topic policies": 30 KB.
_TOPIC_POLICY = 30_720


def _is_true(value: Any) -> bool:
    return value == "true"


# --- topics --------------------------------------------------------------------------------------------------------------

# Pulumi's name: (SNS's attribute, how to read it back).
_TOPIC: dict[str, tuple[str, Any]] = {
    "displayName": ("DisplayName", str),
    "kmsMasterKeyId": ("KmsMasterKeyId", str),
    "policy": ("Policy", str),
    "deliveryPolicy": ("DeliveryPolicy", str),
    "contentBasedDeduplication": ("ContentBasedDeduplication", _is_true),
    "signatureVersion": ("SignatureVersion", int),
    "tracingConfig": ("TracingConfig", str),
}


def _sent(value: Any) -> str:
    """The value as SNS takes it: every attribute is a string."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create_topic(aws: Aws, inputs: Props) -> str:
    sns = aws.client("sns")
    fifo = {"FifoTopic": "true"} if inputs.get("fifoTopic") else {}
    arn = str(sns.create_topic(Name=inputs["name"], Attributes=fifo, Tags=_tags.as_list(inputs.get("tags")))["TopicArn"])
    with made(arn):
        _set_topic(sns, arn, inputs, {})
    return arn


def _set_topic(sns: Any, arn: str, new: Props, old: Props) -> None:
    for name, (attribute, _) in _TOPIC.items():
        if new.get(name) is not None and new[name] != old.get(name):
            sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=_sent(new[name]))
        elif old.get(name) and new.get(name) is None:
            cleared = _default_policy(arn) if name == "policy" else ""
            sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=cleared)


def _read_topic(aws: Aws, arn: str, known: Props) -> Props:
    sns = aws.client("sns")
    live = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    # Where a TopicPolicy owns the policy, it is no property of the topic: its change would look like drift of both.
    shown = {name: about for name, about in _TOPIC.items() if name != "policy" or known.get("policy")}
    return {
        **{name: back(live[attribute]) for name, (attribute, back) in shown.items() if live.get(attribute)},
        "name": arn.rsplit(":", 1)[1],
        "fifoTopic": _is_true(live.get("FifoTopic")),
        "contentBasedDeduplication": _is_true(live.get("ContentBasedDeduplication")),
        "arn": arn,
        "owner": live["Owner"],
        "tags": _tags.as_map(sns.list_tags_for_resource(ResourceArn=arn).get("Tags")),
    }


def _update_topic(aws: Aws, arn: str, new: Props, old: Props) -> None:
    sns = aws.client("sns")
    _set_topic(sns, arn, new, old)
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: sns.tag_resource(ResourceArn=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: sns.untag_resource(ResourceArn=arn, TagKeys=keys),
    )


def _delete_topic(aws: Aws, arn: str, _: Props) -> None:
    aws.client("sns").delete_topic(TopicArn=arn)


def _topic_rule(inputs: Props) -> Iterator[Refusal]:
    fifo, name = bool(inputs.get("fifoTopic")), inputs["name"]
    if name != UNKNOWN and name.endswith(".fifo") != fifo:
        yield Refusal("name", f"{name!r}: the name of a FIFO topic ends in .fifo, and only its name does (fifoTopic is {_sent(fifo)})")
    if inputs.get("contentBasedDeduplication") and not fifo:
        yield Refusal("contentBasedDeduplication", "it is for FIFO topics (fifoTopic)")


TOPIC = Kind(
    type="aws:sns/topic:Topic",
    client="sns",
    # Names, values and limits are those of the SNS API reference, CreateTopic; botocore has them as free strings.
    inputs={
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo"),
        "fifoTopic": flag(replaces=True),
        "displayName": text(at_most=100),
        "kmsMasterKeyId": text(),
        "policy": _policy.resource(_TOPIC_POLICY),
        "deliveryPolicy": json_text(),
        "contentBasedDeduplication": flag(),
        "signatureVersion": number(one_of=(1, 2)),
        "tracingConfig": text(one_of=("PassThrough", "Active")),
    },
    outputs=("arn", "owner"),
    tagged=True,
    delete_first=False,
    create=_create_topic,
    read=_read_topic,
    update=_update_topic,
    delete=_delete_topic,
    rule=_topic_rule,
)

# --- topic policies ------------------------------------------------------------------------------------------------------

_DEFAULT_ID = "__default_policy_ID"
_OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def _default_policy(arn: str) -> str:
    """What AWS gives a topic without a policy of its own: its account may use it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _OWNERS_ACTIONS],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": _DEFAULT_ID, "Statement": [statement]})


def _put_policy(aws: Aws, inputs: Props) -> str:
    arn = str(inputs["arn"])
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=inputs["policy"])
    return arn


def _read_policy(aws: Aws, arn: str, _: Props) -> Props | None:
    live = aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    # A topic is never without a policy: the default one means that this resource is gone.
    if json.loads(live["Policy"]).get("Id") == _DEFAULT_ID:
        return None
    return {"arn": arn, "policy": live["Policy"], "owner": live["Owner"]}


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, arn: str, _: Props) -> None:
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=_default_policy(arn))


TOPIC_POLICY = Kind(
    type="aws:sns/topicPolicy:TopicPolicy",
    client="sns",
    inputs={
        "arn": text(required=True, replaces=True, pattern=r"arn:[^:]+:sns:[^:]+:\d{12}:.+"),
        "policy": _policy.resource(_TOPIC_POLICY, required=True),
    },
    outputs=("owner",),
    delete_first=False,
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)

# --- subscriptions -------------------------------------------------------------------------------------------------------

_SUBSCRIPTION: dict[str, tuple[str, Any]] = {
    "rawMessageDelivery": ("RawMessageDelivery", _is_true),
    # The scope comes first: it decides how the policy is checked.
    "filterPolicyScope": ("FilterPolicyScope", str),
    "filterPolicy": ("FilterPolicy", str),
    "redrivePolicy": ("RedrivePolicy", str),
    "deliveryPolicy": ("DeliveryPolicy", str),
    "subscriptionRoleArn": ("SubscriptionRoleArn", str),
}

# What an attribute is set to when its input is dropped. moto takes any text for a true RawMessageDelivery.
_CLEARED = {"rawMessageDelivery": "", "filterPolicyScope": "MessageAttributes", "filterPolicy": "{}"}

_HTTP = ("http", "https")
# SNS API reference, Subscribe, "Endpoint": what each protocol wants.
_ENDPOINTS = {
    "http": r"http://.+",
    "https": r"https://.+",
    "email": r"[^@\s]+@[^@\s]+",
    "email-json": r"[^@\s]+@[^@\s]+",
    "sms": r"\+?[0-9][0-9 ()./-]{5,}",
    "sqs": r"arn:[^:]+:sqs:[^:]+:\d{12}:[A-Za-z0-9_.-]+",
    "lambda": r"arn:[^:]+:lambda:[^:]+:\d{12}:function:.+",
    "firehose": r"arn:[^:]+:firehose:[^:]+:\d{12}:deliverystream/.+",
    "application": r"arn:[^:]+:sns:[^:]+:\d{12}:endpoint/.+",
}


def _subscribe(aws: Aws, inputs: Props) -> str:
    attributes = {attribute: _sent(inputs[name]) for name, (attribute, _) in _SUBSCRIPTION.items() if inputs.get(name) is not None}
    answer = aws.client("sns").subscribe(
        TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"], Attributes=attributes, ReturnSubscriptionArn=True
    )
    return str(answer["SubscriptionArn"])


def _read_subscription(aws: Aws, arn: str, _: Props) -> Props:
    live = aws.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    # AWS answers an empty filter where one was taken away.
    shown = {name: live[attribute] for name, (attribute, _) in _SUBSCRIPTION.items() if live.get(attribute) not in (None, "", "{}")}
    if "filterPolicy" not in shown:
        shown.pop("filterPolicyScope", None)
    return {
        **{name: _SUBSCRIPTION[name][1](value) for name, value in shown.items()},
        "rawMessageDelivery": _is_true(live.get("RawMessageDelivery")),
        "topic": live["TopicArn"],
        "protocol": live["Protocol"],
        "endpoint": live["Endpoint"],
        "arn": arn,
        "ownerId": live["Owner"],
        "pendingConfirmation": _is_true(live["PendingConfirmation"]),
        "confirmationWasAuthenticated": _is_true(live["ConfirmationWasAuthenticated"]),
    }


def _update_subscription(aws: Aws, arn: str, new: Props, old: Props) -> None:
    sns = aws.client("sns")
    for name, (attribute, _) in _SUBSCRIPTION.items():
        value, dropped = new.get(name), not new.get(name)
        if dropped and old.get(name):
            sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=attribute, AttributeValue=_CLEARED.get(name, ""))
        elif not dropped and value != old.get(name):
            sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=attribute, AttributeValue=_sent(value))


def _unsubscribe(aws: Aws, arn: str, _: Props) -> None:
    aws.client("sns").unsubscribe(SubscriptionArn=arn)


def _subscription_rule(inputs: Props) -> Iterator[Refusal]:
    protocol, endpoint = inputs["protocol"], inputs["endpoint"]
    if inputs.get("filterPolicyScope") and not inputs.get("filterPolicy"):
        yield Refusal("filterPolicyScope", "it needs a filterPolicy")
    if protocol == UNKNOWN:
        return
    if endpoint != UNKNOWN and not re.fullmatch(_ENDPOINTS[protocol], endpoint):
        yield Refusal("endpoint", f"{endpoint!r} is no endpoint of protocol {protocol}: it must match {_ENDPOINTS[protocol]}")
    if inputs.get("rawMessageDelivery") and protocol not in ("sqs", "firehose", *_HTTP):
        yield Refusal("rawMessageDelivery", f"it is for sqs, firehose, http and https, not {protocol}")
    for name in ("deliveryPolicy", "endpointAutoConfirms", "confirmationTimeoutInMinutes"):
        if inputs.get(name) and protocol not in _HTTP:
            yield Refusal(name, f"it is for http and https, not {protocol}")
    if bool(inputs.get("subscriptionRoleArn")) != (protocol == "firehose"):
        yield Refusal("subscriptionRoleArn", f"it is required by protocol firehose, and no other takes it; this one is {protocol}")


def _is_filter(document: str) -> str | None:
    """SNS developer guide, "Filter policy constraints": an object of at most five keys."""
    policy = _object(document)
    if policy is None:
        return "must be a JSON object"
    return f"it has {len(policy)} keys; a filter policy has at most 5" if len(policy) > 5 else None


def _is_redrive(document: str) -> str | None:
    target = (_object(document) or {}).get("deadLetterTargetArn")
    if isinstance(target, str) and re.fullmatch(_ENDPOINTS["sqs"], target):
        return None
    return 'must be {"deadLetterTargetArn": the ARN of an SQS queue}'


def _object(document: str) -> dict[str, Any] | None:
    """The object that the document holds; None for anything else."""
    try:
        value = json.loads(document)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


TOPIC_SUBSCRIPTION = Kind(
    type="aws:sns/topicSubscription:TopicSubscription",
    client="sns",
    inputs={
        "topic": text(required=True, replaces=True, pattern=r"arn:[^:]+:sns:[^:]+:\d{12}:.+"),
        "protocol": text(required=True, replaces=True, one_of=tuple(_ENDPOINTS)),
        "endpoint": text(required=True, replaces=True),
        "rawMessageDelivery": flag(),
        "filterPolicy": json_text(rule=_is_filter),
        "filterPolicyScope": text(one_of=("MessageAttributes", "MessageBody")),
        "redrivePolicy": json_text(rule=_is_redrive),
        "deliveryPolicy": json_text(),
        "subscriptionRoleArn": text(pattern=r"arn:[^:]+:iam::\d{12}:role/.+"),
        "endpointAutoConfirms": flag(),
        "confirmationTimeoutInMinutes": number(at_least=1),
    },
    outputs=("arn", "ownerId", "pendingConfirmation", "confirmationWasAuthenticated"),
    delete_first=False,
    create=_subscribe,
    read=_read_subscription,
    update=_update_subscription,
    delete=_unsubscribe,
    rule=_subscription_rule,
)

KINDS = (TOPIC, TOPIC_POLICY, TOPIC_SUBSCRIPTION)
