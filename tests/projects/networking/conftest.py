"""The network of each environment, deployed once for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.projects.harness import Cloud, empty_aws


@pytest.fixture(scope="module", params=["dev", "staging", "prod"])
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    environment: Any = request.param
    with empty_aws(environment) as cloud:
        cloud.deploy("networking")
        yield cloud
