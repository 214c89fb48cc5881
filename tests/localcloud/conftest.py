"""The provider, attached to an engine and served over an empty moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from localcloud.aws import Clouds
from tests.localcloud.engine import Engine, attached


@pytest.fixture(scope="session")
def served() -> Iterator[Engine]:
    """One server for all tests of this process: starting one, and making boto3's clients, costs more than most tests do."""
    with attached(Clouds()) as engine:
        yield engine


@pytest.fixture
def engine(served: Engine) -> Iterator[Engine]:
    """An engine on an empty AWS."""
    with mock_aws():
        yield served
