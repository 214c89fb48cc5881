"""The payment service of an environment, deployed once for all tests of a module."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest

from payments.functions import FUNCTIONS
from shared import packages
from tests.payments.postgres import postgres_server, test_database
from tests.projects.app.upstream import deployed
from tests.projects.harness import Cloud

__all__ = ["archives", "each", "fargate", "postgres_server", "staging", "test_database"]


@pytest.fixture(scope="session", autouse=True)
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Packages that are made in no time; those that are deployed have a test of their own."""
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packages, "PACKAGES", folder)
        for function in FUNCTIONS:
            path = packages.package_file(function.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_archive(function.name))
        yield


def _archive(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handler.py"), f"NAME = {name!r}\n")
    return content.getvalue()


@pytest.fixture(scope="module", params=["dev", "staging", "prod"])
def each(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """Each environment."""
    with deployed(str(request.param)) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def staging() -> Iterator[Cloud]:
    """One environment, for what is the same in all of them."""
    with deployed("staging") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def fargate() -> Iterator[Cloud]:
    """One environment whose service runs in containers."""
    with deployed("containers-prod") as cloud:
        yield cloud
