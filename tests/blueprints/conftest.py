"""A checkout and a local cloud for each customer's environments."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from ops import package
from ops.toolchain import Cli
from tests.blueprints.life import Life, live
from tests.engine.checkout import check_out
from tests.engine.conftest import cli

__all__ = ["cli", "lives", "lives_of"]


@pytest.fixture(scope="session")
def lives_of(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Life]]:
    """The life of a customer's environments, lived once in a worker."""

    @cache
    def lived(brief: str) -> dict[str, Life]:
        package.ensure()
        checkout = check_out(tmp_path_factory.mktemp(brief) / "platform", cli)
        try:
            return live(checkout, brief)
        finally:
            checkout.close()

    return lived


@pytest.fixture
def lives(brief: str, lives_of: Callable[[str], dict[str, Life]]) -> dict[str, Life]:
    """The environments of the customer that the test is about."""
    return lives_of(brief)
