"""The service's surroundings, made anew for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from moto import mock_aws

from payments.handlers import payment_worker, process_payment, verify_payment
from tests.payments.service import REGION, Service, aws

# A busy machine is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

HANDLERS = (process_payment, verify_payment, payment_worker)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The handlers, with the tables, the queue and the topic that they are told of by their environment variables."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        made = _made()
        variables = {
            "STAGE": "dev",
            "TRANSACTION_LOG_TABLE": made.log_table,
            "SESSIONS_TABLE": made.sessions_table,
            "WORK_QUEUE_URL": made.queue,
            "PAYMENT_EVENTS_TOPIC_ARN": made.topic,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        forget()
        for module in HANDLERS:
            monkeypatch.setattr(module._telemetry.log.registered_handler, "stream", made.written)
        yield made
        forget()


@pytest.fixture
def logged(service: Service, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that the handlers wrote since the last call: logs, metrics, and whatever else went to the streams."""

    def read() -> str:
        own = service.written.getvalue()
        service.written.seek(0)
        service.written.truncate()
        streams = capsys.readouterr()
        return own + streams.out + streams.err

    return read


def forget() -> None:
    """Drops the settings that the functions keep between invocations."""
    for module in HANDLERS:
        module._settings.cache_clear()


def _made() -> Service:
    dynamodb, sqs, sns = (aws(name) for name in ("dynamodb", "sqs", "sns"))
    _table(dynamodb, "transaction-log-dev", payment_id="S", sequence="N")
    _table(dynamodb, "sessions-dev", session_id="S")
    topic = sns.create_topic(Name="payment-events-dev")["TopicArn"]
    subscriber = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:subscriber")
    return Service("transaction-log-dev", "sessions-dev", sqs.create_queue(QueueName="work-dev")["QueueUrl"], topic, subscriber)


def _table(dynamodb: Any, name: str, **keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )
