"""Queues feed functions as Lambda's event source mappings do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.serve import queues
from localcloud.serve.model import QueueMapping
from localcloud.serve.pool import Outcome
from localcloud.serve.queues import Poller, failures
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import Deployment

# Keeps what it was given in a file, and fails as the messages ask.
_WORKER = """
import json, os, time
def handler(event, context):
    with open(os.environ["RECORD"], "a") as record:
        print(json.dumps({"event": event, "at": time.time(), "pid": os.getpid()}), file=record)
    bodies = [record["body"] for record in event["Records"]]
    if "exit" in bodies:
        os._exit(1)
    if "raise" in bodies:
        raise ValueError
    for body in bodies:
        if body.startswith("sleep"):
            time.sleep(float(body.split()[1]))
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if r["body"] == "fail"]}
"""


class _Work:
    """A queue, its function, and what that was given."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.record = deployment.folder / "record"
        self.record.touch()
        deployment.function("worker", _WORKER, variables={"RECORD": str(self.record)}, Timeout=5)
        self.sqs = deployment.aws.client("sqs")

    def queue(self, *, mapping: dict[str, Any] | None = None, **attributes: str) -> None:
        self.url = self.deployment.queue("work", "worker", mapping=mapping, **{"VisibilityTimeout": "30", **attributes})

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    @property
    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in batch["event"]["Records"]] for batch in self.batches]

    def left(self, url: str = "") -> int:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=list(names))["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.fixture
def work(deployment: Deployment) -> _Work:
    return _Work(deployment)


def test_messages_come_as_lambdas_records_and_are_deleted_when_they_are_done(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    # The queue's own long poll would stop the whole local cloud for its time.
    work.queue(ReceiveMessageWaitTimeSeconds="20")
    attributes = {"kind": {"DataType": "String", "StringValue": "text"}, "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    sent = work.sqs.send_message(QueueUrl=work.url, MessageBody="hello", MessageAttributes=attributes)
    began = time.monotonic()
    serve(feeding=True)
    eventually(lambda: work.left() == 0)
    assert time.monotonic() - began < 15
    ((record,),) = (batch["event"]["Records"] for batch in work.batches)
    assert record["messageId"] == sent["MessageId"]
    assert record["receiptHandle"]
    assert (record["body"], record["md5OfBody"]) == ("hello", sent["MD5OfMessageBody"])
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == work.deployment.aws.arn("sqs", "work")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"} <= set(record["attributes"])
    assert record["messageAttributes"]["kind"] == {"stringValue": "text", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
    assert record["messageAttributes"]["bytes"]["binaryValue"] == "AAE="


def test_messages_reported_as_failed_alone_come_again(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    work.queue(VisibilityTimeout="2", mapping={"BatchSize": 10})
    work.send("fail", "good", "fine")
    serve(feeding=True)
    eventually(lambda: len(work.batches) >= 2)
    assert sorted(work.bodies[0]) == ["fail", "fine", "good"]
    assert work.bodies[1] == ["fail"]
    (record,) = work.batches[1]["event"]["Records"]
    assert work.batches[1]["at"] - int(record["attributes"]["ApproximateFirstReceiveTimestamp"]) / 1000 >= 1.9
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert work.left() == 1


def test_what_keeps_failing_ends_in_the_dead_letter_queue(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    dead = work.sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": work.deployment.aws.arn("sqs", "dead"), "maxReceiveCount": 2})
    work.queue(RedrivePolicy=policy, mapping={"BatchSize": 1})
    work.send("exit", "good")
    serve(feeding=True, redelivery=1)
    eventually(lambda: work.left(dead) == 1)
    assert work.left() == 0
    assert sorted(body for (body,) in work.bodies) == ["exit", "exit", "good"]
    assert len({batch["pid"] for batch in work.batches if batch["event"]["Records"][0]["body"] == "exit"}) == 2


def test_a_failed_function_fails_its_whole_batch_and_without_reports_an_answer_fails_none(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    work.queue(mapping={"FunctionResponseTypes": []})
    work.send("fail", "good")
    serve(feeding=True)
    eventually(lambda: work.left() == 0)
    work.send("raise", "good")
    eventually(lambda: len(work.batches) > 1)
    time.sleep(0.5)
    raised = next(bodies for bodies in work.bodies if "raise" in bodies)
    assert work.left() == len(raised)


def test_a_window_gathers_messages_for_one_batch(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    work.queue(mapping={"BatchSize": 20, "MaximumBatchingWindowInSeconds": 3})
    work.send("0")
    serve(feeding=True)
    for number in range(1, 12):
        work.send(str(number))
    eventually(lambda: work.left() == 0)
    assert sorted(work.bodies[0], key=int) == [str(number) for number in range(12)]


@pytest.mark.parametrize(("scaling", "most"), [({"MaximumConcurrency": 2}, 2), (None, 4)])
def test_batches_are_worked_on_at_once_up_to_the_mappings_concurrency(
    work: _Work, serve: Serve, eventually: Callable[..., Any], scaling: dict[str, int] | None, most: int
) -> None:
    work.queue(mapping={"BatchSize": 1, **({"ScalingConfig": scaling} if scaling else {})})
    work.send(*["sleep 0.5"] * 8)
    serve(feeding=True)
    eventually(lambda: work.left() == 0)
    assert 1 < len({batch["pid"] for batch in work.batches}) <= most


def test_a_disabled_mapping_is_left_alone_and_a_filter_is_said_not_to_be_applied(work: _Work, serve: Serve) -> None:
    work.queue(mapping={"Enabled": False})
    sqs = work.deployment.aws.client("sqs")
    sqs.create_queue(QueueName="filtered")
    work.deployment.aws.client("lambda").create_event_source_mapping(
        EventSourceArn=work.deployment.aws.arn("sqs", "filtered"), FunctionName="worker", FilterCriteria={"Filters": [{"Pattern": "{}"}]}
    )
    service = serve(feeding=True)
    assert [mapping.queue_arn for mapping in service.deployed.queues if mapping.queue_arn.endswith(":work")] == []
    assert ["filters are not applied here" in problem for problem in service.deployed.problems] == [True]


def test_stopping_waits_for_a_batch_that_is_worked_on(work: _Work, serve: Serve, eventually: Callable[..., Any]) -> None:
    work.queue()
    work.send("sleep 1.5")
    service = serve(feeding=True)
    eventually(lambda: work.batches)
    service.stop(10.0)
    assert work.left() == 0
    work.send("later")
    time.sleep(0.5)
    assert work.left() == 1


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ("null", set[str]()),
        ("{}", set[str]()),
        ('{"batchItemFailures": null}', set[str]()),
        ('{"batchItemFailures": []}', set[str]()),
        ('{"batchItemFailures": [{"itemIdentifier": "b"}]}', {"b"}),
        ('{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "unknown"}]}', {"a", "b"}),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', {"a", "b"}),
        ('{"batchItemFailures": [{"itemIdentifier": null}]}', {"a", "b"}),
        ('{"batchItemFailures": [{"other": "a"}]}', {"a", "b"}),
        ('{"batchItemFailures": ["a"]}', {"a", "b"}),
        ('{"batchItemFailures": "a"}', {"a", "b"}),
        ('"done"', {"a", "b"}),
        ("no json", {"a", "b"}),
    ],
)
def test_what_a_report_of_failures_means(answer: str, failed: set[str]) -> None:
    outcome = Outcome("id", answer.encode(), None, b"", cold=False, seconds=0.0)
    assert failures(outcome, ["a", "b"], partial=True) == failed
    assert failures(outcome, ["a", "b"], partial=False) == set()
    assert failures(Outcome("id", b"null", "Unhandled", b"", cold=False, seconds=0.0), ["a", "b"], partial=False) == {"a", "b"}


class _Queue:
    """What a poller asks of AWS and of the functions, without either. broken: by what is asked, what it raises, once each."""

    region = "us-east-1"
    most = 1

    def __init__(self, **broken: Exception) -> None:
        self.broken = broken
        self.sent = 0
        self.deleted: list[str] = []

    def client(self, _: str) -> _Queue:
        return self

    def pool(self, _: str) -> _Queue:
        return self

    def receive_message(self, **_: Any) -> dict[str, Any]:
        self._break("read")
        self.sent += 1
        receipt = {"MessageId": str(self.sent), "ReceiptHandle": str(self.sent), "Body": "", "MD5OfBody": ""}
        return {"Messages": [receipt]} if self.sent <= 3 else {}

    def invoke(self, *_: Any) -> Outcome:
        self._break("call")
        return Outcome("id", b"null", None, b"", cold=False, seconds=0.0)

    def delete_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self._break("delete")
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]
        return {}

    def _break(self, asked: str) -> None:
        if error := self.broken.pop(asked, None):
            raise error


_REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error the queue is read again at once."""
    monkeypatch.setattr(queues, "_AFTER_ERROR", 0.02)


@pytest.mark.parametrize(
    "went",
    [
        ("read", OSError(24, "too many open files"), "queue arn:work cannot be read", 0),
        ("read", _REFUSED, "queue arn:work cannot be read", 0),
        ("call", OSError(11, "no process can be started"), "queue arn:work: function worker cannot be called", 1),
        ("call", _REFUSED, "queue arn:work: function worker cannot be called", 1),
        ("call", RuntimeError("a mistake"), "queue arn:work: a batch could not be worked on", 1),
        ("delete", _REFUSED, "queue arn:work: messages that are done could not be deleted", 1),
        ("delete", OSError(24, "too many open files"), "queue arn:work: a batch could not be worked on", 1),
    ],
    ids=lambda went: f"{went[0]}: {went[1]!r}",
)
def test_whatever_goes_wrong_the_queue_goes_on_being_read_and_what_went_wrong_is_said(
    quick: None, caplog: pytest.LogCaptureFixture, eventually: Callable[..., Any], went: tuple[str, Exception, str, int]
) -> None:
    asked, error, said, lost = went
    queue: Any = _Queue(**{asked: error})
    poller = Poller(queue, queue, QueueMapping(id="1", function="worker", queue_url="", queue_arn="arn:work"))
    poller.start()
    eventually(lambda: len(queue.deleted) == 3 - lost)
    poller.stop()
    poller.join(10)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(said)
