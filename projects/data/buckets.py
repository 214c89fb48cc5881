"""The S3 buckets: documents, the audit log, and the access logs of both."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from projects.data import audit
from projects.data.settings import BucketSettings
from shared.component import Component
from shared.components.bucket import Bucket, BucketArgs, Transition, access_log_delivery, load_balancer_log_delivery
from shared.environment import Environment

DOCUMENTS = "documents"
ACCESS_LOGS = "access-logs"

# Logs are kept for the days that the page says: what has reached them is gone a day later, and not after as many days again.
_NONCURRENT_LOG_DAYS = 1


class Buckets(Component):
    """Produces the buckets `documents` and `audit`, and `access-logs`, which keeps who asked them for what (PCI DSS 10.2.1).

    Where there are containers, `access-logs` also keeps who asked their load balancer, below `load-balancer/`.

    Outputs: `documents`, `audit`, `access_logs`: the buckets.
    """

    documents: Bucket
    audit: Bucket
    access_logs: Bucket

    def __init__(
        self, name: str, environment: Environment, settings: BucketSettings, *, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        delivered = [access_log_delivery(environment, source=source, target=ACCESS_LOGS) for source in (DOCUMENTS, audit.BUCKET)]
        if environment.shape.compute == "containers":
            delivered.append(load_balancer_log_delivery(environment, target=ACCESS_LOGS))
        transitions = list(_transitions(settings))
        self.access_logs = logs = Bucket(
            ACCESS_LOGS,
            environment,
            BucketArgs(
                expire_days=settings.audit_days,
                noncurrent_days=_NONCURRENT_LOG_DAYS,
                # S3 and load balancers deliver no access logs to a bucket with SSE-KMS ("Enabling Amazon S3 server access logging";
                # "Enable access logs for your Application Load Balancer").
                key_arn=None,
                versioning=settings.versioning,
                transitions=transitions,
                statements=delivered,
            ),
            self.child(),
        )
        self.documents = Bucket(
            DOCUMENTS,
            environment,
            BucketArgs(expire_days=settings.expire_days, key_arn=key_arn, versioning=settings.versioning, transitions=transitions, logs_to=logs),
            self.child(),
        )
        self.audit = Bucket(
            audit.BUCKET,
            environment,
            BucketArgs(
                expire_days=settings.audit_days,
                noncurrent_days=_NONCURRENT_LOG_DAYS,
                key_arn=key_arn,
                versioning=settings.versioning,
                transitions=transitions,
                statements=audit.bucket_statements(environment),
                logs_to=logs,
            ),
            self.child(),
        )
        self.register_outputs({"documents": self.documents.name, "audit": self.audit.name})


def _transitions(settings: BucketSettings) -> Iterator[Transition]:
    if settings.intelligent_tiering_days is not None:
        yield Transition(days=settings.intelligent_tiering_days, storage_class="INTELLIGENT_TIERING")
    if settings.glacier_days is not None:
        yield Transition(days=settings.glacier_days, storage_class="GLACIER")
