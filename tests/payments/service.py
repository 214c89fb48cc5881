"""The service as AWS sees it: events in the shapes that AWS documents, and what is in its database, tables, buckets, queues and topic afterwards."""

from __future__ import annotations

import copy
import hashlib
import importlib
import io
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from payments.domain.audit import AuditRecord, records_of
from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.settings import DatabaseSettings, TableSettings
from payments.storage.postgres.database import from_settings

EVENTS = Path(__file__).parent / "events"
REGION = "us-east-1"
REQUEST: dict[str, Any] = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": "order 7"}
CORRELATION_ID = "77375676-xmpl-4b79-853a-f982474efe18"


@cache
def aws(service: str) -> Any:
    """A client of moto's; one for all tests, as making one takes longer than most tests. What it sees belongs to the test's own `mock_aws`."""
    session: Any = boto3
    return session.client(service, REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def context(request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", *, seconds: float = 28.0) -> LambdaContext:
    """What Lambda hands to a handler, as far as ours look at it. seconds: that are left."""
    made = LambdaContext()
    # Powertools declares Lambda's class without a constructor.
    vars(made).update({"_aws_request_id": request_id, "get_remaining_time_in_millis": lambda: int(seconds * 1000)})
    return made


def api_event(path: str, body: Any, headers: dict[str, str] | None = None, request_id: str = CORRELATION_ID) -> dict[str, Any]:
    """API Gateway's REST proxy event (payload version 1.0), as documented under "Set up a proxy integration"."""
    event = json.loads((EVENTS / "api_gateway_proxy.json").read_text())
    event["headers"] |= headers or {}
    event["multiValueHeaders"] |= {name: [value] for name, value in (headers or {}).items()}
    event["resource"] = event["path"] = event["requestContext"]["resourcePath"] = path
    event["requestContext"]["requestId"] = request_id
    event["body"] = body if isinstance(body, str) or body is None else json.dumps(body)
    return event


def sqs_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """SQS's batch event, as documented under "Using Lambda with Amazon SQS"."""
    record = json.loads((EVENTS / "sqs_record.json").read_text())
    record["attributes"]["ApproximateReceiveCount"] = str(receives)
    records = [copy.deepcopy(record) for _ in bodies]
    for number, (made, body) in enumerate(zip(records, bodies, strict=True)):
        made |= {"messageId": f"message-{number}", "body": body, "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()}
    return {"Records": records}


def scheduled_event() -> dict[str, Any]:
    """EventBridge's scheduled event, as documented under "Creating a rule that runs on a schedule"."""
    return json.loads((EVENTS / "scheduled.json").read_text())


def invoke(function: Function, event: dict[str, Any], about: LambdaContext | None = None) -> Any:
    """What the function's handler returns."""
    return importlib.import_module(function.module).handler(event, about or context())


@dataclass(kw_only=True)
class Service:
    """The handlers over what their environment variables name."""

    place: DatabaseSettings | TableSettings
    log_table: str
    sessions_table: str
    documents: str
    audit: str
    topic: str
    queue: str
    dead_letters: str
    subscriber: str
    written: io.StringIO = field(default_factory=io.StringIO)

    def variables(self) -> dict[str, str]:
        """The environment variables of all functions."""
        place = self.place
        relational = isinstance(place, DatabaseSettings)
        store = {"DATABASE_URL": place.url, "DATABASE_SECRET_ARN": place.secret_arn} if relational else {"PAYMENTS_TABLE": place.name}
        return {
            "STAGE": "dev",
            **store,
            "TRANSACTION_LOG_TABLE": self.log_table,
            "SESSIONS_TABLE": self.sessions_table,
            "DOCUMENTS_BUCKET": self.documents,
            "AUDIT_BUCKET": self.audit,
            "PAYMENT_EVENTS_TOPIC_ARN": self.topic,
            "WORK_QUEUE_URL": self.queue,
            "DEAD_LETTER_QUEUE_URL": self.dead_letters,
            "MAX_RECEIVES": "5",
            "PROCESSOR": "sandbox",
        }

    def process(self, body: Any, key: str | None = "key-1", **event: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status, decoded body and the whole answer of POST /process-payment."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return answered(invoke(PROCESS_PAYMENT, {**api_event("/process-payment", body, headers), **event}))

    def accepted(self, *keys: str, **changes: Any) -> list[str]:
        """The ids of as many new payments, each with a reference of its own."""
        made: list[str] = []
        for key in keys:
            status, body, _ = self.process({**REQUEST, "reference": f"order {key}", **changes}, key)
            assert status == 202
            made.append(body["payment_id"])
        return made

    def verify(self, body: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status, decoded body and the whole answer of POST /verify-payment."""
        return answered(invoke(VERIFY_PAYMENT, api_event("/verify-payment", body)))

    def states(self, payment_id: str) -> list[str]:
        """The payment's states, as /verify-payment tells them."""
        status, body, _ = self.verify({"payment_id": payment_id})
        assert status == 200
        assert body["state"] == body["history"][-1]["state"]
        return [entry["state"] for entry in body["history"]]

    def work(self, *bodies: str, receives: int = 1, seconds: float = 28.0) -> list[str]:
        """The ids of the messages of a batch that the worker hands back: `message-0` for the first."""
        answer = invoke(PAYMENT_WORKER, sqs_event(*bodies, receives=receives), context(seconds=seconds))
        assert list(answer) == ["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def relay(self, *, seconds: float = 28.0) -> dict[str, int]:
        """What the relay did."""
        return invoke(OUTBOX_RELAY, scheduled_event(), context(seconds=seconds))

    @property
    def database(self) -> DatabaseSettings:
        """The database, where payments are kept in one."""
        assert isinstance(self.place, DatabaseSettings)
        return self.place

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """What the database has."""
        return from_settings(self.database).run(query)

    def items(self, table: str | None = None) -> list[dict[str, Any]]:
        """All items of a table; of the transaction log unless told."""
        return aws("dynamodb").scan(TableName=table or self.log_table)["Items"]

    def objects(self, bucket: str) -> dict[str, Any]:
        """The decoded objects of a bucket by key."""
        keys = [item["Key"] for item in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {key: json.loads(aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}

    def audited(self) -> list[AuditRecord]:
        """All records of the audit bucket, in the order of their objects and lines."""
        keys = [item["Key"] for item in aws("s3").list_objects_v2(Bucket=self.audit).get("Contents", [])]
        return [record for key in keys for record in records_of(aws("s3").get_object(Bucket=self.audit, Key=key)["Body"].read().decode())]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """All messages of a queue, removed from it."""
        sqs = aws("sqs")
        found: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages"):
            for message in messages:
                found.append(message)
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def taken(self, queue: str | None = None) -> list[str]:
        """The bodies of all messages of a queue, removed from it; of the work queue unless told."""
        return [message["Body"] for message in self.messages(queue or self.queue)]

    def dead(self) -> list[tuple[str, str, str]]:
        """What was set aside, removed from there: reason, the message's id, and body."""
        return [
            (message["MessageAttributes"]["reason"]["StringValue"], message["MessageAttributes"]["source_message_id"]["StringValue"], message["Body"])
            for message in self.messages(self.dead_letters)
        ]

    def events(self) -> list[dict[str, Any]]:
        """What subscribers of the topic were told since the last call."""
        return [json.loads(json.loads(body)["Message"]) for body in self.taken(self.subscriber)]


def answered(answer: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The parts of a proxy answer, after a look at its shape."""
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert answer["isBase64Encoded"] is False
    return answer["statusCode"], json.loads(answer["body"]), answer
