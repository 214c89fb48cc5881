"""The functions that the infrastructure deploys, as plain data: nothing is imported that a deployment program does not have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PYTHON_VERSION = "3.13"
"""The Python of the Lambda runtime, for which packages are made."""

RUNTIME = f"python{PYTHON_VERSION}"
"""Lambda's name for that runtime."""

ARCHITECTURE = "arm64"
"""Lambda's name for the processor for which packages are made."""

METRIC_NAMESPACE = "Payments"
"""CloudWatch namespace of all that the functions emit. Dimensions: `service` (the function's name) and `stage`."""


class Variable(StrEnum):
    """Environment variables that the platform can give to a function; each function names those that it needs."""

    STAGE = "STAGE"
    """Name of the stage, suffix included, for example `dev` or `dev-pr42`."""
    TRANSACTION_LOG_TABLE = "TRANSACTION_LOG_TABLE"
    """DynamoDB table; hash key `payment_id` (S), range key `sequence` (N)."""
    SESSIONS_TABLE = "SESSIONS_TABLE"
    """DynamoDB table; hash key `session_id` (S), time to live in `expires_at` (N, seconds since 1970)."""
    WORK_QUEUE_URL = "WORK_QUEUE_URL"
    """SQS queue from which the worker is fed."""
    PAYMENT_EVENTS_TOPIC_ARN = "PAYMENT_EVENTS_TOPIC_ARN"
    """SNS topic on which every change of a payment's state is published."""
    DOCUMENTS_BUCKET = "DOCUMENTS_BUCKET"
    AUDIT_BUCKET = "AUDIT_BUCKET"
    DATABASE_HOST = "DATABASE_HOST"
    DATABASE_PORT = "DATABASE_PORT"
    DATABASE_NAME = "DATABASE_NAME"
    DATABASE_SECRET_ARN = "DATABASE_SECRET_ARN"  # noqa: S105 - the name of a variable
    """Secrets Manager secret with the database's user name and password."""


class Metric(StrEnum):
    """Metrics that the functions emit, each as a count."""

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
    PAYMENT_SUBMITTED = "PaymentSubmitted"
    """payment-worker: a payment went from received to submitted."""
    MESSAGE_FAILED = "MessageFailed"
    """payment-worker: a message was handed back to the queue."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda function.

    name: the function's name without stage and suffix; also its package's file name.
    handler: Lambda's handler setting.
    environment: the environment variables that it reads; without one of them it answers with an error that names it.
    services: the AWS services that it calls, by boto3's names; its package holds the descriptions of these alone.
    """

    name: str
    handler: str
    environment: tuple[Variable, ...]
    services: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that holds the handler."""
        return self.handler.rpartition(".")[0]


PROCESS_PAYMENT = Function(
    name="process-payment",
    handler="payments.handlers.process_payment.handler",
    environment=(Variable.STAGE, Variable.TRANSACTION_LOG_TABLE, Variable.SESSIONS_TABLE, Variable.WORK_QUEUE_URL),
    services=("dynamodb", "sqs"),
)
"""POST /process-payment: takes a payment in."""

VERIFY_PAYMENT = Function(
    name="verify-payment",
    handler="payments.handlers.verify_payment.handler",
    environment=(Variable.STAGE, Variable.TRANSACTION_LOG_TABLE),
    services=("dynamodb",),
)
"""POST /verify-payment: tells a payment's state and history."""

PAYMENT_WORKER = Function(
    name="payment-worker",
    handler="payments.handlers.payment_worker.handler",
    environment=(Variable.STAGE, Variable.TRANSACTION_LOG_TABLE, Variable.PAYMENT_EVENTS_TOPIC_ARN),
    services=("dynamodb", "sns"),
)
"""Fed by the work queue; reports failed messages one by one (ReportBatchItemFailures)."""

FUNCTIONS = (PROCESS_PAYMENT, VERIFY_PAYMENT, PAYMENT_WORKER)
