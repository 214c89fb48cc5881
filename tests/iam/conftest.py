"""Every environment that has a page, rehearsed once for all tests, as IAM sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from shared import page as pages
from tests.architecture.conftest import rehearse_once
from tests.architecture.rehearsed import Rehearsed
from tests.iam.world import World, world_of

__all__ = ["rehearse_once"]


@pytest.fixture(scope="session")
def worlds(rehearse_once: Callable[[str], Rehearsed]) -> Mapping[str, World]:
    """The environments, by name."""
    return {name: world_of(rehearse_once(name)) for name in pages.names()}
