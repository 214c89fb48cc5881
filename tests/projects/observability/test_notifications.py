"""The alarm topic, its key and its subscribers, as SNS and KMS have them."""

from __future__ import annotations

import json
from typing import Any

from tests.projects.harness import Cloud
from tests.projects.observability.upstream import ADDRESS, deployed

ON_CALL = {"observability:notifications": {"paging": True, "emails": [ADDRESS, "security@example.com"]}}


def topic(cloud: Cloud) -> dict[str, Any]:
    return cloud.client("sns").get_topic_attributes(TopicArn=cloud.runs["observability"].outputs["alarmTopicArn"])["Attributes"]


def statement(document: str, sid: str) -> dict[str, Any]:
    [found] = [one for one in json.loads(document)["Statement"] if one["Sid"] == sid]
    return found


def test_cloudwatch_may_publish_and_use_the_topics_key_for_this_account_alone() -> None:
    with deployed("prod") as cloud:
        found = topic(cloud)
        own = {"StringEquals": {"aws:SourceAccount": "345678901234"}}
        publish = statement(found["Policy"], "Services")
        assert (publish["Action"], publish["Condition"], publish["Resource"]) == ("sns:Publish", own, found["TopicArn"])
        policy = cloud.client("kms").get_key_policy(KeyId=found["KmsMasterKeyId"], PolicyName="default")["Policy"]
        use = statement(policy, "CloudWatchAlarms")
        assert (use["Principal"], use["Condition"]) == ({"Service": "cloudwatch.amazonaws.com"}, own)
        assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(use["Action"])


def test_the_key_is_the_topics_own() -> None:
    with deployed("prod") as cloud:
        key = topic(cloud)["KmsMasterKeyId"]
        [alias] = cloud.client("kms").list_aliases(KeyId=key)["Aliases"]
        assert alias["AliasName"] == "alias/alarms-prod-main"
        assert key not in {cloud.runs["networking"].outputs["logKeyArn"], cloud.runs["data"].outputs["dataKeyArn"]}


def test_each_address_of_the_page_is_subscribed() -> None:
    with deployed("prod", page=ON_CALL) as cloud:
        found = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic(cloud)["TopicArn"])["Subscriptions"]
        assert sorted((one["Protocol"], one["Endpoint"]) for one in found) == [("email", ADDRESS), ("email", "security@example.com")]


def test_the_pages_name_nobody_so_nobody_is_subscribed() -> None:
    with deployed("prod") as cloud:
        assert cloud.client("sns").list_subscriptions()["Subscriptions"] == []
