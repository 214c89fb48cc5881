"""One rehearsal per environment, as long as nothing is changed: who comes second, worker or later run, reads what the first one wrote."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from shared.page import ROOT
from tests.architecture.rehearsed import ENVIRONMENTS, Rehearsed, rehearsal_of

# What an environment's rehearsal is made from, beside its page.
_SOURCES = ("localcloud", "ops", "payments", "projects", "requirements", "shared", "environments", "tests/architecture/rehearsed.py")
_INSTALLED = ("moto", "pulumi", "pulumi-aws", "botocore")
_KEPT_FOR = 24 * 3600  # seconds


@pytest.fixture(scope="session")
def rehearse_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Rehearsed]:
    """Answers an environment's rehearsal."""
    own, folder = tmp_path_factory.getbasetemp(), _kept(tmp_path_factory)
    made_from = _digest()

    @cache
    def rehearsed(name: str) -> Rehearsed:
        file = folder / f"{name}-{made_from}.json"
        with Path(folder, f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                new = file.with_suffix(".new")
                new.write_text(json.dumps(rehearsal_of(name, own / "packages")))
                new.replace(file)
            return Rehearsed(name, json.loads(file.read_text()))

    return rehearsed


def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers share, and later runs too where pytest numbers its runs' folders (it makes them for this user alone)."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if own.name.startswith("popen-") else own
    folder = (run.parent if re.fullmatch(r"pytest-\d+", run.name) else run) / "rehearsals"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > _KEPT_FOR:
                file.unlink()
    return folder


def _digest() -> str:
    """Of everything that a rehearsal is made from."""
    digest = hashlib.sha256(" ".join([sys.version, *(f"{name} {version(name)}" for name in _INSTALLED)]).encode())
    for source in _SOURCES:
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts):
            digest.update(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


@pytest.fixture(params=ENVIRONMENTS)
def rehearsed(request: pytest.FixtureRequest, rehearse_once: Callable[[str], Rehearsed]) -> Rehearsed:
    """Each environment, rehearsed."""
    return rehearse_once(request.param)
