"""What a variable that names a resource lets its reader do there, statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, Variable
from projects.app.settings import ProcessorSettings
from shared.components.queue import Queue
from shared.contracts import DataOutputs
from shared.environment import Environment
from shared.iam import Statement


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What there is to be given access to. key_arn: of the app's own key, for messages and environment variables."""

    data: DataOutputs
    work: Queue
    events_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]
    processor: ProcessorSettings


@dataclass(frozen=True)
class Use:
    """Which functions' code is to use what; keys only through the service that encrypts with them."""

    environment: Environment
    reach: Reach
    functions: Sequence[Function]

    def app_key(self, sid: str, service: str, *actions: str) -> Statement:
        """The app's own key."""
        return self.key(sid, self.reach.key_arn, service, *actions)

    def data_key(self, sid: str, service: str, *actions: str) -> Statement:
        """The key of tables, buckets, and the cache."""
        return self.key(sid, self.reach.data.data_key_arn, service, *actions)

    def messages(self) -> Statement:
        """SQS wants both from whoever sends, and the latter from whoever takes (SQS, "Key management": KMS permissions)."""
        return self.app_key("MessagesKey", "sqs", "kms:GenerateDataKey", "kms:Decrypt")

    def tables(self) -> Statement:
        """Callers of an encrypted table need no more to read and to write it: table keys are made when the table is (DynamoDB, Encryption at rest)."""
        return self.data_key("TablesKey", "dynamodb", "kms:Decrypt")

    def objects(self) -> Statement:
        """S3 makes a data key to write with, and reads back the one of the bucket key (S3, "Using Amazon S3 Bucket Keys")."""
        return self.data_key("ObjectsKey", "s3", "kms:GenerateDataKey", "kms:Decrypt")

    def key(self, sid: str, arn: pulumi.Input[str], service: str, *actions: str) -> Statement:
        """Any key."""
        through = {"kms:ViaService": f"{service}.{self.environment.region}.amazonaws.com"}
        return Statement(sid=sid, actions=actions, resources=[arn], conditions={"StringEquals": through})


def granted(variables: Iterable[Variable], use: Use) -> list[Statement]:
    """What these variables let the functions do; ValueError for one that nobody has said anything of."""
    found: list[Statement] = []
    for variable in variables:
        if variable not in GRANTS:
            names = " and ".join(function.name for function in use.functions)
            raise ValueError(f"nobody has said what {variable} lets {names} do; say it in projects/app/grants.py")
        found += GRANTS[variable](use)
    return found


def secret(sid: str, arn: pulumi.Input[str]) -> Statement:
    """To read one secret."""
    return Statement(sid=sid, actions=["secretsmanager:GetSecretValue"], resources=[arn])


def cache_secret(use: Use) -> list[Statement]:
    """To read the cache's URL, which has its password."""
    return [secret("CacheSecret", use.reach.data.cache_secret_arn), use.data_key("CacheSecretKey", "secretsmanager", "kms:Decrypt")]


def api_key_secrets(use: Use, arns: Sequence[pulumi.Input[str]]) -> list[Statement]:
    """To read the API keys of callers."""
    return [
        Statement(sid="ApiKeys", actions=["secretsmanager:GetSecretValue"], resources=arns),
        use.app_key("ApiKeysKey", "secretsmanager", "kms:Decrypt"),
    ]


def _nothing(_: Use) -> list[Statement]:
    return []


def _database_secret(use: Use) -> list[Statement]:
    found = [secret("DatabaseSecret", use.reach.data.database_secret_arn)]
    # Every role of the account may use aws/secretsmanager through Secrets Manager; AWS's key policy says so.
    if use.environment.shape.database_key == "customer":
        # The database's key also encrypts its storage, which no function has to do with.
        found.append(use.key("DatabaseSecretKey", use.reach.data.database_key_arn, "secretsmanager", "kms:Decrypt"))
    return found


# A transaction needs the permission of each of its parts, a batch its own (DynamoDB, "IAM permissions for transactions"; Service Authorization Reference).
_TABLE_ACTIONS: Mapping[Function, Sequence[str]] = {
    PROCESS_PAYMENT: ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
    VERIFY_PAYMENT: ("dynamodb:GetItem",),
    PAYMENT_WORKER: ("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"),
    OUTBOX_RELAY: ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
}


