"""The projector that a function's settings stand for."""

from __future__ import annotations

from payments.messaging.events import SnsPaymentEvents
from payments.service.projecting import Projector
from payments.settings import ProjectionSettings
from payments.storage.receipts import S3Receipts
from payments.storage.sessions import DynamoSessions
from payments.storage.store import Outbox
from payments.storage.transaction_log import DynamoTransactionLog
from payments.telemetry import Telemetry


def projector_from(settings: ProjectionSettings, outbox: Outbox, telemetry: Telemetry) -> Projector:
    """No client is made and no connection opened."""
    return Projector(
        outbox=outbox,
        log=DynamoTransactionLog(settings.transaction_log_table),
        sessions=DynamoSessions(settings.sessions_table),
        receipts=S3Receipts(settings.documents_bucket),
        events=SnsPaymentEvents(settings.payment_events_topic_arn),
        telemetry=telemetry,
    )
