"""The service as AWS sees it: events in the shapes that AWS documents, and what is in its tables, queue and topic afterwards."""

from __future__ import annotations

import copy
import hashlib
import io
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from payments.handlers import payment_worker, process_payment, verify_payment

EVENTS = Path(__file__).parent / "events"
REGION = "us-east-1"
REQUEST: dict[str, Any] = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": "order 7"}


@cache
def aws(service: str) -> Any:
    """A client of moto's; one for all tests, as making one takes longer than most tests. What it sees belongs to the test's own `mock_aws`."""
    session: Any = boto3
    return session.client(service, REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def context(request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef") -> LambdaContext:
    """What Lambda hands to a handler, as far as ours look at it."""
    made = LambdaContext()
    # Powertools declares Lambda's class without a constructor.
    vars(made)["_aws_request_id"] = request_id
    return made


def api_event(path: str, body: Any, headers: dict[str, str] | None = None, request_id: str = "77375676-xmpl-4b79-853a-f982474efe18") -> dict[str, Any]:
    """API Gateway's REST proxy event (payload version 1.0), as documented under "Set up a proxy integration"."""
    event = json.loads((EVENTS / "api_gateway_proxy.json").read_text())
    event["headers"] |= headers or {}
    event["multiValueHeaders"] |= {name: [value] for name, value in (headers or {}).items()}
    event["resource"] = event["path"] = event["requestContext"]["resourcePath"] = path
    event["requestContext"]["requestId"] = request_id
    event["body"] = body if isinstance(body, str) or body is None else json.dumps(body)
    return event


def sqs_event(*bodies: str) -> dict[str, Any]:
    """SQS's batch event, as documented under "Using Lambda with Amazon SQS"."""
    record = json.loads((EVENTS / "sqs_record.json").read_text())
    records = [copy.deepcopy(record) for _ in bodies]
    for number, (made, body) in enumerate(zip(records, bodies, strict=True)):
        made |= {"messageId": f"message-{number}", "body": body, "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()}
    return {"Records": records}


@dataclass
class Service:
    """The handlers over tables, a queue and a topic of moto's."""

    log_table: str
    sessions_table: str
    queue: str
    topic: str
    subscriber: str
    written: io.StringIO = field(default_factory=io.StringIO)

    def process(self, body: Any, key: str | None = "key-1", **event: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status, decoded body and the whole answer of POST /process-payment."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return answered(process_payment.handler({**api_event("/process-payment", body, headers), **event}, context()))

    def verify(self, body: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status, decoded body and the whole answer of POST /verify-payment."""
        return answered(verify_payment.handler(api_event("/verify-payment", body), context()))

    def work(self, *bodies: str) -> list[str]:
        """The ids of the messages of a batch that the worker hands back: `message-0` for the first."""
        answer = payment_worker.handler(sqs_event(*bodies), context())
        assert list(answer) == ["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def items(self, table: str | None = None) -> list[dict[str, Any]]:
        """All items of a table; of the transaction log unless told."""
        return aws("dynamodb").scan(TableName=table or self.log_table)["Items"]

    def taken(self, queue: str | None = None) -> list[str]:
        """All messages of a queue, removed from it; of the work queue unless told."""
        sqs = aws("sqs")
        bodies: list[str] = []
        while messages := sqs.receive_message(QueueUrl=queue or self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=queue or self.queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def events(self) -> list[dict[str, Any]]:
        """What subscribers of the topic were told since the last call."""
        return [json.loads(json.loads(body)["Message"]) for body in self.taken(self.subscriber)]


def answered(answer: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The parts of a proxy answer, after a look at its shape."""
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert answer["isBase64Encoded"] is False
    return answer["statusCode"], json.loads(answer["body"]), answer
