"""The service's surroundings, made anew for each test."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

from payments.assembly.storing import store_from
from payments.functions import FUNCTIONS
from payments.settings import DatabaseSettings, TableSettings
from payments.storage.postgres import database as connecting
from tests.payments.kept import KEYS, TABLE, in_dynamo, in_postgres, kept, store
from tests.payments.postgres import PASSWORD, USER, TestDatabase, database, empty_database, postgres_server, test_database
from tests.payments.service import REGION, Service, aws

__all__ = [
    "database",
    "empty_database",
    "in_dynamo",
    "in_postgres",
    "kept",
    "logged",
    "postgres_server",
    "service",
    "store",
    "table_service",
    "test_database",
    "walled",
]

ACCOUNT = "123456789012"


@pytest.fixture
def service(test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The handlers, with all that their environment variables tell them of: queues, topic, tables and buckets of moto's, and a real database."""
    yield from _served(test_database.host, test_database.port, test_database.name, test_database.server.authority.certificate, monkeypatch)


@pytest.fixture
def walled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The same, but the database cannot be reached: what is answered without it was decided before anything could be kept."""
    yield from _served("127.0.0.1", 9, "none", Path("none"), monkeypatch)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Callable[[], str]:
    """All that the handlers wrote since the last call: logs, metrics, and whatever else went to the streams."""
    name = next(name for name in ("walled", "table_service", "service") if name in request.fixturenames)
    service: Service = request.getfixturevalue(name)

    def read() -> str:
        own = service.written.getvalue()
        service.written.seek(0)
        service.written.truncate()
        streams = capsys.readouterr()
        return own + streams.out + streams.err

    return read


@pytest.fixture
def table_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The handlers where payments are kept in a table of moto's. There is no relational database."""
    yield from _running(lambda: TableSettings(TABLE), monkeypatch)


def _served(host: str, port: int, name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(connecting, "TRUST_BUNDLE", certificate)

    def place() -> DatabaseSettings:
        secret = aws("secretsmanager").create_secret(Name="database", SecretString=f'{{"username": "{USER}", "password": "{PASSWORD}"}}')["ARN"]
        return DatabaseSettings(host, port, name, secret)

    yield from _running(place, monkeypatch)


def _running(place: Callable[[], DatabaseSettings | TableSettings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        made = _made(place())
        for variable, value in made.variables().items():
            monkeypatch.setenv(variable, value)
        modules = [importlib.import_module(function.module) for function in FUNCTIONS]
        _forget(modules)
        for module in modules:
            if hasattr(module, "_telemetry"):
                monkeypatch.setattr(module._telemetry.log.registered_handler, "stream", made.written)
        yield made
        _forget(modules)
        store_from(made.place).close()
        connecting.from_settings.cache_clear()
        store_from.cache_clear()


def _forget(modules: list[ModuleType]) -> None:
    """Drops what the functions keep between invocations."""
    for module in modules:
        for name in ("_settings", "_worker", "_relay"):
            if hasattr(module, name):
                getattr(module, name).cache_clear()


def _made(place: DatabaseSettings | TableSettings) -> Service:
    dynamodb, sqs, sns, s3 = (aws(name) for name in ("dynamodb", "sqs", "sns", "s3"))
    _table(dynamodb, "transaction-log-dev", payment_id="S", sequence="N")
    _table(dynamodb, "sessions-dev", session_id="S")
    if isinstance(place, TableSettings):
        dynamodb.create_table(TableName=place.name, **KEYS)
    for bucket in ("documents-dev", "audit-dev"):
        s3.create_bucket(Bucket=bucket)
    topic = sns.create_topic(Name="payment-events-dev")["TopicArn"]
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("work-dev", "dead-letters-dev", "subscriber")}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber")
    return Service(
        place=place,
        log_table="transaction-log-dev",
        sessions_table="sessions-dev",
        documents="documents-dev",
        audit="audit-dev",
        topic=topic,
        queue=queues["work-dev"],
        dead_letters=queues["dead-letters-dev"],
        subscriber=queues["subscriber"],
    )


def _table(dynamodb: Any, name: str, **keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )
