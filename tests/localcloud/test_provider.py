"""The provider's side of the engine's protocol: connections, configuration, secrets, refusals, and what it remembers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from moto import mock_aws
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from localcloud import wire
from localcloud.aws import Clouds
from localcloud.journal import Journal
from localcloud.provider import Settings, settings_of
from tests.localcloud.engine import Engine, connected, serving

QUEUE = "aws:sqs/queue:Queue"


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    """An empty AWS."""
    with mock_aws():
        yield Clouds()


@pytest.fixture
def port(clouds: Clouds) -> Iterator[int]:
    """A provider of the test's own."""
    with serving(clouds) as port:
        yield port


def details(caught: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[Any, str]:
    """The status and the words of an error."""
    call: Any = caught.value
    return call.code(), call.details()


def queues(clouds: Clouds, account: str, region: str) -> list[str]:
    urls = clouds.get(account, region).client("sqs").list_queues().get("QueueUrls", [])
    return [url.rsplit("/", 2)[1] + "/" + url.rsplit("/", 1)[1] for url in urls]


# --- connections ---------------------------------------------------------------------------------------------------------


def test_two_instances_of_the_provider_side_by_side_keep_to_their_accounts_and_regions(port: int, clouds: Clouds) -> None:
    with connected(port, clouds, "111111111111", "us-east-1") as one, connected(port, clouds, "222222222222", "eu-west-1") as other:
        for engine, name in ((one, "first"), (other, "second"), (one, "third")):
            _, state = engine.create(QUEUE, {"name": name})
            assert state["arn"] == f"arn:aws:sqs:{engine.region}:{engine.account}:{name}"
            assert state["region"] == engine.region
        assert one.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})[0]["accountId"] == "111111111111"
        assert other.invoke("aws:index/getRegion:getRegion", {})[0]["region"] == "eu-west-1"
    assert sorted(queues(clouds, "111111111111", "us-east-1")) == ["111111111111/first", "111111111111/third"]
    assert queues(clouds, "222222222222", "eu-west-1") == ["222222222222/second"]
    assert queues(clouds, "111111111111", "eu-west-1") == queues(clouds, "222222222222", "us-east-1") == []


def test_a_resource_can_name_a_region_of_its_own(port: int, clouds: Clouds) -> None:
    with connected(port, clouds) as engine:
        id_, state = engine.create(QUEUE, {"name": "abroad", "region": "eu-central-1"})
        assert state["region"] == "eu-central-1"
        assert queues(clouds, engine.account, "eu-central-1") == [f"{engine.account}/abroad"]
        assert engine.diff(QUEUE, id_, state, {"name": "abroad"}, {"name": "abroad", "region": "eu-central-1"})[1] == {"region"}
        engine.delete(QUEUE, id_, state)
    assert queues(clouds, "345678901234", "eu-central-1") == []


def test_a_connection_that_was_not_configured_is_refused(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        request = provider_pb2.CreateRequest(urn=f"urn:pulumi:dev::data::{QUEUE}::work", properties=wire.dump({"name": "work"}))
        with pytest.raises(grpc.RpcError) as caught:
            stub.Create(request)
    code, words = details(caught)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert words == "this connection was not configured; the engine calls Configure first"


# --- configuration -------------------------------------------------------------------------------------------------------


def test_settings_are_those_of_the_configuration() -> None:
    assert settings_of({}) == Settings("123456789012", "us-east-1", {})
    config = {"allowedAccountIds": ["345678901234"], "region": "eu-west-1", "defaultTags": {"tags": {"Team": "payments"}}}
    assert settings_of(config) == Settings("345678901234", "eu-west-1", {"Team": "payments"})


def test_a_configuration_of_several_accounts_is_refused(port: int, clouds: Clouds) -> None:
    with connected(port, clouds) as engine:
        news = wire.dump({"allowedAccountIds": '["111111111111","222222222222"]'})
        answer = engine.stub.CheckConfig(provider_pb2.CheckRequest(urn="urn:pulumi:dev::data::pulumi:providers:aws::aws", news=news))
        [failure] = answer.failures
        assert (failure.property, failure.reason) == ("allowedAccountIds", "names 2 accounts; the local cloud needs the one to deploy to")


@pytest.mark.parametrize(("name", "value"), [("region", "eu-west-1"), ("allowedAccountIds", '["222222222222"]')])
def test_another_account_or_region_means_another_provider(port: int, clouds: Clouds, name: str, value: str) -> None:
    old = {"allowedAccountIds": '["111111111111"]', "region": "us-east-1", "defaultTags": '{"tags":{}}'}
    with connected(port, clouds) as engine:
        news = {**old, name: value, "defaultTags": '{"tags":{"a":"b"}}'}
        answer = engine.stub.DiffConfig(provider_pb2.DiffRequest(olds=wire.dump(old), news=wire.dump(news)))
    assert list(answer.replaces) == [name]


def test_default_tags_are_merged_below_a_resources_own(port: int, clouds: Clouds) -> None:
    default = json.dumps({"tags": {"Team": "payments", "Environment": "dev"}})
    with connected(port, clouds, defaultTags=default) as engine:
        inputs, refused = engine.check(QUEUE, {"name": "work", "tags": {"Environment": "prod"}})
        assert (refused, inputs["tags"]) == ([], {"Team": "payments", "Environment": "prod"})
        _, state = engine.create(QUEUE, inputs)
        assert state["tagsAll"] == {"Team": "payments", "Environment": "prod"}
        assert engine.check(QUEUE, {"name": "work", "tags": UNKNOWN}) == ({"name": "work", "tags": UNKNOWN}, [])
        assert engine.check(QUEUE, {"name": "work", "tags": "dev"})[1] == [("tags", 'must be an object, not "dev"')]
        policy, _ = engine.check("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": state["url"], "policy": "{}"})
        assert "tags" not in policy
        tags = clouds.get(engine.account, engine.region).client("sqs").list_queue_tags(QueueUrl=state["url"])["Tags"]
        assert tags == {"Team": "payments", "Environment": "prod"}


