"""The world that the handlers are killed in: moto, PostgreSQL, the processor, and the process that runs the handlers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from localcloud.moto_settings import as_a_control_plane
from localcloud.stores.postgres import PostgresServer
from tests.payments.faults.world import REGION, World, stores, zygote
from tests.payments.postgres import PASSWORD, USER, TestDatabase
from tests.payments.processors.stripe_api import KEY, StripeApi


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    """A moto server of this test process."""
    as_a_control_plane()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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
            "DATABASE_HOST": "localhost",
            "DATABASE_PORT": str(postgres_server.port),
            "DATABASE_NAME": name,
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
