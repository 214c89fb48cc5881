"""Seeing payments through: from wherever each stands to a final state, asking the processor on the way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from payments.domain.payment import FINAL, Payment, State, Step
from payments.functions import Metric
from payments.processors.base import Approved, Charge, Outcome, Processor, ProcessorRefused, ProcessorUnavailable
from payments.storage.store import DatabaseUnavailable, Payments
from payments.telemetry import Telemetry

MARGIN = 15.0
"""Seconds before the caller's end at which nothing new is begun: about what one step takes at worst, with all its repetitions and time-outs."""

THREADS = 10
"""In which the processor is asked, for each caller: as many as SQS hands over in a batch."""

_LOOK = 8.0  # seconds that looking at payments takes at worst: a connection, and a statement that is given up

_METRICS = {State.CAPTURED: Metric.PAYMENT_CAPTURED, State.DECLINED: Metric.PAYMENT_DECLINED, State.FAILED: Metric.PAYMENT_FAILED}


class Setback(StrEnum):
    """Why a payment did not come to a final state: short codes, which logs and dead letters bear."""

    UNKNOWN_PAYMENT = "unknown_payment"
    """The database does not have it."""
    PROCESSOR_UNAVAILABLE = "processor_unavailable"
    """The processor was not reached, or it is not known what it did."""
    PROCESSOR_CHANGED = "processor_changed"
    """Another processor was asked before. Asking a second one might charge twice."""
    DATABASE_UNAVAILABLE = "database_unavailable"
    OUT_OF_TIME = "out_of_time"
    """The function's time was nearly over."""
    UNEXPECTED_ERROR = "unexpected_error"
    """The program is at fault; the log has the error."""


@dataclass
class _Round:
    """Payments that are still to be read, those on their way, and those that are stuck."""

    unread: set[str]
    moving: dict[str, Payment] = field(default_factory=dict[str, Payment])
    stuck: dict[str, Setback] = field(default_factory=dict[str, Setback])

    def unsettled(self) -> set[str]:
        """Those of which it is not decided yet whether they are done or stuck."""
        return self.unread | self.moving.keys()

    def stop(self, why: Setback) -> None:
        """All that are unsettled are stuck."""
        self.stuck |= dict.fromkeys(self.unsettled(), why)
        self.unread.clear()
        self.moving.clear()


class _Threads(threading.local):
    """The threads of each caller, which stay: an adapter's SDK keeps its connections by thread, and a new one to the processor costs two round trips.

    They end with their caller, or with the process. A process that was forked has none of its parent's threads, and so makes its own.
    """

    def __init__(self) -> None:
        self._process = 0

    @property
    def pool(self) -> ThreadPoolExecutor:
        """This caller's; a thread is started when all others are busy."""
        if self._process != os.getpid():
            self._process, self._pool = os.getpid(), ThreadPoolExecutor(THREADS, thread_name_prefix="step")
        return self._pool


