"""Every change of every payment gets into the chain once, by one writer at a time, and days do not go back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from payments.domain.audit import GENESIS, AuditRecord, breaks
from payments.domain.payment import State
from payments.storage.audit_chain import AuditChain
from payments.storage.database import Database
from payments.storage.payments import Payments
from tests.payments.postgres import TestDatabase
from tests.payments.storage.making import CAPTURE, accept, another, walk


def today(database: Database) -> date:
    """By the database's clock, which decides."""
    return database.run("SELECT (now() AT TIME ZONE 'UTC')::date")[0][0]


def test_every_change_gets_into_the_chain_once_and_in_order(database: Database) -> None:
    chain = AuditChain(database)
    assert chain.extend() == []
    taken = accept(database, metadata={"note": "hidden"})
    walk(database, taken.payment_id)
    records = chain.extend()
    assert [(record.position, record.number, record.sequence, record.state) for record in records] == [
        (number, number, number, state) for number, state in enumerate((State.RECEIVED, *CAPTURE), start=1)
    ]
    assert records[0].previous_hash == GENESIS
    assert {record.day for record in records} == {today(database).isoformat()}
    assert list(breaks(today(database), records, GENESIS)) == []
    payment = Payments(database).load([taken.payment_id])[taken.payment_id]
    assert [datetime.fromisoformat(record.occurred_at) for record in records] == [change.occurred_at for change in payment.history]
    assert (records[0].payment_id, records[0].merchant, records[0].reference, records[0].amount) == (taken.payment_id, "default", "order 7", 1050)
    assert [record.processor for record in records] == [None, "sandbox", "sandbox", "sandbox"]
    kept = "".join(record.canonical() for record in records)
    assert "hidden" not in kept
    assert "tok_approve" not in kept
    assert chain.extend() == []


def test_the_chain_goes_on_where_it_was(database: Database) -> None:
    chain = AuditChain(database)
    for _ in range(5):
        another(database)
    first = chain.extend(limit=2)
    rest = chain.extend()
    assert [record.position for record in first + rest] == [1, 2, 3, 4, 5]
    assert list(breaks(today(database), first + rest, GENESIS)) == []


def test_records_are_unwritten_until_they_are_said_to_be_written(database: Database) -> None:
    chain = AuditChain(database)
    walk(database, accept(database).payment_id)
    records = chain.extend()
    assert chain.unwritten() == records
    assert chain.unwritten(limit=1) == records[:1]
    chain.written([record.position for record in records[:3]])
    chain.written([])
    assert chain.unwritten() == records[3:]
    at = database.run("SELECT written_at FROM audit_records WHERE position = 1")
    chain.written([1])
    assert database.run("SELECT written_at FROM audit_records WHERE position = 1") == at


def continued_from(database: Database, day: date) -> AuditRecord:
    """Makes the chain's only record one of that day, as if it had been taken in then; the record."""
    another(database)
    (record,) = AuditChain(database).extend()
    moved = AuditRecord.from_canonical(record.canonical().replace(record.day, day.isoformat())).linked(GENESIS)
    database.run("ALTER TABLE audit_records DISABLE TRIGGER USER")
    database.run("UPDATE audit_records SET day = %s, hash = %s, record = %s", [day, moved.hash, moved.canonical()])
    database.run("ALTER TABLE audit_records ENABLE TRIGGER USER")
    return moved


def test_a_new_day_counts_from_one_and_is_linked_to_the_last_one(database: Database) -> None:
    before = continued_from(database, today(database) - timedelta(days=3))
    another(database)
    another(database)
    records = AuditChain(database).extend()
    assert [(record.position, record.number, record.day) for record in records] == [(2, 1, str(today(database))), (3, 2, str(today(database)))]
    assert list(breaks(today(database), records, before.hash)) == []


def test_a_clock_that_goes_back_takes_no_day_back(database: Database) -> None:
    tomorrow = today(database) + timedelta(days=1)
    before = continued_from(database, tomorrow)
    another(database)
    (record,) = AuditChain(database).extend()
    assert (record.position, record.number, record.day) == (2, 2, str(tomorrow))
    assert list(breaks(tomorrow, [before, record], GENESIS)) == []


def test_one_writer_at_a_time(test_database: TestDatabase) -> None:
    database = test_database.database()
    for _ in range(60):
        another(database)
    together = threading.Barrier(4)

    def extend(_: int) -> list[AuditRecord]:
        together.wait()
        return [record for _ in range(20) for record in AuditChain(database).extend(limit=5)]

    with ThreadPoolExecutor(4) as pool:
        taken = [record for records in pool.map(extend, range(4)) for record in records]
    taken += AuditChain(database).extend()
    taken.sort(key=lambda record: record.position)
    assert len(taken) == 60
    assert list(breaks(date.fromisoformat(taken[0].day), taken, GENESIS)) == []
    assert AuditChain(database).unwritten() == taken
    database.close()


def test_a_writer_that_finds_another_at_it_does_not_wait(test_database: TestDatabase) -> None:
    one, other = test_database.database(), test_database.database()
    another(one)
    with one.transaction():
        assert len(AuditChain(one).extend()) == 1
        assert AuditChain(other).extend() == []
    another(other)
    assert [record.position for record in AuditChain(other).extend()] == [2]
    one.close()
    other.close()


def test_moments_are_written_in_utc_with_microseconds(database: Database) -> None:
    another(database)
    (record,) = AuditChain(database).extend()
    for text in (record.occurred_at, record.recorded_at):
        assert datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) <= datetime.now(UTC) + timedelta(minutes=1)
        assert len(text) == len("2026-01-01T00:00:00.000000Z")
