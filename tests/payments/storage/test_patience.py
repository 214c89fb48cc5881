"""How long DynamoDB is waited for, and whose fault it is called when that was not enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payments import clients
from payments.storage.dynamodb import table
from payments.storage.dynamodb.store import DynamoStore
from payments.storage.dynamodb.table import PATIENCE, Conflict, Table
from payments.storage.store import DatabaseUnavailable, KeyInProgress
from tests.payments.storage.making import accept


class Clock:
    """A time that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Dynamo:
    """DynamoDB, in one of its moods: `codes` of a cancelled transaction's actions; `done` of each batch, the rest of which is left."""

    def __init__(self, *, codes: tuple[str, ...] = (), done: int = 0) -> None:
        self.codes, self.done, self.calls = codes, done, 0

    def transact_write_items(self, **_: Any) -> None:
        self.calls += 1
        reasons = [{"Code": code} for code in self.codes]
        raise ClientError({"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "TransactWriteItems")

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls += 1
        return {"UnprocessedItems": {name: asked[self.done :] for name, asked in RequestItems.items() if asked[self.done :]}}

    def batch_get_item(self, RequestItems: dict[str, dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls += 1
        [(name, about)] = RequestItems.items()
        keys = about["Keys"]
        left = {name: {**about, "Keys": keys[self.done :]}} if keys[self.done :] else {}
        return {"Responses": {name: keys[: self.done]}, "UnprocessedKeys": left}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(table, "time", SimpleNamespace(monotonic=made.monotonic, sleep=made.sleep))
    # The longest pause each time, where it is any time up to that.
    monkeypatch.setattr(table, "random", SimpleNamespace(uniform=lambda _, longest: longest))
    return made


def asked(monkeypatch: pytest.MonkeyPatch, dynamo: Dynamo) -> Dynamo:
    monkeypatch.setitem(clients._clients, "dynamodb", dynamo)
    return dynamo


KEYS = [(f"payment#{number}", "payment") for number in range(100)]


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_table_that_is_too_small_is_no_callers_fault(monkeypatch: pytest.MonkeyPatch, clock: Clock, code: str) -> None:
    dynamo = asked(monkeypatch, Dynamo(codes=("None", code)))
    with pytest.raises(DatabaseUnavailable) as raised:
        accept(DynamoStore(Table("payments")))
    assert not isinstance(raised.value, Conflict)
    assert dynamo.calls > 1
    assert PATIENCE < clock.now < 2 * PATIENCE


@pytest.mark.parametrize("codes", [("TransactionConflict",), ("TransactionConflict", "ThrottlingError")])
def test_another_request_that_is_at_the_same_key_is(monkeypatch: pytest.MonkeyPatch, clock: Clock, codes: tuple[str, ...]) -> None:
    asked(monkeypatch, Dynamo(codes=codes))
    with pytest.raises(KeyInProgress):
        accept(DynamoStore(Table("payments")))
    assert clock.now > PATIENCE


def test_a_condition_that_does_not_hold_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    dynamo = asked(monkeypatch, Dynamo(codes=("None", "ConditionalCheckFailed")))
    with pytest.raises(table.Cancelled):
        Table("payments").transact([])
    assert (dynamo.calls, clock.now) == (1, 0.0)


def test_what_goes_on_is_waited_for_however_much_there_is(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    for call in (lambda: Table("payments").delete_all(KEYS), lambda: Table("payments").get_all(KEYS)):
        dynamo, before = asked(monkeypatch, Dynamo(done=1)), clock.now
        monkeypatch.setattr(table, "_FIRST_PAUSE", PATIENCE / 10)
        call()
        assert dynamo.calls == len(KEYS)
        assert clock.now - before > 2 * PATIENCE


def test_what_does_not_go_on_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    for call in (lambda: Table("payments").delete_all(KEYS), lambda: Table("payments").get_all(KEYS)):
        asked(monkeypatch, Dynamo(done=0))
        before = clock.now
        with pytest.raises(DatabaseUnavailable, match="busy"):
            call()
        assert PATIENCE < clock.now - before < 2 * PATIENCE
