"""The relay: sends what a crash left behind, writes the audit chain to its bucket, and removes what is no longer needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payments.functions import Metric
from payments.messaging.work_queue import Work, WorkQueue
from payments.service import projecting
from payments.service.projecting import Projector
from payments.storage.audit_trail import S3AuditTrail
from payments.storage.store import AuditChain, IdempotencyKeys, Outbox
from payments.telemetry import Telemetry

MARGIN = projecting.MARGIN + 1.0
"""Seconds before the caller's end at which nothing new is begun. One bite of any task takes less: it ends with the first call that hangs, and then
lets go of what it holds."""

WORK_AGE = 5.0
"""Seconds that a unit of work is left to the request that wrote it."""

KEPT_SENT = 7 * 24 * 60 * 60
"""Seconds for which sent rows of the outbox are kept, for whoever has to find out what was sent when."""

_WORK_ROWS = 100
_STATE_ROWS = 100
_AUDIT_RECORDS = 2000
_ROWS = 1000
_KEYS = 500


class RelayError(RuntimeError):
    """Some of the relay's tasks failed; the others were done. The log has each cause."""


@dataclass(frozen=True, kw_only=True)
class Relay:
    """Does its tasks in turn, a bite of each. Several relays may run at once: they share the rows, and the audit chain is one's at a time."""

    outbox: Outbox
    queue: WorkQueue
    projector: Projector
    keys: IdempotencyKeys
    chain: AuditChain
    trail: S3AuditTrail
    telemetry: Telemetry

    def run(self, *, remaining: Callable[[], float]) -> dict[str, int]:
        """Goes on until nothing is left or the time is nearly over; by task, how many rows, keys or records.

        remaining: seconds that are left. Raises RelayError where a task failed, after all of them.
        """

        def on_time() -> bool:
            return remaining() > MARGIN

        tasks: dict[str, tuple[Callable[[], int], int]] = {
            "work_sent": (lambda: self._send_work(on_time), _WORK_ROWS),
            "states_delivered": (lambda: self.projector.deliver(limit=_STATE_ROWS, remaining=remaining).sent, _STATE_ROWS),
            "keys_recovered": (lambda: self.keys.recover(limit=_KEYS), _KEYS),
            # Any number of records may be one bite.
            "audit_chained": (lambda: len(self.chain.extend(limit=_AUDIT_RECORDS)), 1),
            "audit_written": (lambda: self._write_audit(on_time), 1),
            "keys_reaped": (lambda: self.keys.reap(limit=_ROWS), _ROWS),
            "outbox_reaped": (lambda: self.outbox.reap(older_than=KEPT_SENT, limit=_ROWS), _ROWS),
        }
        counts = dict.fromkeys(tasks, 0)
        failed: list[str] = []
        # One bite of each in turn, so that a task with much to do keeps none from its own.
        going = list(tasks)
        while going and on_time():
            going = [name for name in going if on_time() and self._bite(name, *tasks[name], counts, failed)]
        self._tell(counts, failed)
        if failed:
            raise RelayError(f"these tasks failed: {', '.join(failed)}; the next run tries them again, and the log has each cause")
        return counts

    def _bite(self, name: str, task: Callable[[], int], least: int, counts: dict[str, int], failed: list[str]) -> bool:
        """Whether the task may have more to do. One that does less than `least` has done all that there was, or cannot do the rest now."""
        try:
            done = task()
        except Exception:
            # One task's failure holds up no other; it is raised at the end.
            self.telemetry.log.exception("task %s failed", name)
            failed.append(name)
            return False
        counts[name] += done
        return done >= least

    def _tell(self, counts: dict[str, int], failed: list[str]) -> None:
        relayed = counts["work_sent"] + counts["states_delivered"]
        if relayed:
            self.telemetry.count(Metric.OUTBOX_RELAYED, relayed)
        self.telemetry.log.info("outbox relayed", counts=counts)
        try:
            self.telemetry.measure(Metric.AUDIT_LAG, self.chain.lag())
        except Exception:
            self.telemetry.log.exception("task %s failed", "audit_measured")
            failed.append("audit_measured")

    def _send_work(self, on_time: Callable[[], bool]) -> int:
        with self.outbox.pending("work", older_than=WORK_AGE, limit=_WORK_ROWS) as claim:
            rows = list(claim)
            sent = self.queue.send_all([Work.model_validate(row.body) for row in rows], on_time) if rows else []
            for row, done in zip(rows, sent, strict=True):
                if done:
                    claim.sent(row)
        return sum(sent)

    def _write_audit(self, on_time: Callable[[], bool]) -> int:
        batches = self.chain.unwritten()
        if not on_time():
            return 0
        self.trail.write(batches)
        self.chain.written(batches)
        return sum(batch.size for batch in batches)
