"""The worker: every payment of a batch by itself, from wherever it stands, and repetitions that change nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from payments.messaging.dead_letters import SqsDeadLetters
from payments.processors.base import Approved, Charge, Declined, Outcome, ProcessorRefused, ProcessorUnavailable
from payments.storage.postgres.database import DatabaseUnavailable
from payments.storage.postgres.payments import PostgresPayments
from tests.payments.scripted import Scripted, raising
from tests.payments.service import CORRELATION_ID, Service

UNKNOWN = json.dumps({"payment_id": "2b0a1f0e-7f5e-5c9b-9d0a-000000000000", "correlation_id": "c"})
CAPTURED = ["received", "submitted", "authorized", "captured"]


@pytest.fixture
def processor(service: Service, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    made.install(monkeypatch)
    return made


def metrics(text: str) -> dict[str, float]:
    """What was counted, by name."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if '"_aws"' in line:
            entry = json.loads(line)
            assert entry["stage"] == "dev"
            for name in (metric["Name"] for metric in entry["_aws"]["CloudWatchMetrics"][0]["Metrics"]):
                found[name] = found.get(name, 0) + sum(entry[name])
    return found


def test_a_payment_is_seen_through(service: Service, processor: Scripted, logged: Callable[[], str]) -> None:
    [made] = service.accepted("a")
    assert service.work(*service.taken()) == []
    assert service.states(made) == CAPTURED
    assert processor.asked == [f"{made}:authorize", f"{made}:capture"]
    assert processor.references == [f"reference of {made}"]
    assert service.rows("SELECT account, amount FROM ledger_entries ORDER BY amount") == [("merchant:a1b2c3d4e5", -1050), ("processor:sandbox", 1050)]
    assert metrics(logged()) == {"PaymentReceived": 1, "PaymentCaptured": 1}


@pytest.mark.parametrize(
    ("token", "states", "reason"),
    [
        ("tok_decline", ["received", "submitted", "declined"], "card_declined"),
        ("tok_invalid", ["received", "submitted", "failed"], "invalid_token"),
        ("tok_of_nobody", ["received", "submitted", "failed"], "unknown_token"),
    ],
)
def test_a_no_is_an_end(service: Service, logged: Callable[[], str], token: str, states: list[str], reason: str) -> None:
    [made] = service.accepted("a", payment_token=token)
    assert service.work(*service.taken()) == []
    assert service.states(made) == states
    assert service.rows("SELECT reason FROM payment_history ORDER BY sequence DESC LIMIT 1") == [(reason,)]
    assert service.rows("SELECT * FROM ledger_entries") == []
    assert metrics(logged())[{"declined": "PaymentDeclined", "failed": "PaymentFailed"}[states[-1]]] == 1


@pytest.mark.parametrize("answer", [lambda _: Declined("expired"), raising(ProcessorRefused("expired"))])
def test_a_capture_that_is_refused_fails_the_payment(service: Service, processor: Scripted, answer: Callable[[Charge], Outcome]) -> None:
    processor.answers["capture"] = answer
    [made] = service.accepted("a")
    assert service.work(*service.taken()) == []
    assert service.states(made) == ["received", "submitted", "authorized", "failed"]
    assert service.verify({"payment_id": made})[1]["history"][-1]["reason"] == "expired"


@pytest.mark.parametrize("operation", ["authorize", "capture"])
def test_no_answer_is_no_failure_and_the_message_comes_again(service: Service, processor: Scripted, logged: Callable[[], str], operation: Any) -> None:
    processor.answers[operation] = raising(ProcessorUnavailable("no answer in 5 s"))
    [made] = service.accepted("a")
    [message] = service.taken()
    assert service.work(message) == ["message-0"]
    assert service.states(made) == CAPTURED[: 2 if operation == "authorize" else 3]
    counted = metrics(logged())
    assert (counted["ProcessorUnavailable"], counted["MessageFailed"]) == (1, 1)
    del processor.answers[operation]
    assert service.work(message, receives=2) == []
    assert service.states(made) == CAPTURED
    assert len(set(processor.asked)) == 2


def test_one_payments_trouble_holds_up_no_other(service: Service, processor: Scripted) -> None:
    ids = service.accepted("a", "b", "c", "d")

    def by_payment(charge: Charge) -> Outcome:
        if charge.payment_id == ids[1]:
            raise ProcessorUnavailable("no answer")
        if charge.payment_id == ids[2]:
            raise KeyError("a mistake in an adapter")
        return Approved("reference") if charge.payment_id == ids[0] else Declined("no")

    processor.answers["authorize"] = by_payment
    assert service.work(*service.taken()) == ["message-1", "message-2"]
    assert [service.states(made)[-1] for made in ids] == ["captured", "submitted", "submitted", "declined"]


