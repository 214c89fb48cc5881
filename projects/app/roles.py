"""What each function may do, statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from payments.functions import PAYMENT_WORKER, Function, Variable
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
    events_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    processor: ProcessorSettings


def statements_for(function: Function, environment: Environment, reach: Reach, *, log_group_arn: pulumi.Output[str], arn: str) -> list[Statement]:
    """All that a function's role may do: run in the VPC, write its logs and traces, and what its own work needs."""
    return [*_running(arn, log_group_arn), *_work(function, environment, reach)]


def _running(arn: str, log_group_arn: pulumi.Output[str]) -> Sequence[Statement]:
    interfaces = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [
        Statement(
            sid="NetworkInterfaces",
            actions=interfaces,
            resources=["*"],
            because="Lambda makes the function's interfaces in the role's name, and checks for it before any has an ARN (Lambda, VPC execution role)",
        ),
        # Lambda needs the above, the function's own code does not (Lambda, "Security best practices" for VPC functions).
        Statement(
            sid="NotByTheFunctionItself",
            effect="Deny",
            actions=interfaces,
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": arn}},
        ),
        Statement(sid="Logs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn.apply(lambda group: f"{group}:*")]),
        Statement(
            sid="Traces",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],
            because="X-Ray has no resource to name for these",
        ),
    ]


def _work(function: Function, environment: Environment, reach: Reach) -> Sequence[Statement]:
    """What the function's own code calls (`payments/`), no call more; a test runs the code against these statements' actions.

    A function may use what it is told of by a variable, in the one way that `payments/` does.
    """
    keys = _Keys(environment, reach)
    # Lambda decrypts the variables in the role's name. Its own grant for that dies with the role; this lives as long as the role does.
    found = [keys.app("EnvironmentKey", "lambda", "kms:Decrypt")]
    for variable in (*function.needs("relational"), *function.optional):
        if variable not in _GRANTS:
            raise ValueError(f"nobody has said what {variable} lets {function.name} do; say it in projects/app/roles.py")
        found += _GRANTS[variable](reach, keys)
    if function is PAYMENT_WORKER:
        found += [
            # What Lambda asks of the role for the event source mapping; the function itself calls none of these (Lambda, "Using Lambda with Amazon SQS").
            Statement(
                sid="TakeWork",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                resources=[reach.work.queue.arn],
            ),
            keys.messages(),
        ]
    # Both tables have one key, and both queues.
    return list({statement.sid: statement for statement in found}.values())


@dataclass(frozen=True)
class _Keys:
    """Use of a key through the service that encrypts with it, and in no other way."""

    environment: Environment
    reach: Reach

    def app(self, sid: str, service: str, *actions: str) -> Statement:
        return self.use(sid, self.reach.key_arn, service, *actions)

    def data(self, sid: str, service: str, *actions: str) -> Statement:
        return self.use(sid, self.reach.data.data_key_arn, service, *actions)

    def messages(self) -> Statement:
        """SQS wants both from whoever sends, and the latter from whoever takes (SQS, "Key management": KMS permissions)."""
        return self.app("MessagesKey", "sqs", "kms:GenerateDataKey", "kms:Decrypt")

    def tables(self) -> Statement:
        """Callers of an encrypted table need no more to read and to write it: table keys are made when the table is (DynamoDB, Encryption at rest)."""
        return self.data("TablesKey", "dynamodb", "kms:Decrypt")

    def objects(self) -> Statement:
        """S3 makes a data key to write with, and reads back the one of the bucket key (S3, "Using Amazon S3 Bucket Keys")."""
        return self.data("ObjectsKey", "s3", "kms:GenerateDataKey", "kms:Decrypt")

    def use(self, sid: str, arn: pulumi.Input[str], service: str, *actions: str) -> Statement:
        through = {"kms:ViaService": f"{service}.{self.environment.region}.amazonaws.com"}
        return Statement(sid=sid, actions=actions, resources=[arn], conditions={"StringEquals": through})


def _nothing(_: Reach, __: _Keys) -> list[Statement]:
    return []


def _database_secret(reach: Reach, keys: _Keys) -> list[Statement]:
    return [
        Statement(sid="DatabaseSecret", actions=["secretsmanager:GetSecretValue"], resources=[reach.data.database_secret_arn]),
        # The database's key also encrypts its storage, which no function has to do with.
        keys.use("DatabaseSecretKey", reach.data.database_key_arn, "secretsmanager", "kms:Decrypt"),
    ]


def _cache_secret(reach: Reach, keys: _Keys) -> list[Statement]:
    if not keys.environment.shape.cache:
        return []
    return [
        Statement(sid="CacheSecret", actions=["secretsmanager:GetSecretValue"], resources=[reach.data.cache_secret_arn]),
        keys.data("CacheSecretKey", "secretsmanager", "kms:Decrypt"),
    ]


def _processor_secret(reach: Reach, keys: _Keys) -> list[Statement]:
    processor = reach.processor
    if processor.secret_arn is None:
        return []
    found = [Statement(sid="ProcessorSecret", actions=["secretsmanager:GetSecretValue"], resources=[processor.secret_arn])]
    if processor.secret_key_arn is not None:
        found.append(keys.use("ProcessorSecretKey", processor.secret_key_arn, "secretsmanager", "kms:Decrypt"))
    return found


def _append_log(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="AppendTransactionLog", actions=["dynamodb:PutItem"], resources=[reach.data.transaction_log_table_arn]), keys.tables()]


def _sessions(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="Sessions", actions=["dynamodb:UpdateItem"], resources=[reach.data.sessions_table_arn]), keys.tables()]


def _receipts(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="WriteReceipts", actions=["s3:PutObject"], resources=[_below(reach.data.documents_bucket_arn, "receipts")]), keys.objects()]


def _audit(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="WriteAuditRecords", actions=["s3:PutObject"], resources=[_below(reach.data.audit_bucket_arn, "audit")]), keys.objects()]


def _publish(reach: Reach, keys: _Keys) -> list[Statement]:
    return [
        Statement(sid="PublishEvents", actions=["sns:Publish"], resources=[reach.events_arn]),
        keys.app("PublishEventsKey", "sns", "kms:GenerateDataKey", "kms:Decrypt"),
    ]


def _send_work(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="SendWork", actions=["sqs:SendMessage"], resources=[reach.work.queue.arn]), keys.messages()]


def _set_aside(reach: Reach, keys: _Keys) -> list[Statement]:
    return [Statement(sid="SetAside", actions=["sqs:SendMessage"], resources=[reach.work.dead_letters.arn]), keys.messages()]


def _below(bucket_arn: pulumi.Output[str], prefix: str) -> pulumi.Output[str]:
    return bucket_arn.apply(lambda arn: f"{arn}/{prefix}/*")


# PostgreSQL itself is asked with the secret's password, which IAM has no say in.
_GRANTS: Mapping[Variable, Callable[[Reach, _Keys], list[Statement]]] = {
    Variable.STAGE: _nothing,
    Variable.DATABASE_URL: _nothing,
    Variable.DATABASE_SECRET_ARN: _database_secret,
    Variable.TRANSACTION_LOG_TABLE: _append_log,
    Variable.SESSIONS_TABLE: _sessions,
    # A cache is asked with the password in its URL.
    Variable.CACHE_URL: _nothing,
    Variable.CACHE_SECRET_ARN: _cache_secret,
    Variable.API_URL: _nothing,
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
