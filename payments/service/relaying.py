"""The relay: sends what a crash left behind, writes the audit chain to its bucket, and removes what is no longer needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payments.functions import Metric
from payments.messaging.work_queue import Work, WorkQueue
from payments.service.projecting import Projector
from payments.storage.audit_trail import S3AuditTrail
from payments.storage.store import AuditChain, IdempotencyKeys, Outbox
from payments.telemetry import Telemetry

MARGIN = 8.0
"""Seconds before the caller's end at which nothing new is begun; one bite of any task takes less."""

WORK_AGE = 5.0
"""Seconds that a unit of work is left to the request that wrote it."""

KEPT_SENT = 7 * 24 * 60 * 60
"""Seconds for which sent rows of the outbox are kept, for whoever has to find out what was sent when."""

_WORK_ROWS = 100
_STATE_ROWS = 100
_AUDIT_RECORDS = 200
_ROWS = 1000


class RelayError(RuntimeError):
    """Some of the relay's tasks failed; the others were done. The log has each cause."""


@dataclass(frozen=True, kw_only=True)
class Relay:
    """Does its tasks one after the other. Several relays may run at once: they share the rows, and the audit chain is one's at a time."""

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
        tasks: dict[str, tuple[Callable[[], int], int]] = {
            "work_sent": (self._send_work, _WORK_ROWS),
            "states_delivered": (self._deliver_states, _STATE_ROWS),
            "keys_recovered": (lambda: self.keys.recover(limit=_ROWS), _ROWS),
            "audit_chained": (lambda: len(self.chain.extend(limit=_AUDIT_RECORDS)), _AUDIT_RECORDS),
            "audit_written": (self._write_audit, _AUDIT_RECORDS),
            "keys_reaped": (lambda: self.keys.reap(limit=_ROWS), _ROWS),
            "outbox_reaped": (lambda: self.outbox.reap(older_than=KEPT_SENT, limit=_ROWS), _ROWS),
        }
        counts = dict.fromkeys(tasks, 0)
        failed: list[str] = []
        for name, (task, limit) in tasks.items():
            try:
                # A task that does less than it may has done all that there was, or cannot do the rest now.
                while remaining() > MARGIN:
                    done = task()
                    counts[name] += done
                    if done < limit:
                        break
            except Exception:
                # One task's failure holds up no other; it is raised at the end.
                self.telemetry.log.exception("task %s failed", name)
                failed.append(name)
        relayed = counts["work_sent"] + counts["states_delivered"]
        if relayed:
            self.telemetry.count(Metric.OUTBOX_RELAYED, relayed)
        self.telemetry.log.info("outbox relayed", counts=counts)
        if failed:
            raise RelayError(f"these tasks failed: {', '.join(failed)}; the next run tries them again, and the log has each cause")
        return counts

    def _send_work(self) -> int:
        with self.outbox.pending("work", older_than=WORK_AGE, limit=_WORK_ROWS) as claim:
            rows = list(claim)
            sent = self.queue.send_all([Work.model_validate(row.body) for row in rows]) if rows else []
            for row, done in zip(rows, sent, strict=True):
                if done:
                    claim.sent(row)
        return sum(sent)

    def _deliver_states(self) -> int:
        return self.projector.deliver(limit=_STATE_ROWS).sent

    def _write_audit(self) -> int:
        records = self.chain.unwritten(limit=_AUDIT_RECORDS)
        self.trail.write(records)
        self.chain.written(records)
        return len(records)