@dataclass(frozen=True, kw_only=True)
class Advancing:
    """Moves payments by steps that are conditional on where each stands, so that any number of callers may do it at the same time.

    Each round is one step of every payment: the processor is asked for all at once, and one statement writes what came of it.
    """

    payments: Payments
    processor: Processor
    telemetry: Telemetry
    _threads: _Threads = field(default_factory=_Threads, init=False, repr=False, compare=False)

    def see_through(self, correlation_ids: Mapping[str, str], *, remaining: Callable[[], float]) -> dict[str, Setback]:
        """Moves the payments to their final states; those that did not come there, with the cause. All others are done.

        correlation_ids: by payment id, the request that logs and history are to name. remaining: seconds that are left.
        """
        batch = _Round(set(correlation_ids))
        try:
            self._run(batch, correlation_ids, remaining)
        except DatabaseUnavailable as error:
            self.telemetry.log.warning("payments not advanced: %s", error, payments=sorted(batch.unsettled()))
            batch.stop(Setback.DATABASE_UNAVAILABLE)
        except Exception:
            # The messages behind these payments come again.
            self.telemetry.log.exception("payments not advanced", payments=sorted(batch.unsettled()))
            batch.stop(Setback.UNEXPECTED_ERROR)
        return batch.stuck

    def _run(self, batch: _Round, correlation_ids: Mapping[str, str], remaining: Callable[[], float]) -> None:
        found = self.payments.load(correlation_ids)
        batch.unread.clear()
        batch.stuck |= dict.fromkeys(correlation_ids.keys() - found.keys(), Setback.UNKNOWN_PAYMENT)
        batch.moving = {name: payment for name, payment in found.items() if payment.state not in FINAL}
        # Ends: states only ever go on, and a payment that stays where it is leaves the round.
        while batch.moving:
            if remaining() < MARGIN:
                batch.stop(Setback.OUT_OF_TIME)
                return
            self._write(batch, self._asked(batch, correlation_ids), remaining)

    def _asked(self, batch: _Round, correlation_ids: Mapping[str, str]) -> list[Step]:
        """The next step of every payment; those that have none now are stuck."""
        calls = [(payment, correlation_ids[name]) for name, payment in batch.moving.items()]
        if all(payment.state is State.RECEIVED for payment, _ in calls):
            answers = [self._next(*call) for call in calls]
        else:
            answers = list(self._threads.pool.map(self._next, *zip(*calls, strict=True)))
        steps: list[Step] = []
        for (payment, _), answer in zip(calls, answers, strict=True):
            if isinstance(answer, Step):
                steps.append(answer)
            else:
                batch.stuck[payment.payment_id] = answer
                del batch.moving[payment.payment_id]
        return steps

    def _write(self, batch: _Round, steps: list[Step], remaining: Callable[[], float]) -> None:
        try:
            advanced = self.payments.advance(steps)
        except Exception:
            if remaining() > _LOOK:
                self._note_made(steps)
            raise
        lost = [step.payment_id for step in steps if step.payment_id not in advanced]
        # Somebody else moved these in the meantime; they go on from where they are.
        elsewhere = self.payments.load(lost) if lost else {}
        for step in steps:
            name = step.payment_id
            if name in advanced:
                self._noted(step)
                batch.moving[name] = _moved(batch.moving[name], step)
            else:
                batch.moving[name] = elsewhere[name]
            if batch.moving[name].state in FINAL:
                del batch.moving[name]

    def _note_made(self, steps: list[Step]) -> None:
        """Notes those steps that were made though an exception was raised: whoever has these payments next finds them where they are, and notes nothing.

        Where even that cannot be found out, they are missing from the metrics; the database and the log of states have them.
        """
        try:
            found = self.payments.load([step.payment_id for step in steps])
        except DatabaseUnavailable:
            return
        for step in steps:
            payment = found.get(step.payment_id)
            if payment and any((change.state, change.correlation_id) == (step.after, step.correlation_id) for change in payment.history):
                self._noted(step)

    def _noted(self, step: Step) -> None:
        if metric := _METRICS.get(step.after):
            self.telemetry.count(metric)
            about: dict[str, Any] = {"reason": step.reason} if step.reason else {}
            self.telemetry.log.info("payment %s", step.after, payment_id=step.payment_id, correlation_id=step.correlation_id, **about)

    def _next(self, payment: Payment, correlation_id: str) -> Step | Setback:
        about: dict[str, Any] = {"payment_id": payment.payment_id, "state": payment.state, "correlation_id": correlation_id}
        if payment.processor not in {None, self.processor.name}:
            self.telemetry.log.error("payment belongs to another processor, %s: let this function use that one", payment.processor, **about)
            return Setback.PROCESSOR_CHANGED
        try:
            with self.telemetry.span("step", payment_id=payment.payment_id, state=payment.state):
                after, reason, reference = self._result(payment)
        except ProcessorUnavailable as error:
            self.telemetry.count(Metric.PROCESSOR_UNAVAILABLE)
            self.telemetry.log.warning("processor unavailable: %s", error, **about)
            return Setback.PROCESSOR_UNAVAILABLE
        except Exception:
            # One payment's failure holds up no other.
            self.telemetry.log.exception("step failed", **about)
            return Setback.UNEXPECTED_ERROR
        return Step(
            payment_id=payment.payment_id,
            before=payment.state,
            after=after,
            correlation_id=correlation_id,
            reason=reason,
            processor=self.processor.name,
            processor_reference=reference,
        )

    def _result(self, payment: Payment) -> tuple[State, str | None, str | None]:
        """The next state, why (where the answer was no), and the processor's name for the payment (where it gave one)."""
        if payment.state is State.RECEIVED:
            return State.SUBMITTED, None, None
        try:
            if payment.state is State.SUBMITTED:
                return _authorized(self.processor.authorize(_charge(payment)))
            if payment.processor_reference is None:
                raise ValueError(f"payment {payment.payment_id} is {payment.state} without a processor reference, so nothing can be captured")
            return _captured(self.processor.capture(_charge(payment), payment.processor_reference))
        except ProcessorRefused as refused:
            return State.FAILED, refused.code, None


def _authorized(outcome: Outcome) -> tuple[State, str | None, str | None]:
    if isinstance(outcome, Approved):
        return State.AUTHORIZED, None, outcome.reference
    return State.DECLINED, outcome.code, None


def _captured(outcome: Outcome) -> tuple[State, str | None, str | None]:
    # The name that the processor has for the payment is the authorization's: it stays.
    return (State.CAPTURED, None, None) if isinstance(outcome, Approved) else (State.FAILED, outcome.code, None)


def _charge(payment: Payment) -> Charge:
    return Charge(
        payment_id=payment.payment_id,
        amount=payment.amount,
        currency=payment.currency,
        payment_token=payment.payment_token,
        merchant=payment.merchant,
        reference=payment.reference,
        since=next((change.occurred_at for change in payment.history if change.state is State.SUBMITTED), None),
    )


def _moved(payment: Payment, step: Step) -> Payment:
    return replace(
        payment,
        state=step.after,
        processor=step.processor or payment.processor,
        processor_reference=step.processor_reference or payment.processor_reference,
    )
