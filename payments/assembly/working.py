"""The worker that a function's settings stand for."""

from __future__ import annotations

from payments.assembly.projecting import projector_from
from payments.messaging.dead_letters import SqsDeadLetters
from payments.processors.factory import processor_from
from payments.service.advancing import Advancing
from payments.service.working import Worker
from payments.settings import PaymentWorkerSettings
from payments.storage.database import from_settings
from payments.storage.outbox import Outbox
from payments.storage.payments import Payments
from payments.telemetry import Telemetry


def worker_from(settings: PaymentWorkerSettings, telemetry: Telemetry) -> Worker:
    """No client is made and no connection opened."""
    database = from_settings(settings.database)
    return Worker(
        advancing=Advancing(payments=Payments(database), processor=processor_from(settings), telemetry=telemetry),
        projector=projector_from(settings, Outbox(database), telemetry),
        dead_letters=SqsDeadLetters(settings.dead_letter_queue_url),
        max_receives=settings.max_receives,
        telemetry=telemetry,
    )
