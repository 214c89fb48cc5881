"""The service as it is deployed, made by AWS's calls instead of by the engine: functions, their queue and schedule, and the API in front of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.aws import Aws
from payments.functions import FUNCTIONS, OUTBOX_RELAY, PAYMENT_WORKER, RUNTIME, Function
from projects.app.api import ANSWER_PARAMETERS, ANSWERS, template
from projects.app.routes import ROUTES, Route
from tests.localcloud.serve.deployment import Api, Deployment

DATABASE_HOST = "payments.cluster-x.us-east-1.rds.example.com"
DATABASE = "payments"
USER = "payments"
PASSWORD = "made-up for tests"
AUDIT_BUCKET = "audit-flow"
_TIMEOUT = 20
_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@dataclass(frozen=True)
class Made:
    """What callers need of it. key: of the API."""

    api: str
    key: str


def deploy(aws: Aws, folder: Path, database_port: int) -> Made:
    """Makes all of it, in an account of its own."""
    deployment = Deployment(aws, folder)
    queues = _queues(aws)
    variables = _variables(aws, database_port, queues)
    role = aws.client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    for function in FUNCTIONS:
        _function(aws, function, role, {name: variables[name] for name in (*function.needs("relational"), *function.optional) if name in variables})
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=aws.arn("sqs", "work"), FunctionName=PAYMENT_WORKER.name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    _schedule(deployment, OUTBOX_RELAY)
    api = Api(deployment)
    validator = api.validator()
    for route in ROUTES:
        _route(api, route, validator)
    for kind, (status, problem, title) in ANSWERS.items():
        api.client.put_gateway_response(
            restApiId=api.id,
            responseType=kind,
            statusCode=status,
            responseTemplates={"application/json": template(status, problem, title)},
            responseParameters=ANSWER_PARAMETERS,
        )
    api.stage()
    _, key = api.key()
    return Made(api.id, key)


def _queues(aws: Aws) -> dict[str, str]:
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": aws.arn("sqs", "dead-letters"), "maxReceiveCount": 5})
    work = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": str(6 * _TIMEOUT), "RedrivePolicy": redrive})["QueueUrl"]
    return {"work": work, "dead-letters": dead}


def _variables(aws: Aws, database_port: int, queues: dict[str, str]) -> dict[str, str]:
    """Every variable that a function may name; makes what they name."""
    for bucket in (AUDIT_BUCKET, "documents-flow"):
        aws.client("s3").create_bucket(Bucket=bucket)
    _table(aws, "transaction-log", payment_id="S", sequence="N")
    _table(aws, "sessions", session_id="S")
    secret = json.dumps({"username": USER, "password": PASSWORD})
    return {
        "STAGE": "test",
        "TRANSACTION_LOG_TABLE": "transaction-log",
        "SESSIONS_TABLE": "sessions",
        "WORK_QUEUE_URL": queues["work"],
        "PAYMENT_EVENTS_TOPIC_ARN": aws.client("sns").create_topic(Name="events")["TopicArn"],
        "DOCUMENTS_BUCKET": "documents-flow",
        "AUDIT_BUCKET": AUDIT_BUCKET,
        "DATABASE_URL": f"postgresql://{DATABASE_HOST}:{database_port}/{DATABASE}?sslmode=verify-full",
        "DATABASE_SECRET_ARN": aws.client("secretsmanager").create_secret(Name="database", SecretString=secret)["ARN"],
        "DEAD_LETTER_QUEUE_URL": queues["dead-letters"],
        "MAX_RECEIVES": "5",
        "PROCESSOR": "sandbox",
    }


def _table(aws: Aws, name: str, **keys: str) -> None:
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )


def _function(aws: Aws, function: Function, role: str, variables: dict[str, str]) -> None:
    # What is run is the package for this machine, which serving is given; the cloud needs to have any at all.
    aws.client("lambda").create_function(
        FunctionName=function.name,
        Runtime=RUNTIME,
        Handler=function.handler,
        Role=role,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Timeout=_TIMEOUT,
        MemorySize=512,
        Environment={"Variables": variables},
    )
    aws.client("logs").create_log_group(logGroupName=f"/aws/lambda/{function.name}")


def _schedule(deployment: Deployment, function: Function) -> None:
    events: Any = deployment.aws.client("events")
    arn = events.put_rule(Name=function.name, ScheduleExpression="rate(1 minute)", State="ENABLED")["RuleArn"]
    deployment.permit(function.name, "events.amazonaws.com", arn)
    events.put_targets(Rule=function.name, Targets=[{"Id": function.name, "Arn": deployment.aws.arn("lambda", f"function:{function.name}")}])


def _route(api: Api, route: Route, validator: str) -> None:
    model = route.path.replace("-", "")  # a model's name has letters and digits alone
    api.model(model, route.schema)
    api.method(
        route.function.name,
        route.path,
        apiKeyRequired=True,
        requestValidatorId=validator,
        requestModels={"application/json": model, "$default": model},
        requestParameters={f"method.request.header.{header}": True for header in route.headers},
    )
