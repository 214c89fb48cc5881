"""The functions that the infrastructure deploys, as plain data: nothing is imported that a deployment program does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

PYTHON_VERSION = "3.13"
"""The Python of the Lambda runtime, for which packages are made."""

RUNTIME = f"python{PYTHON_VERSION}"
"""Lambda's name for that runtime."""

ARCHITECTURE = "arm64"
"""Lambda's name for the processor for which packages are made."""

SHORTEST_RUN = 20
"""Seconds that a run of the worker or of the relay has to have at least, and a container for its end. Both begin nothing new for the last of them, so that
what was begun ends in time (MARGIN in payments/service/advancing.py and relaying.py): with less than that no payment would ever be made, and no error told."""

METRIC_NAMESPACE = "Payments"
"""CloudWatch namespace of all that the functions emit. Dimensions: `service` (the function's name) and `stage`."""


class Variable(StrEnum):
    """Environment variables that the platform can give to a function; each function names those that it needs."""

    STAGE = "STAGE"
    """Name of the stage, suffix included, for example `dev` or `dev-pr42`."""
    TRANSACTION_LOG_TABLE = "TRANSACTION_LOG_TABLE"
    """DynamoDB table; hash key `payment_id` (S), range key `sequence` (N)."""
    SESSIONS_TABLE = "SESSIONS_TABLE"
    """DynamoDB table; hash key `session_id` (S), time to live in `expires_at` (N, seconds since 1970). Where there is a cache, sessions are kept there."""
    CACHE_SECRET_ARN = "CACHE_SECRET_ARN"  # noqa: S105 - the name of a variable
    """Secrets Manager secret with the cache's URL (the secret string itself), as CACHE_URL."""
    CACHE_URL = "CACHE_URL"
    """Redis, as `rediss://:password@host:port/0`; for whoever is given secrets as variables, like tasks of ECS."""
    API_KEYS = "API_KEYS"
    """Whom the container answers: a JSON object with each merchant's API key; functions have API Gateway's keys in front of them."""
    API_KEYS_BEFORE = "API_KEYS_BEFORE"
    """Keys that are being replaced by those of API_KEYS, and are good until then."""
    WORK_QUEUE_URL = "WORK_QUEUE_URL"
    """SQS queue from which the worker is fed."""
    PAYMENT_EVENTS_TOPIC_ARN = "PAYMENT_EVENTS_TOPIC_ARN"
    """SNS topic on which every change of a payment's state is published."""
    DOCUMENTS_BUCKET = "DOCUMENTS_BUCKET"
    AUDIT_BUCKET = "AUDIT_BUCKET"
    DATABASE_URL = "DATABASE_URL"
    """PostgreSQL, as `postgresql://host:port/name?sslmode=verify-full`, without user and password."""
    DATABASE_SECRET_ARN = "DATABASE_SECRET_ARN"  # noqa: S105 - the name of a variable
    """Secrets Manager secret with the database's user name and password (JSON: `username`, `password`)."""
    PAYMENTS_TABLE = "PAYMENTS_TABLE"
    """DynamoDB table in the place of the relational database; its keys are in `payments/storage/dynamodb/table.py`."""
    API_URL = "API_URL"
    """Base URL of the environment's own API: payment events and receipts name it as their source, and answers link to it."""
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"
    """SQS queue for messages that cannot be worked on."""
    MAX_RECEIVES = "MAX_RECEIVES"
    """How often a message is tried; at the last try the worker sets it aside itself, with the reason."""
    PROCESSOR = "PROCESSOR"
    """Payment processor: `sandbox` or `stripe`."""
    PROCESSOR_SECRET_ARN = "PROCESSOR_SECRET_ARN"  # noqa: S105 - the name of a variable
    """Secrets Manager secret with the processor's API key (the secret string itself)."""
    PROCESSOR_ENDPOINT = "PROCESSOR_ENDPOINT"
    """Base URL of the processor's API, where it is not the processor's own."""


class Metric(StrEnum):
    """Metrics that the functions emit, each as a count, unless it says otherwise."""

    PAYMENT_RECEIVED = "PaymentReceived"
    """process-payment: a payment was taken in (a repeated request is none)."""
    PAYMENT_REPEATED = "PaymentRepeated"
    """process-payment: a request came again with its idempotency key and was given the first answer."""
    REQUEST_REFUSED = "RequestRefused"
    """Any route: the request was at fault (4xx)."""
    CARD_DATA_REFUSED = "CardDataRefused"
    """Any route: the request held card data. Counted as refused too."""
    REQUEST_FAILED = "RequestFailed"
    """Any route: the service was at fault (5xx)."""
    PAYMENT_CAPTURED = "PaymentCaptured"
    """payment-worker: the money of a payment was taken."""
    PAYMENT_DECLINED = "PaymentDeclined"
    """payment-worker: the processor declined a payment."""
    PAYMENT_FAILED = "PaymentFailed"
    """payment-worker: the processor refused a payment for a reason that no repetition mends."""
    PROCESSOR_UNAVAILABLE = "ProcessorUnavailable"
    """payment-worker: a processor call failed after all its repetitions, or the circuit breaker was open."""
    MESSAGE_FAILED = "MessageFailed"
    """payment-worker: a message was handed back to the queue."""
    MESSAGE_DEAD_LETTERED = "MessageDeadLettered"
    """payment-worker: a message was set aside in the dead-letter queue, with the reason."""
    OUTBOX_RELAYED = "OutboxRelayed"
    """outbox-relay: something that a crash had left behind was sent."""
    AUDIT_LAG = "AuditLag"
    """outbox-relay, seconds, at the end of each run: the age of the oldest change that the audit bucket does not have yet; 0 where it has all."""


