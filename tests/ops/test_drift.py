"""Drift: what others may change is none, and what is under way is not looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import operations
from ops.engine import Stack
from ops.engine_events import Listener, Summary
from ops.progress import Silent
from ops.report import Drift, Outcome, Result
from ops.session import Session
from ops.target import Target
from ops.toolchain import Cli
from ops.workspace import open_workspace

TABLE = "urn:pulumi:dev::data::aws:dynamodb/table:Table::payments"
Looked = Callable[..., tuple[Result, list[tuple[str, ...]]]]


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looked:
    """Looks for drift in a stack with one table, whose program leaves some properties to others; the result, and the engine's arguments."""

    def look(*drift: Drift, ignored: tuple[str, ...] = (), pending: bool = False, ok: bool = True) -> tuple[Result, list[tuple[str, ...]]]:
        folder = tmp_path / ".pulumi" / "stacks" / "data"
        folder.mkdir(parents=True)
        table = {"urn": TABLE, "type": "aws:dynamodb/table:Table", "custom": True, "ignoreChanges": list(ignored)}
        operation = {"type": "creating", "resource": {"urn": TABLE}}
        (folder / "dev.json").write_text(json.dumps({"checkpoint": {"latest": {"resources": [table], "pending_operations": [operation] if pending else []}}}))
        asked: list[tuple[str, ...]] = []

        def operate(_: Stack, *arguments: str, listener: Listener, cancelled: Any) -> Summary:
            asked.append(arguments)
            counts = {"create": 0, "update": len(drift), "replace": 0, "delete": 0, "same": 7}
            return Summary(ok, interrupted=False, changes=counts, errors=(), cause="" if ok else "no credentials", drift=drift)

        monkeypatch.setattr(Stack, "operate", operate)
        cli = Cli(pulumi=tmp_path / "pulumi", host="3", version="3", origin="here", path=())
        session = Session(open_workspace("dev", target="local"), Target("local", {}, tmp_path, None, tmp_path), cli, Silent())
        return operations.drift(session, "data"), asked

    return look


def changed(*properties: str, gone: bool = False) -> Drift:
    return Drift(urn=TABLE, type="aws:dynamodb/table:Table", name="payments", gone=gone, properties=properties)


@pytest.mark.parametrize(
    ("drift", "ignored", "left"),
    [
        (changed("readCapacity", "tags.Team"), ("readCapacity", "writeCapacity"), ("tags.Team",)),
        (changed("readCapacity"), ("readCapacity",), None),
        (changed("globalSecondaryIndexes[0].readCapacity"), ("globalSecondaryIndexes[*].readCapacity",), None),
        (changed("globalSecondaryIndexes[12].readCapacity"), ("globalSecondaryIndexes",), None),
        (changed("readCapacityOfAnother"), ("readCapacity",), ("readCapacityOfAnother",)),
        (changed("tags.Team"), ("tags",), None),
        (changed("tagsXTeam"), ("tags.Team",), ("tagsXTeam",)),
        (changed(), ("readCapacity",), ()),
        (changed(gone=True), ("readCapacity",), ()),
    ],
)
def test_what_the_program_leaves_to_others_is_no_drift(looked: Looked, drift: Drift, ignored: tuple[str, ...], left: tuple[str, ...] | None) -> None:
    result, _ = looked(drift, ignored=ignored)
    if left is None:
        assert (result.outcome, result.drift, result.changes["update"], result.changes["same"]) == (Outcome.SUCCEEDED, (), 0, 8)
    else:
        assert (result.outcome, result.changes["update"], result.changes["same"]) == (Outcome.DRIFTED, 1, 7)
        assert [(one.name, one.gone, one.properties) for one in result.drift] == [("payments", drift.gone, left)]
        assert result.cause == "1 resource not as the state says"


def test_the_engine_is_asked_to_look_alone(looked: Looked) -> None:
    result, asked = looked()
    assert (result.outcome, asked) == (Outcome.SUCCEEDED, [("refresh", "--preview-only")])


def test_what_an_interrupted_run_left_is_no_drift(looked: Looked) -> None:
    result, asked = looked(changed("tags"), pending=True)
    assert (result.outcome, asked) == (Outcome.HELD, [])
    assert result.cause == "an earlier run was interrupted with 1 operations under way: what it left is no drift"


def test_a_look_that_failed_is_a_failure(looked: Looked) -> None:
    result, _ = looked(ok=False)
    assert (result.outcome, result.cause) == (Outcome.FAILED, "no credentials")
