"""The relay that a function's settings stand for."""

from __future__ import annotations

from payments.assembly.projecting import projector_from
from payments.assembly.storing import store_from
from payments.messaging.work_queue import SqsWorkQueue
from payments.service.relaying import Relay
from payments.settings import OutboxRelaySettings
from payments.storage.audit_trail import S3AuditTrail
from payments.telemetry import Telemetry


def relay_from(settings: OutboxRelaySettings, telemetry: Telemetry) -> Relay:
    """No client is made and no connection opened."""
    store = store_from(settings.place)
    return Relay(
        outbox=store.outbox,
        queue=SqsWorkQueue(settings.work_queue_url),
        projector=projector_from(settings, store.outbox, telemetry),
        keys=store.keys,
        chain=store.chain,
        trail=S3AuditTrail(settings.audit_bucket),
        telemetry=telemetry,
    )
