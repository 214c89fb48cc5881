"""A small world for the service: its queues, tables, buckets and topic in moto, its database, and a processor that remembers every charge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from payments.domain.audit import AuditRecord
from tests.payments.faults.books import Books
from tests.payments.processors.stripe_api import StripeApi

ROOT = Path(__file__).resolve().parents[3]
REGION = "us-east-1"


@dataclass(frozen=True)
class Fault:
    """Where an invocation is killed: right before or right after the nth call of `module:Class.method`."""

    target: str
    when: str
    nth: int = 1


@dataclass(frozen=True)
class Answer:
    """What became of an invocation; `value` is what the handler returned, None where it was killed."""

    killed: bool
    value: Any

    @property
    def status(self) -> int:
        """Of a route's answer."""
        return int(self.value["statusCode"])

    @property
    def body(self) -> dict[str, Any]:
        """Of a route's answer."""
        return json.loads(self.value["body"])


@dataclass
class World:
    """Everything around the handlers. `run` invokes one, in a process of its own."""

    endpoint: str
    stripe: StripeApi
    names: dict[str, str] = field(default_factory=dict[str, str])
    records: dict[str, list[AuditRecord]] = field(default_factory=dict[str, list[AuditRecord]])
    heard: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    kept: Books | None = None
    zygote: subprocess.Popen[str] | None = None
    clients: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def books(self) -> Books:
        """What is written of payments."""
        assert self.kept
        return self.kept

    def client(self, service: str) -> Any:
        """Of the moto server."""
        if service not in self.clients:
            session: Any = boto3
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            self.clients[service] = session.client(service, region_name=REGION, endpoint_url=self.endpoint, **keys)
        return self.clients[service]

    def run(self, handler: str, event: dict[str, Any], fault: Fault | None = None) -> Answer:
        """One invocation; fails where the handler itself raised."""
        assert self.zygote
        assert self.zygote.stdin
        assert self.zygote.stdout
        invocation: dict[str, Any] = {"handler": handler, "event": event, "request_id": str(uuid.uuid4())}
        if fault:
            invocation["fault"] = {"target": fault.target, "when": fault.when, "nth": fault.nth}
        self.zygote.stdin.write(json.dumps(invocation) + "\n")
        self.zygote.stdin.flush()
        done = json.loads(self.zygote.stdout.readline())
        assert done["killed"] or done["exit"] == 0, f"{handler} raised (its log is handlers.log in the test's temporary folder)"
        return Answer(done["killed"], done["answer"])

    def process(self, key: str, body: dict[str, Any], fault: Fault | None = None) -> Answer:
        """POST /process-payment."""
        return self.run("process_payment", request("/process-payment", body, {"Idempotency-Key": key}), fault)

    def verify(self, payment_id: str) -> dict[str, Any]:
        """POST /verify-payment, which must answer."""
        answer = self.run("verify_payment", request("/verify-payment", {"payment_id": payment_id}, {}))
        assert answer.status == 200, answer.value
        return answer.body

    def take(self) -> list[dict[str, Any]]:
        """Up to ten messages of the work queue."""
        url = self.names["work_queue_url"]
        return self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])

    def hand_over(self, batch: list[dict[str, Any]], fault: Fault | None = None) -> Answer:
        """As an event source mapping does: a batch to the worker; what it did is deleted, what it did not is there again at once."""
        sqs, url = self.client("sqs"), self.names["work_queue_url"]
        answer = self.run("payment_worker", batch_event(batch), fault)
        failed = {item["itemIdentifier"] for item in (answer.value or {}).get("batchItemFailures", [])}
        for message in batch:
            if answer.killed or message["MessageId"] in failed:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            else:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return answer

    def work(self, fault: Fault | None = None) -> Answer | None:
        """Takes a batch and hands it over; None where the queue is empty."""
        batch = self.take()
        return self.hand_over(batch, fault) if batch else None

    def relay(self, fault: Fault | None = None) -> Answer:
        """The schedule's run."""
        return self.run("outbox_relay", SCHEDULED, fault)

    def settle(self) -> None:
        """The system goes on, until there is nothing more to do."""
        for _ in range(12):
            worked = self.work()
            done = self.relay().value
            if worked is None and not done["work_sent"]:
                return
        raise AssertionError("the system does not come to rest")


SCHEDULED: dict[str, Any] = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2015-10-08T16:53:06Z",
    "region": REGION,
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/outbox-relay"],
    "detail": {},
}


def request(path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """API Gateway's REST proxy event."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json", **headers},
        "multiValueHeaders": {"Content-Type": ["application/json"], **{name: [value] for name, value in headers.items()}},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"requestId": str(uuid.uuid4()), "stage": "dev", "httpMethod": "POST", "path": path, "identity": {"apiKeyId": "merchant-1"}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def batch_event(batch: list[dict[str, Any]]) -> dict[str, Any]:
    """Messages as Lambda hands them over."""
    arn = "arn:aws:sqs:us-east-1:123456789012:work"
    about = {"messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": arn, "awsRegion": REGION}
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "md5OfBody": message["MD5OfBody"],
            **about,
        }
        for message in batch
    ]
    return {"Records": records}


def stores(client: Any) -> dict[str, str]:
    """Makes the queues, tables, buckets and the topic; what they are called by."""
    sqs, sns, dynamodb, s3 = client("sqs"), client("sns"), client("dynamodb"), client("s3")
    queues = {name: sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "600"})["QueueUrl"] for name in ("work", "dead", "events")}
    topic = sns.create_topic(Name="payment-events")["TopicArn"]
    listener = sqs.get_queue_attributes(QueueUrl=queues["events"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=listener, Attributes={"RawMessageDelivery": "true"})
    tables = {"log": {"payment_id": "S", "sequence": "N"}, "sessions": {"session_id": "S"}}
    for table, keys in tables.items():
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": letter} for name, letter in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )
    for bucket in ("documents", "audit"):
        s3.create_bucket(Bucket=bucket)
    return {"work_queue_url": queues["work"], "dead_letter_queue_url": queues["dead"], "events_queue_url": queues["events"], "topic_arn": topic}


@contextmanager
def zygote(environment: Mapping[str, str], log: Path) -> Generator[subprocess.Popen[str]]:
    """The process that runs the handlers, ready. log: file for what they log."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"}}
    command = [sys.executable, "-m", "tests.payments.faults.zygote"]
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env={**kept, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdin
        assert process.stdout
        assert json.loads(process.stdout.readline())["ready"]
        yield process
    finally:
        process.stdin.close() if process.stdin else None
        process.wait(timeout=10)
