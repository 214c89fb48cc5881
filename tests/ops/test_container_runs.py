"""The container's code for this machine, served as it is deployed: tasks behind a load balancer, with PostgreSQL and Redis under AWS's names."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from localcloud import control
from localcloud.aws import Aws
from localcloud.control import Running
from localcloud.serve.containers import Image
from localcloud.serve.service import Containers, Service, Settings
from localcloud.stores.postgres import PostgresServer
from localcloud.stores.redis import RedisServer
from ops import package_container, tasks_of_ecs
from ops.package_trust import local_authority
from ops.report import Outcome
from ops.smoke import Service as Tried
from ops.smoke import smoke
from tests.localcloud.serve.cluster import Cluster, fixed, forward, method, path
from tests.localcloud.serve.deployment import Deployment

DOMAIN = "payments.example.com"
DATABASE, CACHE = "payments.cluster-x.us-east-2.rds.example.com", "master.payments.x.use2.cache.example.com"
PASSWORD = "made-up"
KEY = "an-api-key-of-the-tests"
_NO_ROUTE = json.dumps({"type": "urn:payments:problem:no-such-route", "title": "No", "status": 404})
_ACCOUNTS = itertools.count(300_000_000_001)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("cloud")
    running, _ = control.start(home)
    yield running
    control.stop(home)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis; how processes find them."""
    authority = local_authority()
    with (
        PostgresServer(tmp_path_factory.mktemp("postgres"), authority=authority, names=[DATABASE], durable=False) as database,
        RedisServer(tmp_path_factory.mktemp("redis"), token=PASSWORD, authority=authority, names=[CACHE]) as cache,
    ):
        database.create_role("payments", PASSWORD)
        database.create_database("payments", "payments")
        yield {"PGHOSTADDR": database.address, "CACHE_HOSTADDR": cache.address, "DATABASE_PORT": str(database.port), "CACHE_PORT": str(cache.port)}


def made(aws: Aws, ports: dict[str, str]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Variables and secrets of all tasks; makes what they name."""
    sqs, s3, secrets = aws.client("sqs"), aws.client("s3"), aws.client("secretsmanager")
    location = {"LocationConstraint": aws.region}
    for bucket in ("audit", "documents"):
        s3.create_bucket(Bucket=f"{bucket}-{aws.account}", CreateBucketConfiguration=location)
    aws.client("dynamodb").create_table(
        TableName="transaction-log",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "payment_id", "AttributeType": "S"}, {"AttributeName": "sequence", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "payment_id", "KeyType": "HASH"}, {"AttributeName": "sequence", "KeyType": "RANGE"}],
    )
    login = json.dumps({"username": "payments", "password": PASSWORD})
    variables = {
        "STAGE": "test",
        "DATABASE_URL": f"postgresql://{DATABASE}:{ports['DATABASE_PORT']}/payments?sslmode=verify-full",
        "DATABASE_SECRET_ARN": secrets.create_secret(Name="database", SecretString=login)["ARN"],
        "TRANSACTION_LOG_TABLE": "transaction-log",
        "WORK_QUEUE_URL": sqs.create_queue(QueueName="work")["QueueUrl"],
        "DEAD_LETTER_QUEUE_URL": sqs.create_queue(QueueName="dead")["QueueUrl"],
        "MAX_RECEIVES": "5",
        "PAYMENT_EVENTS_TOPIC_ARN": aws.client("sns").create_topic(Name="events")["TopicArn"],
        "DOCUMENTS_BUCKET": f"documents-{aws.account}",
        "AUDIT_BUCKET": f"audit-{aws.account}",
        "PROCESSOR": "sandbox",
    }
    url = f"rediss://:{PASSWORD}@{CACHE}:{ports['CACHE_PORT']}/0"
    values = {"CACHE_URL": url, "API_KEYS": json.dumps({"merchant": KEY})}
    arns = {name: secrets.create_secret(Name=name, SecretString=value)["ARN"] for name, value in values.items()}
    return [{"name": name, "value": value} for name, value in variables.items()], [{"name": name, "valueFrom": arn} for name, arn in arns.items()]


@pytest.fixture
def service(cloud: Running, stores: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    """Web and worker, served in another region than the usual one; the task that migrates is there to be run."""
    aws = Aws(str(next(_ACCOUNTS)), "us-east-2", cloud.endpoint)
    cluster = Cluster(Deployment(aws, tmp_path))
    variables, secrets = made(aws, stores)
    check = {"command": ["CMD", "python", "-m", "payments.container", "health"], "interval": 10, "timeout": 5, "retries": 3, "startPeriod": 30}
    definitions = {
        part: cluster.definition(part, command=[part], environment=variables, secrets=secrets, **({} if part == "migrate" else {"healthCheck": check}))
        for part in ("web", "worker", "migrate")
    }
    group = cluster.target_group(HealthCheckPath="/health", Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    listener = cluster.listener(cluster.balancer(), fixed(404, _NO_ROUTE), port=443, names=[DOMAIN])
    for number, route in enumerate(("process-payment", "verify-payment"), 1):
        cluster.rule(listener, number, [path(f"/{route}"), method("POST")], forward(group))
    cluster.service(definitions["web"], behind=group)
    cluster.service(definitions["worker"], name="worker")
    packed = package_container.ensure()
    image = Image(folder=packed.folder, entry_point=packed.entry_point, command=packed.command, environment=packed.environment)
    found = {name: value for name, value in stores.items() if name.endswith("HOSTADDR")}
    containers = Containers(
        cluster="things",
        image=lambda _: image,
        variables=lambda _, address, port: {**found, "HOST": address, "PORT": str(port)},
        certify=local_authority().issue,
    )
    serving = Service(aws, Settings(folder=tmp_path / "served", refresh=0.0, containers=containers))
    serving.start()
    yield serving
    serving.stop()


def test_the_container_alone_migrates_a_database_and_sees_payments_through(service: Service, stores: dict[str, str]) -> None:
    migrated = tasks_of_ecs.served(service.endpoint, "migrate").checked("migrate")
    assert "database migrated" in migrated.lines[-1]
    service.start_feeding()
    assert service.ready(60.0), service.counts()
    tried = Tried(url=service.urls["front/443"], key=KEY, host=DOMAIN, trust=local_authority().certificate, patience=30.0, pause=0.2)
    assert {check.name: check.detail for check in smoke(tried) if check.outcome is not Outcome.SUCCEEDED} == {}
    assert httpx.get(f"{service.endpoint}/_serve").json()["services"] == {name: {"desired": 1, "running": 1, "healthy": 1} for name in ("web", "worker")}
    # What was told of payments is kept in the cache, which only a client that verifies its name and knows its token reaches.
    place: dict[str, Any] = {"host": stores["CACHE_HOSTADDR"], "port": int(stores["CACHE_PORT"]), "password": PASSWORD, "ssl": True}
    with redis.Redis(**place, ssl_ca_certs=str(local_authority().certificate)) as client:
        keys: Any = client.keys("payments:1:test:payment:*")
    assert keys
