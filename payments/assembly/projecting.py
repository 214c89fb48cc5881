"""The projector that a function's settings stand for."""

from __future__ import annotations

from payments.messaging.events import SnsPaymentEvents
from payments.service.projecting import Projector
from payments.settings import ProjectionSettings
from payments.storage.receipts import S3Receipts
from payments.storage.sessions import Sessions
from payments.storage.store import Outbox
from payments.storage.transaction_log import DynamoTransactionLog
from payments.telemetry import Telemetry


def projector_from(settings: ProjectionSettings, outbox: Outbox, telemetry: Telemetry) -> Projector:
    """No client is made and no connection opened."""
    return Projector(
        outbox=outbox,
        log=DynamoTransactionLog(settings.transaction_log_table),
        sessions=_sessions(settings),
        receipts=S3Receipts(settings.documents_bucket),
        events=SnsPaymentEvents(settings.payment_events_topic_arn),
        telemetry=telemetry,
        source=settings.api_url,
    )


def _sessions(settings: ProjectionSettings) -> Sessions:
    """Their table, or the cache where there is no table."""
    if settings.sessions_table is not None:
        from payments.storage.sessions import DynamoSessions

        return DynamoSessions(settings.sessions_table)
    from payments.storage.redis_sessions import RedisSessions, url_in

    url, secret = settings.cache_url, settings.cache_secret_arn
    return RedisSessions(lambda: url or url_in(str(secret)), stage=settings.stage)
