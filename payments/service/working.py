"""The worker behind the work queue: sees the payments of a batch of messages through, and sets aside what cannot be worked on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from payments.clients import CALL_SECONDS
from payments.functions import Metric
from payments.messaging.dead_letters import DeadLetters
from payments.messaging.work_queue import Work
from payments.service.advancing import Advancing, Setback
from payments.service.projecting import Projector
from payments.telemetry import Telemetry

NOT_WORK = "not_work"
"""Reason of a dead letter that is no unit of work at all."""


@dataclass(frozen=True)
class Message:
    """A message as the queue handed it over.

    receives: how often it was handed over, this time included.
    """

    id: str
    body: str
    receives: int


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Works on batches of messages; any number of workers may be given the same one.

    max_receives: a message that was handed over so often is set aside when it fails once more.
    """

    advancing: Advancing
    projector: Projector
    dead_letters: DeadLetters
    max_receives: int
    telemetry: Telemetry

    def work(self, messages: Sequence[Message], *, remaining: Callable[[], float] = lambda: math.inf) -> list[str]:
        """Works on a batch; the ids of the messages that are to come again. All others are done with, and may be deleted.

        remaining: seconds that are left.
        """
        works, failures = self._read(messages)
        correlation_ids = {work.payment_id: work.correlation_id for _, work in works}
        if correlation_ids:
            stuck = self.advancing.see_through(correlation_ids, remaining=remaining)
            self._tell(correlation_ids, remaining)
            failures += [(message, stuck[work.payment_id]) for message, work in works if work.payment_id in stuck]
        known = {message.id: work for message, work in works}
        return [message.id for message, reason in failures if not self._set_aside(message, reason, known.get(message.id), remaining)]

    def _read(self, messages: Iterable[Message]) -> tuple[list[tuple[Message, Work]], list[tuple[Message, str]]]:
        """The units of work, and the messages that are none."""
        works: list[tuple[Message, Work]] = []
        failures: list[tuple[Message, str]] = []
        for message in messages:
            try:
                works.append((message, Work.model_validate_json(message.body)))
            except ValidationError as error:
                # Neither content nor names of fields that were sent: only which of ours are wrong.
                fields = sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]} & Work.model_fields.keys())
                self.telemetry.log.warning("message is not a unit of work", message_id=message.id, fields=fields)
                failures.append((message, NOT_WORK))
        return works, failures

    def _tell(self, correlation_ids: Mapping[str, str], remaining: Callable[[], float]) -> None:
        try:
            self.projector.deliver(payment_ids=correlation_ids, remaining=remaining)
        except Exception as error:
            # The outbox keeps the rows and the relay sends them: no reason to work on the payments again.
            for payment_id, correlation_id in correlation_ids.items():
                about: dict[str, Any] = {"payment_id": payment_id, "correlation_id": correlation_id}
                self.telemetry.log.warning("states not delivered, left to the relay", exc_info=error, **about)

    def _set_aside(self, message: Message, reason: str, work: Work | None, remaining: Callable[[], float]) -> bool:
        """Whether the message is in the dead-letter queue now; otherwise it has to come again."""
        about: dict[str, Any] = {"message_id": message.id, "receives": message.receives, "reason": str(reason), **(work.model_dump() if work else {})}
        last = reason in {NOT_WORK, Setback.UNKNOWN_PAYMENT} or message.receives >= self.max_receives
        if last and remaining() > CALL_SECONDS:
            try:
                self.dead_letters.put(message.body, reason=str(reason), source_message_id=message.id)
            except Exception:
                # Then the queue's own redrive policy is what sets it aside.
                self.telemetry.log.exception("message not set aside", **about)
            else:
                self.telemetry.count(Metric.MESSAGE_DEAD_LETTERED)
                self.telemetry.log.error("message set aside", **about)
                return True
        self.telemetry.count(Metric.MESSAGE_FAILED)
        self.telemetry.log.warning("message handed back", **about)
        return False
