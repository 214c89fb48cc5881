"""One rehearsal per environment and run: a worker that comes second reads what the first one wrote."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.rehearsed import ENVIRONMENTS, Rehearsed, rehearsal_of


@pytest.fixture(scope="session")
def rehearse_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Rehearsed]:
    """Answers an environment's rehearsal."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    @cache
    def rehearsed(name: str) -> Rehearsed:
        file = shared / f"{name}.json"
        with Path(shared, f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_text(json.dumps(rehearsal_of(name, own / "packages")))
            return Rehearsed(name, json.loads(file.read_text()))

    return rehearsed


@pytest.fixture(params=ENVIRONMENTS)
def rehearsed(request: pytest.FixtureRequest, rehearse_once: Callable[[str], Rehearsed]) -> Rehearsed:
    """Each of the platform's own environments, rehearsed."""
    return rehearse_once(request.param)
