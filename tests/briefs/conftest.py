"""Each brief's environments are deployed once, for all questions of its module."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.briefs import family as families


@pytest.fixture(scope="module")
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[families.Family]:
    """The environments of the brief that the module is called after."""
    brief = Path(str(request.path)).stem.split("_")[1]
    with families.family(brief, tmp_path_factory.mktemp(brief)) as made:
        yield made
