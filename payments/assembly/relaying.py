"""The relay that a function's settings stand for."""

from __future__ import annotations

from payments.assembly.projecting import projector_from
from payments.messaging.work_queue import SqsWorkQueue
from payments.service.relaying import Relay
from payments.settings import OutboxRelaySettings
from payments.storage.audit_chain import AuditChain
from payments.storage.audit_trail import S3AuditTrail
from payments.storage.database import from_settings
from payments.storage.idempotency import IdempotencyKeys
from payments.storage.outbox import Outbox
from payments.telemetry import Telemetry


def relay_from(settings: OutboxRelaySettings, telemetry: Telemetry) -> Relay:
    """No client is made and no connection opened."""
    database = from_settings(settings.database)
    outbox = Outbox(database)
    return Relay(
        outbox=outbox,
        queue=SqsWorkQueue(settings.work_queue_url),
        projector=projector_from(settings, outbox, telemetry),
        keys=IdempotencyKeys(database),
        chain=AuditChain(database),
        trail=S3AuditTrail(settings.audit_bucket),
        telemetry=telemetry,
    )
