"""The world that the handlers are killed in: moto, PostgreSQL, the processor, and the process that runs the handlers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from localcloud.stores.postgres import PostgresServer
from tests.payments.faults.world import REGION, ROOT, World, stores, zygote
from tests.payments.postgres import PASSWORD, USER, TestDatabase
from tests.payments.processors.stripe_api import KEY, StripeApi


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    """Of a moto server."""
    command = [sys.executable, "-m", "tests.payments.faults.moto_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


@pytest.fixture(scope="session")
def world(moto_address: str, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once: tests make payments of their own in it, and leave it in order."""
    name = "faults"
    postgres_server.create_database(name, USER, template="template")
    with StripeApi() as stripe:
        made = World(moto_address, stripe, postgres_server)
        secrets = made.client("secretsmanager")
        database = secrets.create_secret(Name="database", SecretString=json.dumps({"username": USER, "password": PASSWORD}))["ARN"]
        key = secrets.create_secret(Name="stripe", SecretString=KEY)["ARN"]
        made.names |= stores(made.client) | {"database_secret": database}
        environment = {
            "AWS_ENDPOINT_URL": moto_address,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PGHOSTADDR": postgres_server.address,
            "TEST_TRUST_BUNDLE": str(postgres_server.authority.certificate),
            "STAGE": "dev-main",
            "DATABASE_URL": f"postgresql://localhost:{postgres_server.port}/{name}?sslmode=verify-full",
            "DATABASE_SECRET_ARN": database,
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
        }
        log = tmp_path_factory.mktemp("faults") / "handlers.log"
        with zygote(environment, log) as process:
            made.zygote = process
            made.database = TestDatabase(postgres_server, name).database()
            yield made
            made.database.close()
