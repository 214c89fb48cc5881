"""The provider, attached to an engine and served over an empty moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.localcloud.engine import Engine, LastingClouds, attached


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Engine, LastingClouds]]:
    """One server for all tests of this process: starting one, and making boto3's clients, costs more than most tests do."""
    clouds = LastingClouds()
    with attached(clouds) as engine:
        yield engine, clouds


@pytest.fixture
def engine(served: tuple[Engine, LastingClouds]) -> Iterator[Engine]:
    """An engine on an empty AWS."""
    engine, clouds = served
    with mock_aws():
        clouds.renew()
        yield engine