def test_a_batch_asks_the_processor_for_all_payments_at_once(service: Service, processor: Scripted) -> None:
    together = threading.Barrier(10, timeout=20)

    def wait(_: Charge) -> Outcome:
        together.wait()
        return Approved("reference")

    processor.answers["authorize"] = wait
    ids = service.accepted(*"abcdefghij")
    assert service.work(*service.taken()) == []
    assert {service.states(made)[-1] for made in ids} == {"captured"}


def test_a_batch_takes_the_database_as_few_calls_as_one_payment(service: Service, processor: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("load", "advance"):
        method = getattr(PostgresPayments, name)
        monkeypatch.setattr(PostgresPayments, name, lambda *args, name=name, method=method: (calls.append(name), method(*args))[1])
    service.accepted(*"abcdefghij")
    assert service.work(*service.taken()) == []
    assert calls == ["load", "advance", "advance", "advance"]


def test_a_repeated_message_is_no_error_and_changes_nothing(service: Service, processor: Scripted) -> None:
    [made] = service.accepted("a")
    [message] = service.taken()
    assert service.work(message, message) == []
    assert service.work(message) == []
    assert service.states(made) == CAPTURED
    assert len(processor.asked) == 2
    assert service.rows("SELECT count(*) FROM ledger_entries") == [(2,)]


def test_two_workers_at_once_charge_once_and_count_once(service: Service, processor: Scripted, logged: Callable[[], str]) -> None:
    ids = service.accepted("a", "b")
    messages = service.taken()
    meeting = threading.Barrier(2, timeout=20)

    def meet(_: Charge) -> Outcome:
        if len(processor.asked) <= 4:
            meeting.wait()
        return Approved("reference")

    processor.answers["authorize"] = meet
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(service.work(*messages))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[], []]
    assert [service.states(made) for made in ids] == [CAPTURED, CAPTURED]
    assert set(processor.asked) == {f"{made}:{operation}" for made in ids for operation in ("authorize", "capture")}
    assert service.rows("SELECT count(*), sum(amount) FROM ledger_entries") == [(4, 0)]
    assert metrics(logged())["PaymentCaptured"] == 2


@pytest.mark.parametrize("poison", ["", "{}", "[]", "null", "text", '{"payment_id": "../x", "correlation_id": "c"}', '{"payment_id": 7}'])
def test_what_is_no_work_is_set_aside_at_once_with_the_reason(service: Service, processor: Scripted, logged: Callable[[], str], poison: str) -> None:
    first, last = service.accepted("a", "b")
    before, after = service.taken()
    assert service.work(before, poison, after) == []
    assert service.dead() == [("not_work", "message-1", poison or "(empty)")]
    assert [service.states(made) for made in (first, last)] == [CAPTURED, CAPTURED]
    assert metrics(logged())["MessageDeadLettered"] == 1


def test_an_unknown_payment_is_set_aside_at_once(service: Service) -> None:
    assert service.work(UNKNOWN) == []
    assert service.dead() == [("unknown_payment", "message-0", UNKNOWN)]


def test_the_last_try_of_a_message_sets_it_aside_with_the_reason(service: Service, processor: Scripted) -> None:
    processor.answers["authorize"] = raising(ProcessorUnavailable("no answer"))
    [made] = service.accepted("a")
    [message] = service.taken()
    assert service.work(message, receives=4) == ["message-0"]
    assert service.dead() == []
    assert service.work(message, receives=5) == []
    assert service.dead() == [("processor_unavailable", "message-0", message)]
    del processor.answers["authorize"]
    assert service.work(message) == []
    assert service.states(made) == CAPTURED


def test_what_cannot_be_set_aside_comes_again(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]) -> None:
    def cut_off(*_: Any, **__: Any) -> None:
        raise ConnectionError("the queue cannot be reached")

    monkeypatch.setattr(SqsDeadLetters, "put", cut_off)
    assert service.work("x", UNKNOWN) == ["message-0", "message-1"]
    lines = [json.loads(line) for line in logged().splitlines() if '"_aws"' not in line]
    of_nothing, of_a_payment = [line for line in lines if line["message"] == "message not set aside"]
    assert "payment_id" not in of_nothing
    assert {name: of_a_payment[name] for name in ("payment_id", "correlation_id")} == json.loads(UNKNOWN)