def _payments_table(use: Use) -> list[Statement]:
    arn = use.reach.data.payments_table_arn
    actions = list(dict.fromkeys(action for function in use.functions for action in _TABLE_ACTIONS[function]))
    found = [Statement(sid="PaymentsTable", actions=actions, resources=[arn]), use.tables()]
    if OUTBOX_RELAY in use.functions:
        # What is due is found by the index, whose every entry the relay may have to do with.
        found.append(Statement(sid="PaymentsDue", actions=["dynamodb:Query"], resources=[arn.apply(lambda table: f"{table}/index/*")]))
    return found


def _processor_secret(use: Use) -> list[Statement]:
    processor = use.reach.processor
    if processor.secret_arn is None:
        return []
    found = [secret("ProcessorSecret", processor.secret_arn)]
    if processor.secret_key_arn is not None:
        found.append(use.key("ProcessorSecretKey", processor.secret_key_arn, "secretsmanager", "kms:Decrypt"))
    return found


def _append_log(use: Use) -> list[Statement]:
    return [Statement(sid="AppendTransactionLog", actions=["dynamodb:PutItem"], resources=[use.reach.data.transaction_log_table_arn]), use.tables()]


def _sessions(use: Use) -> list[Statement]:
    return [Statement(sid="Sessions", actions=["dynamodb:UpdateItem"], resources=[use.reach.data.sessions_table_arn]), use.tables()]


def _receipts(use: Use) -> list[Statement]:
    return [Statement(sid="WriteReceipts", actions=["s3:PutObject"], resources=[_below(use.reach.data.documents_bucket_arn, "receipts")]), use.objects()]


def _audit(use: Use) -> list[Statement]:
    return [Statement(sid="WriteAuditRecords", actions=["s3:PutObject"], resources=[_below(use.reach.data.audit_bucket_arn, "audit")]), use.objects()]


def _publish(use: Use) -> list[Statement]:
    return [
        Statement(sid="PublishEvents", actions=["sns:Publish"], resources=[use.reach.events_arn]),
        use.app_key("PublishEventsKey", "sns", "kms:GenerateDataKey", "kms:Decrypt"),
    ]


def _send_work(use: Use) -> list[Statement]:
    return [Statement(sid="SendWork", actions=["sqs:SendMessage"], resources=[use.reach.work.queue.arn]), use.messages()]


def _set_aside(use: Use) -> list[Statement]:
    return [Statement(sid="SetAside", actions=["sqs:SendMessage"], resources=[use.reach.work.dead_letters.arn]), use.messages()]


def _below(bucket_arn: pulumi.Output[str], prefix: str) -> pulumi.Output[str]:
    return bucket_arn.apply(lambda arn: f"{arn}/{prefix}/*")


GRANTS: Mapping[Variable, Callable[[Use], list[Statement]]] = {
    Variable.STAGE: _nothing,
    # PostgreSQL itself is asked with the secret's password, which IAM has no say in.
    Variable.DATABASE_URL: _nothing,
    Variable.DATABASE_SECRET_ARN: _database_secret,
    Variable.PAYMENTS_TABLE: _payments_table,
    Variable.TRANSACTION_LOG_TABLE: _append_log,
    Variable.SESSIONS_TABLE: _sessions,
    # A cache is asked with the password in its URL.
    Variable.CACHE_URL: _nothing,
    Variable.CACHE_SECRET_ARN: cache_secret,
    Variable.API_URL: _nothing,
    # ECS reads these before the code runs, with a role of its own.
    Variable.API_KEYS: _nothing,
    Variable.API_KEYS_BEFORE: _nothing,
    Variable.DOCUMENTS_BUCKET: _receipts,
    Variable.AUDIT_BUCKET: _audit,
    Variable.PAYMENT_EVENTS_TOPIC_ARN: _publish,
    Variable.WORK_QUEUE_URL: _send_work,
    Variable.DEAD_LETTER_QUEUE_URL: _set_aside,
    Variable.MAX_RECEIVES: _nothing,
    Variable.PROCESSOR: _nothing,
    Variable.PROCESSOR_SECRET_ARN: _processor_secret,
    Variable.PROCESSOR_ENDPOINT: _nothing,
}
"""What a variable lets its reader do, in the one way that `payments/` does."""