Store = Literal["relational", "dynamodb"]
"""Where payments are kept: in PostgreSQL, or in a DynamoDB table."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda function.

    name: the function's name without stage and suffix; also its package's file name.
    handler: Lambda's handler setting.
    environment: the environment variables that it reads wherever payments are kept; without one of them it answers with an error that names it.
    stores: by where payments are kept, the environment variables that it reads besides; exactly one of these groups has to be set. A function that has
    nothing to do where payments are kept in a certain way has no group for it.
    optional: environment variables that it reads where they are set.
    services: the AWS services that it calls, by boto3's names; its package holds the descriptions of these alone.
    distributions: what of payments/requirements.in it imports; its package holds these and what they require.
    every_minutes: minutes between two scheduled runs; None for a function that is not scheduled.
    """

    name: str
    handler: str
    environment: tuple[Variable, ...]
    stores: Mapping[Store, tuple[Variable, ...]] = field(hash=False)
    services: tuple[str, ...]
    distributions: tuple[str, ...]
    optional: tuple[Variable, ...] = ()
    every_minutes: int | None = None

    @property
    def module(self) -> str:
        """The module that holds the handler."""
        return self.handler.rpartition(".")[0]

    def needs(self, store: Store) -> tuple[Variable, ...]:
        """The environment variables without which it cannot work where payments are kept there."""
        return (*self.environment, *self.stores[store])


_RELATIONAL: Mapping[Store, tuple[Variable, ...]] = MappingProxyType({"relational": (Variable.DATABASE_URL, Variable.DATABASE_SECRET_ARN)})
_EITHER: Mapping[Store, tuple[Variable, ...]] = MappingProxyType({**_RELATIONAL, "dynamodb": (Variable.PAYMENTS_TABLE,)})
# One package serves environments of both kinds: it is the same bytes in all of them, and what is not used is not imported.
_COMMON = ("aws-lambda-powertools", "boto3", "pydantic", "psycopg", "psycopg-binary")
_PROJECTIONS = (Variable.TRANSACTION_LOG_TABLE, Variable.DOCUMENTS_BUCKET, Variable.PAYMENT_EVENTS_TOPIC_ARN)
# Sessions are kept in one of the first two, of which one has to be set. Either variable of the cache will do.
_PROJECTIONS_OPTIONAL = (Variable.SESSIONS_TABLE, Variable.CACHE_SECRET_ARN, Variable.CACHE_URL, Variable.API_URL)

PROCESS_PAYMENT = Function(
    name="process-payment",
    handler="payments.handlers.process_payment.handler",
    environment=(Variable.STAGE, Variable.WORK_QUEUE_URL),
    stores=_EITHER,
    optional=(Variable.API_URL,),
    services=("dynamodb", "secretsmanager", "sqs"),
    distributions=_COMMON,
)
"""POST /process-payment: takes a payment in."""

VERIFY_PAYMENT = Function(
    name="verify-payment",
    handler="payments.handlers.verify_payment.handler",
    environment=(Variable.STAGE,),
    stores=_EITHER,
    optional=(Variable.API_URL,),
    services=("dynamodb", "secretsmanager"),
    distributions=_COMMON,
)
"""POST /verify-payment: tells a payment's state and history."""

PAYMENT_WORKER = Function(
    name="payment-worker",
    handler="payments.handlers.payment_worker.handler",
    environment=(Variable.STAGE, *_PROJECTIONS, Variable.DEAD_LETTER_QUEUE_URL, Variable.MAX_RECEIVES, Variable.PROCESSOR),
    stores=_EITHER,
    optional=(*_PROJECTIONS_OPTIONAL, Variable.PROCESSOR_SECRET_ARN, Variable.PROCESSOR_ENDPOINT),
    services=("dynamodb", "s3", "secretsmanager", "sns", "sqs"),
    distributions=(*_COMMON, "redis", "stripe", "tenacity", "circuitbreaker"),
)
"""Fed by the work queue; reports failed messages one by one (ReportBatchItemFailures)."""

OUTBOX_RELAY = Function(
    name="outbox-relay",
    handler="payments.handlers.outbox_relay.handler",
    environment=(Variable.STAGE, *_PROJECTIONS, Variable.WORK_QUEUE_URL, Variable.AUDIT_BUCKET),
    stores=_EITHER,
    optional=_PROJECTIONS_OPTIONAL,
    services=("dynamodb", "s3", "secretsmanager", "sns", "sqs"),
    distributions=(*_COMMON, "redis"),
    every_minutes=1,
)
"""Run by a schedule: sends what a crash left behind, writes the audit chain, reaps idempotency keys."""

MIGRATE_DATABASE = Function(
    name="migrate-database",
    handler="payments.handlers.migrate_database.handler",
    environment=(Variable.STAGE,),
    stores=_RELATIONAL,
    services=("secretsmanager",),
    distributions=(*_COMMON, "yoyo-migrations"),
)
"""Called by the deployment: brings the database's schema to what this version of the code needs. A table has none."""

FUNCTIONS = (PROCESS_PAYMENT, VERIFY_PAYMENT, PAYMENT_WORKER, OUTBOX_RELAY, MIGRATE_DATABASE)
"""All of them; an environment has those of functions_for."""


def functions_for(store: Store) -> tuple[Function, ...]:
    """The functions of an environment that keeps payments there."""
    return tuple(function for function in FUNCTIONS if store in function.stores)