@pytest.mark.parametrize("failure", [(DatabaseUnavailable("gone"), "database_unavailable"), (RuntimeError("a mistake"), "unexpected_error")])
@pytest.mark.parametrize("method", ["load", "advance"])
def test_where_the_database_fails_the_whole_batch_comes_again(
    service: Service, processor: Scripted, monkeypatch: pytest.MonkeyPatch, failure: tuple[Exception, str], method: str
) -> None:
    error, reason = failure

    def broken(*_: Any) -> None:
        raise error

    ids = service.accepted("a", "b")
    messages = service.taken()
    with monkeypatch.context() as patched:
        patched.setattr(PostgresPayments, method, broken)
        assert service.work(*messages) == ["message-0", "message-1"]
        assert service.work(*messages, receives=5) == []
    assert processor.asked == []
    assert [letter[0] for letter in service.dead()] == [reason, reason]
    assert service.work(*messages) == []
    assert [service.states(made) for made in ids] == [CAPTURED, CAPTURED]


def test_what_was_captured_is_counted_once_though_the_answer_was_lost(
    service: Service, processor: Scripted, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    """The connection breaks after the commit, or one of several steps fails after the others: who comes next finds the payments captured."""
    advance = PostgresPayments.advance

    def losing(payments: PostgresPayments, steps: Any) -> set[str]:
        moved = advance(payments, steps)
        if steps[0].after == "captured":
            raise DatabaseUnavailable("the connection broke")
        return moved

    service.accepted("a", "b")
    messages = service.taken()
    logged()
    with monkeypatch.context() as patched:
        patched.setattr(PostgresPayments, "advance", losing)
        assert service.work(*messages) == ["message-0", "message-1"]
    assert service.work(*messages) == []
    text = logged()
    assert metrics(text)["PaymentCaptured"] == 2
    assert text.count('"payment captured"') == 2


def test_what_was_not_moved_is_not_counted(service: Service, processor: Scripted, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]) -> None:
    def refusing(payments: PostgresPayments, steps: Any) -> set[str]:
        if steps[0].after == "captured":
            raise DatabaseUnavailable("the connection broke before anything was done")
        return advance(payments, steps)

    advance = PostgresPayments.advance
    service.accepted("a")
    [message] = service.taken()
    with monkeypatch.context() as patched:
        patched.setattr(PostgresPayments, "advance", refusing)
        assert service.work(message) == ["message-0"]
    assert "PaymentCaptured" not in metrics(logged())
    assert service.work(message) == []
    assert metrics(logged())["PaymentCaptured"] == 1


def test_nothing_new_is_begun_when_the_time_is_nearly_over(service: Service, processor: Scripted) -> None:
    [made] = service.accepted("a")
    assert service.work(*service.taken(), seconds=2) == ["message-0"]
    assert (processor.asked, service.states(made)) == ([], ["received"])


def test_another_processor_is_never_asked_about_a_payment_that_one_may_have_charged(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Scripted(answers={"authorize": raising(ProcessorUnavailable("no answer"))})
    silent.install(monkeypatch)
    [made] = service.accepted("a")
    [message] = service.taken()
    assert service.work(message) == ["message-0"]
    other = Scripted(name="stripe")
    other.install(monkeypatch)
    from payments.handlers import payment_worker

    payment_worker._worker.cache_clear()
    assert service.work(message, receives=5) == []
    assert other.asked == []
    assert service.states(made) == ["received", "submitted"]
    assert [letter[0] for letter in service.dead()] == ["processor_changed"]


def test_logs_are_found_by_the_requests_correlation_id(service: Service, processor: Scripted, logged: Callable[[], str]) -> None:
    processor.answers["capture"] = raising(ProcessorUnavailable("no answer"))
    [made] = service.accepted("a")
    logged()
    service.work(*service.taken())
    lines = [json.loads(line) for line in logged().splitlines() if '"_aws"' not in line]
    [unavailable] = [line for line in lines if line["message"].startswith("processor unavailable")]
    assert (unavailable["correlation_id"], unavailable["payment_id"], unavailable["state"]) == (CORRELATION_ID, made, "authorized")
    [handed_back] = [line for line in lines if line["message"] == "message handed back"]
    assert (handed_back["correlation_id"], handed_back["payment_id"]) == (CORRELATION_ID, made)
    assert (handed_back["message_id"], handed_back["receives"], handed_back["reason"]) == ("message-0", 1, "processor_unavailable")


def test_the_log_does_not_have_what_is_no_work(service: Service, logged: Callable[[], str]) -> None:
    service.work('{"payment_id": "what came in", "correlation_id": "c", "what else": 1}')
    text = logged()
    assert "what came in" not in text
    assert "what else" not in text
    assert '"fields": ["payment_id"]' in text


def test_a_missing_environment_variable_hands_the_messages_back_and_is_named(service: Service, monkeypatch: pytest.MonkeyPatch, logged: Any) -> None:
    service.accepted("a")
    messages = service.taken()
    monkeypatch.delenv("PAYMENT_EVENTS_TOPIC_ARN")
    assert service.work(*messages) == ["message-0"]
    text = logged()
    assert "PAYMENT_EVENTS_TOPIC_ARN: is missing" in text
    assert metrics(text)["MessageFailed"] == 1
