"""What the program publishes of environments that are made of something else: clusters, a table of payments, Redis, AWS's keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.contracts import DataOutputs
from tests.projects.harness import Cloud, empty_aws, network

SHAPES = ("accounts-prod", "aurora-dev", "containers-prod", "regions-staging")


@pytest.fixture(scope="module", params=SHAPES)
def shaped(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """The stores of an environment that is made of something else, deployed once."""
    name: str = request.param
    with empty_aws(name) as cloud:
        cloud.published("networking", network(cloud))
        cloud.deploy("data")
        yield cloud


def test_what_the_shape_has_is_published_and_nothing_else(shaped: Cloud) -> None:
    outputs, shape = shaped.runs["data"].outputs, shaped.environment.shape
    assert DataOutputs.problems(outputs) == []
    given = {name for name in DataOutputs.optional() if outputs.get(name) is not None}
    database = {"databaseIdentifier", "databaseAddress", "databaseEndpoint", "databasePort", "databaseName", "databaseUrl", "databaseSecretArn"}
    expected = database if shape.relational else {"paymentsTableName", "paymentsTableArn"}
    expected |= {"databaseReaderAddress"} if shape.database in {"aurora", "aurora-serverless"} else set()
    expected |= {"databaseKeyArn"} if shape.relational and shape.database_key == "customer" else set()
    cache = {"cacheIdentifier", "cacheNodeIds", "cacheAddress", "cachePort", "cacheSecretArn"}
    expected |= cache if shape.cache else {"sessionsTableName", "sessionsTableArn"}
    assert given == expected


def test_the_connection_string_has_no_password_and_checks_the_servers_name(shaped: Cloud) -> None:
    outputs = shaped.runs["data"].outputs
    url = outputs.get("databaseUrl")
    expected = f"postgresql://{outputs['databaseAddress']}:5432/payments?sslmode=verify-full" if shaped.environment.shape.relational else None
    assert url == expected
