"""The worker that a function's settings stand for."""

from __future__ import annotations

from payments.assembly.projecting import projector_from
from payments.assembly.storing import store_from
from payments.messaging.dead_letters import SqsDeadLetters
from payments.processors.factory import processor_from
from payments.service.advancing import Advancing
from payments.service.working import Worker
from payments.settings import PaymentWorkerSettings
from payments.telemetry import Telemetry


def worker_from(settings: PaymentWorkerSettings, telemetry: Telemetry) -> Worker:
    """No client is made and no connection opened."""
    store = store_from(settings.place)
    return Worker(
        advancing=Advancing(payments=store.payments, processor=processor_from(settings), telemetry=telemetry),
        projector=projector_from(settings, store.outbox, telemetry),
        dead_letters=SqsDeadLetters(settings.dead_letter_queue_url),
        max_receives=settings.max_receives,
        telemetry=telemetry,
    )
