"""Checkouts for tests that need the real engine. Without a Pulumi CLI they are skipped, and in CI that is a failure."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from ops import package, toolchain
from ops.toolchain import Cli
from tests.engine.checkout import Checkout, check_out


@pytest.fixture(scope="session")
def cli() -> Cli:
    found = toolchain.find()
    if found is None:
        reason = "there is no Pulumi CLI: `make venv` gets one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def checkout(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Generator[Checkout]:
    """A checkout for a module's tests, with a local cloud that holds nothing yet."""
    package.ensure()
    made = check_out(tmp_path_factory.mktemp("checkout") / "platform", cli)
    try:
        yield made
    finally:
        made.close()
