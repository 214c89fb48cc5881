"""The world that the handlers are killed in: moto, PostgreSQL, the processor, and the process that runs the handlers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localcloud.stores.postgres import PostgresServer
from tests.payments.faults.books import PostgresBooks, TableBooks
from tests.payments.faults.world import REGION, ROOT, World, stores, zygote
from tests.payments.kept import KEYS, TABLE
from tests.payments.postgres import PASSWORD, USER, TestDatabase
from tests.payments.processors.stripe_api import KEY, StripeApi


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    """Of a moto server."""
    with moto_server() as address:
        yield address


@pytest.fixture(scope="session")
def world(moto_address: str, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With payments in PostgreSQL. Made once: tests make payments of their own in it, and leave it in order."""
    name = "faults"
    postgres_server.create_database(name, USER, template="template")

    def kept(made: World) -> dict[str, str]:
        secret = made.client("secretsmanager").create_secret(Name="database", SecretString=json.dumps({"username": USER, "password": PASSWORD}))["ARN"]
        made.names["database_secret"] = secret
        made.kept = PostgresBooks(postgres_server, TestDatabase(postgres_server, name).database())
        return {
            "PGHOSTADDR": postgres_server.address,
            "DATABASE_URL": f"postgresql://localhost:{postgres_server.port}/{name}?sslmode=verify-full",
            "DATABASE_SECRET_ARN": secret,
        }

    trust = {"TEST_TRUST_BUNDLE": str(postgres_server.authority.certificate)}
    with running(moto_address, kept, trust, tmp_path_factory.mktemp("faults")) as made:
        yield made
        assert isinstance(made.kept, PostgresBooks)
        made.kept.database.close()


@pytest.fixture(scope="session")
def table_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With payments in a table, and a cloud of its own."""

    def kept(made: World) -> dict[str, str]:
        made.client("dynamodb").create_table(TableName=TABLE, **KEYS)
        made.kept = TableBooks(made.client("dynamodb"), TABLE)
        return {"PAYMENTS_TABLE": TABLE}

    with moto_server() as address, running(address, kept, {}, tmp_path_factory.mktemp("faults")) as made:
        yield made


@contextmanager
def moto_server() -> Generator[str]:
    """Its address."""
    command = [sys.executable, "-m", "tests.payments.faults.moto_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


@contextmanager
def running(address: str, kept: Callable[[World], dict[str, str]], trust: dict[str, str], folder: Path) -> Generator[World]:
    """A world at a moto server. kept: makes what payments are kept in, and tells the handlers' variables for it."""
    with StripeApi() as stripe:
        made = World(address, stripe)
        key = made.client("secretsmanager").create_secret(Name="stripe", SecretString=KEY)["ARN"]
        made.names |= stores(made.client)
        environment = {
            "AWS_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "STAGE": "dev-main",
            "TRANSACTION_LOG_TABLE": "log",
            "SESSIONS_TABLE": "sessions",
            "DOCUMENTS_BUCKET": "documents",
            "AUDIT_BUCKET": "audit",
            "PAYMENT_EVENTS_TOPIC_ARN": made.names["topic_arn"],
            "WORK_QUEUE_URL": made.names["work_queue_url"],
            "DEAD_LETTER_QUEUE_URL": made.names["dead_letter_queue_url"],
            "MAX_RECEIVES": "50",
            "PROCESSOR": "stripe",
            "PROCESSOR_SECRET_ARN": key,
            "PROCESSOR_ENDPOINT": stripe.endpoint,
            **trust,
            **kept(made),
        }
        with zygote(environment, folder / "handlers.log") as process:
            made.zygote = process
            yield made