def test_it_bears_the_version_of_the_sdk(engine: Engine) -> None:
    assert engine.stub.GetPluginInfo(empty_pb2.Empty()).version.startswith("7.")


# --- types, secrets, look-ups --------------------------------------------------------------------------------------------


def test_an_unknown_type_is_refused_with_those_that_are_known(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        engine.check("aws:sqs/redrive:Redrive", {})
    code, words = details(caught)
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert "the local cloud does not know aws:sqs/redrive:Redrive; of this service it has aws:sqs/queue:Queue, aws:sqs/queuePolicy:QueuePolicy" in words
    assert "localcloud/resources/" in words


def test_an_unknown_service_is_refused(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError, match=r"does not know aws:gamelift/fleet:Fleet\. Add it"):
        engine.create("aws:gamelift/fleet:Fleet", {})


def test_secrets_are_the_engines_to_wrap(port: int, clouds: Clouds) -> None:
    """The engine is told to unwrap secrets before it sends them; it marks the outputs of the same names by itself."""
    with connected(port, clouds) as engine:
        answer = engine.stub.Configure(provider_pb2.ConfigureRequest(args=wire.dump({}), acceptSecrets=True))
    assert (answer.acceptSecrets, answer.acceptOutputs, answer.supportsPreview) == (False, False, True)


def test_a_secret_leaves_the_provider_in_no_error_and_no_log(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "localcloud")
    _, refused = engine.check("aws:rds/instance:Instance", {"password": "hunter 2", "instanceClass": "db.t4g.small"})
    assert "password" in [path for path, _ in refused]
    with pytest.raises(grpc.RpcError) as caught:
        engine.create("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "nowhere", "secretString": "hunter 2"})
    said = [reason for _, reason in refused] + [details(caught)[1], caplog.text]
    assert not any("hunter 2" in words for words in said)


def test_a_look_up_that_is_refused_or_unknown_says_so(engine: Engine) -> None:
    assert engine.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "open"})[1][0][0] == "state"
    with pytest.raises(grpc.RpcError, match="does not know aws:ec2/getSpotPrice:getSpotPrice; of this service it has aws:ec2/getAmi:getAmi"):
        engine.invoke("aws:ec2/getSpotPrice:getSpotPrice", {})


def test_a_preview_of_an_update_keeps_what_was_computed(engine: Engine) -> None:
    id_, state = engine.create(QUEUE, {"name": "work"})
    shown = engine.update(QUEUE, id_, state, {"name": "work"}, {"name": "work", "delaySeconds": UNKNOWN}, preview=True)
    assert (shown["arn"], shown["delaySeconds"]) == (state["arn"], UNKNOWN)
    assert engine.read(QUEUE, id_, state, {"name": "work"}) is not None
    assert engine.diff(QUEUE, id_, state, {"name": "work"}, {"name": UNKNOWN}) == ({"name"}, {"name"})


def test_an_input_that_somebody_set_is_found_by_a_refresh(engine: Engine) -> None:
    id_, state = engine.create(QUEUE, {"name": "work"})
    engine.clouds.get(engine.account, engine.region).client("sqs").set_queue_attributes(QueueUrl=id_, Attributes={"DelaySeconds": "9"})
    read = engine.read(QUEUE, id_, state, {"name": "work"})
    assert read is not None
    assert read[1] == {"name": "work", "delaySeconds": 9}


# --- the journal ---------------------------------------------------------------------------------------------------------


def test_the_journal_knows_what_was_made_for_a_urn_until_it_is_deleted(clouds: Clouds) -> None:
    journal = Journal()
    with serving(clouds, journal) as port, connected(port, clouds) as engine:
        id_, state = engine.create(QUEUE, {"name": "work"})
        assert journal.creations(engine.urn(QUEUE)) == [id_]
        with pytest.raises(grpc.RpcError):
            engine.create("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": "https://nowhere/queue", "policy": "{}"})
        assert journal.creations(engine.urn("aws:sqs/queuePolicy:QueuePolicy")) == []
        engine.delete(QUEUE, id_, state)
        assert journal.creations(engine.urn(QUEUE)) == []


def test_the_journal_keeps_a_half_made_resource(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal()
    s3 = clouds.get("345678901234", "us-east-1").client("s3")

    def unavailable(**_: Any) -> None:
        raise s3.exceptions.ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "try again"}}, "PutBucketTagging")

    monkeypatch.setattr(s3, "put_bucket_tagging", unavailable)
    with serving(clouds, journal) as port, connected(port, clouds) as engine, pytest.raises(grpc.RpcError, match="try again"):
        engine.create("aws:s3/bucket:Bucket", {"bucket": "payments-papers", "tags": {"Team": "payments"}})
    assert journal.creations(engine.urn("aws:s3/bucket:Bucket")) == ["payments-papers"]


def test_the_journal_waits_for_a_creation_that_is_under_way() -> None:
    journal, begun, answers = Journal(), threading.Event(), list[list[str]]()

    def create() -> None:
        with journal.creating("urn:1") as entry:
            begun.set()
            time.sleep(0.2)
            entry.id = "made"

    with journal.creating("urn:2"):
        thread = threading.Thread(target=create)
        thread.start()
        assert begun.wait(5)
        answers.append(journal.creations("urn:1", timeout=5))
        thread.join()
        assert journal.creations("urn:2", timeout=0.01) == []
    assert answers == [["made"]]
    assert journal.creations("urn:2") == []
