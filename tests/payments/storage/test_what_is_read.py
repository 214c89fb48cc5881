"""What the relay looks for costs it what it finds, however much there is beside that, and whenever the server made its plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from payments.storage.postgres.audit_chain import PostgresAuditChain
from payments.storage.postgres.database import Database
from payments.storage.postgres.idempotency import PostgresIdempotencyKeys

DONE, OPEN, BITE = 4000, 50, 50

_FILL = """
INSERT INTO payments (payment_id, merchant, amount, currency, payment_token, reference, metadata, state, sequence, changed_at)
    SELECT gen_random_uuid(), 'default', 1050, 'EUR', 'token', number, '{}', 'received', 1, now() - number * interval '1 second'
    FROM generate_series(1, %(number)s) AS number;
"""


class Reader:
    """A database with many payments that are done, and some that are not; and how many rows of each table a call reads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.keys = PostgresIdempotencyKeys(database)
        self.chain = PostgresAuditChain(database)

    def fill(self) -> None:
        run = self.database.run
        run(_FILL, {"number": DONE + OPEN})
        run("INSERT INTO payment_history (payment_id, sequence, state, occurred_at, correlation_id) SELECT payment_id, 1, state, changed_at, 'c' FROM payments")
        run("""
            INSERT INTO idempotency_keys (merchant, key, digest, payment_id, answer, created_at, recovery_point)
            SELECT merchant, reference, '', payment_id, '', changed_at - interval '1 hour',
                CASE WHEN reference::int > %s THEN 'work_queued' ELSE 'completed' END
            FROM payments
        """, [DONE])  # fmt: skip
        run("INSERT INTO audit_queue (payment_id, sequence) SELECT payment_id, sequence FROM payment_history")

    def asked(self) -> None:
        """Everything is asked for, so that the server has its plans."""
        for _ in range(2):
            self.keys.recover()
            self.chain.extend()
            self.chain.unwritten()
            self.chain.lag()

    def rows(self, call: Callable[[], object]) -> dict[str, int]:
        with self.database.transaction() as connection:
            before = dict(connection.execute("SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables").fetchall())
            call()
            after = connection.execute("SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables").fetchall()
        return {table: count - before[table] for table, count in after if count is not None and count > before[table]}


@pytest.fixture(params=["plans made while empty", "plans made when full", "plans made after it was analyzed"])
def reader(request: pytest.FixtureRequest, database: Database) -> Reader:
    made = Reader(database)
    database.run("SET plan_cache_mode = force_generic_plan")
    if "empty" in request.param:
        made.asked()
    made.fill()
    if "analyzed" in request.param:
        database.run("ANALYZE")
    return made


def test_of_the_keys_only_those_are_read_that_are_not_completed(reader: Reader) -> None:
    read = reader.rows(reader.keys.recover)
    assert read["payments"] == OPEN
    assert read["idempotency_keys"] <= 2 * OPEN


def test_a_bite_of_the_audit_queue_costs_the_bite(reader: Reader) -> None:
    for _ in range(3):
        read = reader.rows(lambda: reader.chain.extend(limit=BITE))
        assert read.keys() <= {"audit_queue", "audit_records", "payment_history", "payments"}
        assert max(read.values()) <= 4 * BITE


def test_of_the_records_only_those_are_read_that_are_not_written(reader: Reader) -> None:
    for _ in range(DONE // 1000):
        reader.chain.extend(limit=1000)
        reader.chain.written(reader.chain.unwritten())
    reader.chain.extend(limit=BITE)
    read = reader.rows(reader.chain.unwritten)
    assert set(read) == {"audit_records"}
    assert read["audit_records"] <= 2 * BITE
    assert max(reader.rows(reader.chain.lag).values()) <= 2
    (batch,) = reader.chain.unwritten()
    assert reader.rows(lambda: reader.chain.written([batch]))["audit_records"] <= 2 * BITE
