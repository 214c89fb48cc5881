"""What the image is made of. Docker is needed to build it, and not to see that it says what the rest of the project says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ops.package_trust import DIGEST, SOURCE
from payments.container import command
from payments.functions import PYTHON_VERSION
from payments.storage.postgres.database import TRUST_BUNDLE

ROOT = Path(__file__).parents[3]


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: each instruction and what follows it, on one line."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    return [(words[0], words[2]) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if (words := line.partition(" "))[0]]


def last(name: str) -> str:
    """What the last instruction of a name says: the final stage's."""
    found = [text for instruction, text in instructions() if instruction == name]
    assert found, f"the Dockerfile has no {name}"
    return found[-1]


def test_all_stages_stand_on_one_release_of_the_functions_python() -> None:
    assert re.fullmatch(rf"BASE=python:{re.escape(PYTHON_VERSION)}\.\d+-slim-bookworm(@sha256:[0-9a-f]{{64}})?", last("ARG"))
    assert [text.partition(" ")[0] for instruction, text in instructions() if instruction == "FROM"] == ["${BASE}", "${BASE}"]


def test_every_package_is_installed_by_its_hash() -> None:
    [install] = [text for instruction, text in instructions() if instruction == "RUN" and "pip" in text]
    assert {"--require-hashes", "--no-deps"} <= set(install.split())
    assert "--only-binary :all:" in install
    locked = (ROOT / "payments" / "requirements-container.txt").read_text()
    assert f"COPY payments/requirements-container.txt {install.split()[-1]}" in (ROOT / "Dockerfile").read_text()
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in locked.splitlines() if not line.lstrip().startswith("#")))
    assert len(entries) > 20
    assert [entry for entry in entries if not re.match(r"\S+==\S+", entry) or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("wanted", (ROOT / "payments" / "requirements-container.in").read_text().split("\n-r requirements.in\n")[1].split())
def test_what_the_container_needs_beyond_the_functions_is_locked(wanted: str) -> None:
    assert re.search(rf"^{re.escape(wanted)}==", (ROOT / "payments" / "requirements-container.txt").read_text(), re.MULTILINE)


def test_it_trusts_the_same_authorities_as_the_functions() -> None:
    assert last("ADD").split() == [f"--checksum=sha256:{DIGEST}", "--chmod=444", SOURCE, f"/app/{TRUST_BUNDLE.relative_to(ROOT)}"]


def test_it_is_nobody_in_particular_and_ends_as_it_is_told() -> None:
    user, _, group = last("USER").partition(":")
    assert min(int(user), int(group)) >= 10_000
    assert last("STOPSIGNAL") == "SIGTERM"
    # As lists: a shell in between would keep the signal to itself.
    assert json.loads(last("ENTRYPOINT")) == ["python", "-m", "payments.container"]
    assert json.loads(last("CMD"))[0] in command._COMMANDS


def test_it_looks_after_its_health() -> None:
    options, _, probe = last("HEALTHCHECK").partition(" CMD ")
    assert [*json.loads(last("ENTRYPOINT")), "health"] == json.loads(probe)
    patience = re.search(r"--timeout=(\d+)s", options)
    assert patience is not None
    assert int(patience[1]) > command._PATIENCE


def test_nothing_but_the_service_reaches_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert [line for line in lines if line.startswith("!")] == ["!payments"]
