"""Clients for the moto of this process."""

from __future__ import annotations

import botocore.session
from botocore.hooks import EventAliaser
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.s3.models import S3Backend

from localcloud.aws import Aws, Clouds
from localcloud.models import LOADER


def queues(aws: Aws) -> list[str]:
    return aws.client("sqs").list_queues().get("QueueUrls", [])


def test_accounts_and_regions_are_kept_apart() -> None:
    with mock_aws():
        clouds = Clouds()
        for account, region in (("111111111111", "us-east-1"), ("111111111111", "us-east-2"), ("222222222222", "us-east-1")):
            url: str = clouds.get(account, region).client("sqs").create_queue(QueueName="queue")["QueueUrl"]
            assert f"{region}." in url
            assert f"/{account}/" in url
            assert queues(clouds.get(account, region)) == [url]
        for account in ("111111111111", "222222222222"):
            assert clouds.get(account, "us-east-1").client("sts").get_caller_identity()["Account"] == account


def test_clients_outlive_what_they_talk_to() -> None:
    with mock_aws():
        first = Clouds().get("111111111111", "us-east-1")
        first.client("sqs").create_queue(QueueName="queue")
    with mock_aws():
        assert queues(first) == []
        second = Clouds().get("111111111111", "us-east-1")
        assert second.client("sqs") is first.client("sqs")
        first.client("sqs").create_queue(QueueName="queue")
        assert queues(second) != []


def test_the_loader_knows_botocores_services() -> None:
    theirs = botocore.session.get_session().get_available_services()
    assert set(theirs) <= set(LOADER.list_available_services("service-2"))


def test_what_moto_and_botocore_are_made_to_remember_is_what_they_say() -> None:
    written = BaseBackend.__dict__["urls"].fget.__wrapped__
    backend = S3Backend("us-east-1", "111111111111")
    assert backend.urls == written(backend)
    assert backend.urls is S3Backend("us-east-2", "222222222222").urls
    one, other = EventAliaser(None), EventAliaser(None)
    assert one._alias_event_name("before-call.logs.PutLogEvents") == "before-call.cloudwatch-logs.PutLogEvents"
    assert other._alias_name_cache["before-call.logs.PutLogEvents"] == "before-call.cloudwatch-logs.PutLogEvents"
