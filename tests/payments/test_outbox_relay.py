"""The relay: what a crash left behind is sent, the audit chain is written, and what is no longer needed goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from payments.functions import OUTBOX_RELAY
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import relaying
from payments.service.auditing import verify
from payments.service.relaying import Relay, RelayError
from payments.storage.audit_trail import S3AuditTrail
from payments.storage.postgres.database import from_settings
from payments.storage.postgres.idempotency import PostgresIdempotencyKeys
from tests.payments.service import CORRELATION_ID, Service, context, invoke, scheduled_event

NOTHING = {
    "work_sent": 0,
    "states_delivered": 0,
    "keys_recovered": 0,
    "audit_chained": 0,
    "audit_written": 0,
    "keys_reaped": 0,
    "outbox_reaped": 0,
}


def cut_off(*_: Any) -> None:
    raise ConnectionError("cannot be reached")


@pytest.fixture
def abandoned(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Payments whose requests stopped right after the commit."""
    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        made = service.accepted("a", "b")
    assert service.taken() == []
    return made


def today() -> date:
    return datetime.now(UTC).date()


def aged(service: Service, seconds: int = 10) -> None:
    """Everything in the outbox was written so long ago."""
    from_settings(service.database).run("UPDATE outbox SET created_at = created_at - %s * interval '1 second'", (seconds,))


def test_where_nothing_is_left_nothing_happens(service: Service) -> None:
    assert service.relay() == NOTHING


def test_work_that_was_not_handed_over_is_sent(service: Service, abandoned: list[str], logged: Callable[[], str]) -> None:
    aged(service)
    counts = service.relay()
    assert (counts["work_sent"], counts["states_delivered"]) == (2, 2)
    messages = [json.loads(body) for body in service.taken()]
    assert messages == [{"payment_id": made, "correlation_id": CORRELATION_ID} for made in abandoned]
    assert service.rows("SELECT DISTINCT recovery_point FROM idempotency_keys") == [("work_queued",)]
    assert service.relay()["work_sent"] == 0
    assert service.taken() == []
    assert '"OutboxRelayed":[4.0]' in logged().replace(" ", "")


def test_work_is_left_to_its_request_for_a_moment(service: Service, abandoned: list[str]) -> None:
    assert service.relay()["work_sent"] == 0
    assert service.taken() == []


def test_what_was_relayed_is_seen_through(service: Service, abandoned: list[str]) -> None:
    aged(service)
    service.relay()
    assert service.work(*service.taken()) == []
    assert {service.states(made)[-1] for made in abandoned} == {"captured"}
    assert service.rows("SELECT DISTINCT recovery_point FROM idempotency_keys") == [("completed",)]


