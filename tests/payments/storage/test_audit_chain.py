"""Every change of every payment gets into the chain once, by one writer at a time, and days do not go back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from payments import clients
from payments.domain.audit import GENESIS, AuditRecord, breaks, records_of
from payments.domain.payment import State
from payments.storage.dynamodb.expressions import encoded
from payments.storage.store import AuditChain, Store
from tests.payments.kept import TABLE, InDynamo, InPostgres, Kept
from tests.payments.storage.making import CAPTURE, accept, another, walk


def test_every_change_gets_into_the_chain_once_and_in_order(kept: Kept) -> None:
    store = kept.store
    chain = store.chain
    assert chain.extend() == []
    taken = accept(store, metadata={"note": "hidden"})
    walk(store, taken.payment_id)
    records = chain.extend()
    assert [(record.position, record.number, record.sequence, record.state) for record in records] == [
        (number, number, number, state) for number, state in enumerate((State.RECEIVED, *CAPTURE), start=1)
    ]
    assert records[0].previous_hash == GENESIS
    assert {record.day for record in records} == {kept.today().isoformat()}
    assert list(breaks(kept.today(), records, GENESIS)) == []
    payment = store.payments.load([taken.payment_id])[taken.payment_id]
    assert [datetime.fromisoformat(record.occurred_at) for record in records] == [change.occurred_at for change in payment.history]
    assert (records[0].payment_id, records[0].merchant, records[0].reference, records[0].amount) == (taken.payment_id, "default", "order 7", 1050)
    assert [record.processor for record in records] == [None, "sandbox", "sandbox", "sandbox"]
    texts = "".join(record.canonical() for record in records)
    assert "hidden" not in texts
    assert "tok_approve" not in texts
    assert chain.extend() == []


def test_the_chain_goes_on_where_it_was(kept: Kept) -> None:
    store = kept.store
    chain = store.chain
    for _ in range(5):
        another(store)
    first = chain.extend(limit=2)
    rest = chain.extend()
    assert [record.position for record in first + rest] == [1, 2, 3, 4, 5]
    assert list(breaks(kept.today(), first + rest, GENESIS)) == []


def test_batches_are_unwritten_until_they_are_said_to_be_written(kept: Kept) -> None:
    store, chain = kept.store, kept.store.chain
    walk(store, accept(store).payment_id)
    first = chain.extend(limit=3)
    rest = chain.extend()
    batches = chain.unwritten()
    assert [list(records_of(batch.text)) for batch in batches] == [first, rest]
    assert [(batch.day, batch.number, batch.size) for batch in batches] == [(kept.today(), 3, 3), (kept.today(), 4, 1)]
    assert chain.unwritten(limit=1) == batches[:1]
    chain.written(batches[:1])
    chain.written([])
    assert chain.unwritten() == batches[1:]
    chain.written(batches[:1])
    assert chain.unwritten() == batches[1:]
    chain.written(batches)
    assert chain.unwritten() == []


def test_a_batch_stays_as_it_is_whatever_comes_after_it(store: Store) -> None:
    chain = store.chain
    another(store)
    chain.extend()
    (before,) = chain.unwritten()
    another(store)
    chain.extend()
    assert chain.unwritten()[0] == before
    assert len(chain.unwritten()) == 2


def test_a_record_that_waits_by_itself_is_an_object_by_itself_in_postgres(in_postgres: InPostgres) -> None:
    """As the version before there were batches left it."""
    chain = in_postgres.store.chain
    walk(in_postgres.store, accept(in_postgres.store).payment_id)
    records = chain.extend()
    in_postgres.database.run("ALTER TABLE audit_records DISABLE TRIGGER USER")
    in_postgres.database.run("UPDATE audit_records SET batch = NULL")
    assert_each_is_written_by_itself(chain, records)


def test_a_record_that_waits_by_itself_is_an_object_by_itself_in_dynamo(in_dynamo: InDynamo) -> None:
    chain = in_dynamo.store.chain
    walk(in_dynamo.store, accept(in_dynamo.store).payment_id)
    records = chain.extend()
    for item in list(in_dynamo.items()):
        if item["sk"].startswith("batch#"):
            in_dynamo.table.delete_all([(item["pk"], item["sk"])])
        if "record" in item:
            alone = {**item, "due_shard": "record", "due_at": item["position"]}
            clients.client("dynamodb").put_item(TableName=TABLE, Item=encoded(alone))
    assert_each_is_written_by_itself(chain, records)


def assert_each_is_written_by_itself(chain: AuditChain, records: list[AuditRecord]) -> None:
    batches = chain.unwritten()
    assert [(batch.number, batch.size, batch.text) for batch in batches] == [(record.number, 1, record.canonical()) for record in records]
    assert chain.lag() > 0
    chain.written(batches[1:])
    assert chain.unwritten() == batches[:1]
    chain.written(batches)
    assert (chain.unwritten(), chain.lag()) == ([], 0)


def test_what_came_before_there_was_an_order_comes_first(in_postgres: InPostgres) -> None:
    store = in_postgres.store
    ids = [another(store) for _ in range(3)]
    in_postgres.database.run("UPDATE audit_queue SET place = NULL WHERE payment_id = %s", [ids[2]])
    assert [record.payment_id for record in store.chain.extend()] == [ids[2], ids[0], ids[1]]


def test_the_lag_is_the_age_of_the_oldest_change_that_is_not_written(kept: Kept) -> None:
    chain = kept.store.chain
    assert chain.lag() == 0
    another(kept.store)
    queued = chain.lag()
    assert 0 < queued < 60
    chain.extend()
    chained = chain.lag()
    assert queued < chained < 60
    another(kept.store)
    assert chained < chain.lag() < 60
    chain.written(chain.unwritten())
    assert chain.lag() < chained
    chain.extend()
    chain.written(chain.unwritten())
    assert chain.lag() == 0


def test_a_new_day_counts_from_one_and_is_linked_to_the_last_one(kept: Kept) -> None:
    store = kept.store
    another(store)
    before = kept.chained_on(kept.today() - timedelta(days=3))
    another(store)
    another(store)
    records = store.chain.extend()
    assert [(record.position, record.number, record.day) for record in records] == [(2, 1, str(kept.today())), (3, 2, str(kept.today()))]
    assert list(breaks(kept.today(), records, before.hash)) == []


def test_a_clock_that_goes_back_takes_no_day_back(kept: Kept) -> None:
    store = kept.store
    tomorrow = kept.today() + timedelta(days=1)
    another(store)
    before = kept.chained_on(tomorrow)
    another(store)
    (record,) = store.chain.extend()
    assert (record.position, record.number, record.day) == (2, 2, str(tomorrow))
    assert list(breaks(tomorrow, [before, record], GENESIS)) == []


def test_one_writer_at_a_time(store: Store) -> None:
    for _ in range(60):
        another(store)
    together = threading.Barrier(4)

    def extend(_: int) -> list[AuditRecord]:
        together.wait()
        return [record for _ in range(20) for record in store.chain.extend(limit=5)]

    with ThreadPoolExecutor(4) as pool:
        taken = [record for records in pool.map(extend, range(4)) for record in records]
    taken += store.chain.extend()
    taken.sort(key=lambda record: record.position)
    assert len(taken) == 60
    assert list(breaks(date.fromisoformat(taken[0].day), taken, GENESIS)) == []
    assert [record for batch in store.chain.unwritten(limit=60) for record in records_of(batch.text)] == taken


def test_moments_are_written_in_utc_with_microseconds(store: Store) -> None:
    another(store)
    (record,) = store.chain.extend()
    for text in (record.occurred_at, record.recorded_at):
        assert datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) <= datetime.now(UTC) + timedelta(minutes=1)
        assert len(text) == len("2026-01-01T00:00:00.000000Z")