def test_what_the_queue_does_not_take_is_sent_another_time(service: Service, abandoned: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    aged(service)
    send = SqsWorkQueue.send_all
    with monkeypatch.context() as patched:
        patched.setattr(SqsWorkQueue, "send_all", lambda queue, works, on_time: [False, *send(queue, works[1:], on_time)])
        assert service.relay()["work_sent"] == 1
    assert service.relay()["work_sent"] == 1
    assert {json.loads(body)["payment_id"] for body in service.taken()} == set(abandoned)


def test_more_than_a_batch_is_sent_in_one_run(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "_WORK_ROWS", 12)
    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send", cut_off)
        made = service.accepted(*(f"k{number}" for number in range(25)))
    aged(service)
    assert service.relay()["work_sent"] == 25
    assert {json.loads(body)["payment_id"] for body in service.taken()} == set(made)


def test_the_audit_chain_is_written_once(service: Service) -> None:
    [made] = service.accepted("a")
    service.work(*service.taken())
    counts = service.relay()
    assert (counts["audit_chained"], counts["audit_written"]) == (4, 4)
    assert [key[-14:] for key in S3AuditTrail(service.audit).keys(today())] == ["000000004.json"]
    records = service.audited()
    assert [(record.payment_id, record.state) for record in records] == [(made, state) for state in ("received", "submitted", "authorized", "captured")]
    assert service.relay() == NOTHING
    service.accepted("b")
    assert service.relay()["audit_written"] == 1
    assert [key[-14:] for key in S3AuditTrail(service.audit).keys(today())] == ["000000004.json", "000000005.json"]
    assert service.audited()[:4] == records


def test_audit_records_that_were_written_and_not_noted_stay_as_they_are(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    with monkeypatch.context() as crashed:
        crashed.setattr("payments.storage.postgres.audit_chain.PostgresAuditChain.written", cut_off)
        with pytest.raises(RelayError, match="audit_written"):
            service.relay()
    before = service.audited()
    assert len(before) == 1
    # What came meanwhile is an object of its own.
    service.accepted("b")
    assert service.relay()["audit_written"] == 2
    assert service.audited()[:1] == before
    assert verify(today(), S3AuditTrail(service.audit)).intact


def test_one_tasks_failure_holds_up_no_other_and_is_raised_in_the_end(
    service: Service, abandoned: list[str], monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    aged(service)
    with monkeypatch.context() as broken:
        broken.setattr(SqsWorkQueue, "send_all", cut_off)
        broken.setattr(S3AuditTrail, "write", cut_off)
        with pytest.raises(RelayError, match="work_sent, audit_written"):
            service.relay()
    assert len(service.items()) == 2
    assert "cannot be reached" in logged()
    counts = service.relay()
    assert (counts["work_sent"], counts["audit_written"]) == (2, 2)


def test_nothing_new_is_begun_when_the_time_is_nearly_over(service: Service, abandoned: list[str]) -> None:
    aged(service)
    assert service.relay(seconds=7) == NOTHING
    assert service.taken() == []


def test_keys_go_after_three_days_when_their_payments_are_done(service: Service) -> None:
    service.accepted("done")
    service.work(*service.taken())
    service.accepted("waiting")
    service.rows("UPDATE idempotency_keys SET created_at = created_at - interval '71 hours'")
    assert service.relay()["keys_reaped"] == 0
    service.rows("UPDATE idempotency_keys SET created_at = created_at - interval '2 hours'")
    assert service.relay()["keys_reaped"] == 1
    assert service.rows("SELECT key FROM idempotency_keys") == [("waiting",)]


def test_keys_whose_payment_went_on_another_way_are_brought_there(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.accepted("a")
    service.work(*service.taken())
    service.rows("UPDATE idempotency_keys SET recovery_point = 'payment_created', created_at = created_at - interval '1 hour'")
    assert service.relay()["keys_recovered"] == 1
    assert service.rows("SELECT recovery_point FROM idempotency_keys") == [("completed",)]


def test_sent_rows_go_after_a_week(service: Service) -> None:
    service.accepted("a")
    service.work(*service.taken())
    service.rows("UPDATE outbox SET sent_at = sent_at - interval '8 days' WHERE kind = 'work'")
    assert service.relay()["outbox_reaped"] == 1
    assert service.rows("SELECT DISTINCT kind FROM outbox") == [("state",)]


def test_two_relays_at_once_send_once(service: Service, abandoned: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    aged(service)
    send = SqsWorkQueue.send_all
    others: list[dict[str, int]] = []

    def overtaken(queue: SqsWorkQueue, works: list[Any], on_time: Callable[[], bool]) -> list[bool]:
        monkeypatch.setattr(SqsWorkQueue, "send_all", send)
        thread = threading.Thread(target=lambda: others.append(service.relay()))
        thread.start()
        thread.join()
        return send(queue, works, on_time)

    monkeypatch.setattr(SqsWorkQueue, "send_all", overtaken)
    counts = service.relay()
    assert counts["work_sent"] + others[0]["work_sent"] == 2
    assert len(service.taken()) == 2
    assert counts["audit_written"] + others[0]["audit_written"] == len(service.audited()) == 2


def test_a_task_with_more_than_there_is_time_for_keeps_none_from_its_own(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bite takes a second of the time here; there is more to chain than the run has seconds."""
    service.accepted("done")
    service.work(*service.taken())
    service.rows("UPDATE idempotency_keys SET created_at = created_at - interval '4 days'")
    service.rows("UPDATE outbox SET sent_at = sent_at - interval '8 days'")
    service.accepted(*(f"k{number}" for number in range(12)))
    monkeypatch.setattr(relaying, "_AUDIT_RECORDS", 1)
    left = [relaying.MARGIN + 9.5]
    bite = Relay._bite

    def slow(relay: Relay, *about: Any) -> bool:
        left[0] -= 1.0
        return bite(relay, *about)

    monkeypatch.setattr(Relay, "_bite", slow)
    about = context()
    vars(about)["get_remaining_time_in_millis"] = lambda: int(left[0] * 1000)
    counts = invoke(OUTBOX_RELAY, scheduled_event(), about)
    assert (counts["audit_chained"], counts["audit_written"], counts["keys_reaped"]) == (3, 2, 1)
    assert counts["outbox_reaped"] > 0


def metric(text: str, name: str) -> list[float]:
    return [value for line in text.splitlines() if f'"{name}":[' in line for value in json.loads(line)[name]]


def test_the_age_of_what_the_audit_bucket_does_not_have_is_told_after_each_run(
    service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    service.relay()
    assert metric(logged(), "AuditLag") == [0.0]
    service.accepted("a")
    with monkeypatch.context() as broken:
        broken.setattr(S3AuditTrail, "write", cut_off)
        with pytest.raises(RelayError, match="audit_written"):
            service.relay()
    [behind] = metric(logged(), "AuditLag")
    assert 0 < behind < 60
    service.relay()
    assert metric(logged(), "AuditLag") == [0.0]


def test_the_limits_of_a_task_are_what_a_bite_is(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def noted(_: PostgresIdempotencyKeys, *, limit: int) -> int:
        asked.append(limit)
        return limit if len(asked) < 3 else 0

    monkeypatch.setattr(PostgresIdempotencyKeys, "reap", noted)
    assert service.relay()["keys_reaped"] == 2 * asked[0]
    assert len(asked) == 3
