"""The service's own code, run as Lambda runs it: with the variables that the platform gave to the function, and its calls of AWS noted down."""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from payments import clients
from payments.functions import FUNCTIONS, MIGRATE_DATABASE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, Variable
from payments.handlers import migrate_database, outbox_relay, payment_worker, process_payment, verify_payment
from payments.storage.postgres import database
from tests.payments.postgres import TestDatabase
from tests.projects.app.upstream import name
from tests.projects.harness import Cloud

HANDLERS: dict[Function, ModuleType] = {
    PROCESS_PAYMENT: process_payment,
    VERIFY_PAYMENT: verify_payment,
    PAYMENT_WORKER: payment_worker,
    OUTBOX_RELAY: outbox_relay,
    MIGRATE_DATABASE: migrate_database,
}
_EVENTS = Path(__file__).parents[2] / "payments" / "events"
# Calls whose permission bears another name (Service Authorization Reference: actions of SQS and SNS).
_PERMISSIONS = {"sqs:SendMessageBatch": "sqs:SendMessage", "sns:PublishBatch": "sns:Publish"}

Calls = dict[str, set[str]]
"""Resources by IAM action; of an ARN the last part, of an object its bucket and folder."""


class Context(LambdaContext):
    """What Lambda hands to a handler, as far as ours look at it."""

    def __init__(self) -> None:
        self._aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Time enough."""
        return 28_000


@dataclass
class Running:
    """The functions of a deployed platform, over a PostgreSQL of its own where payments are not in a table."""

    cloud: Cloud
    database: TestDatabase | None
    patched: pytest.MonkeyPatch
    _calls: Calls = field(default_factory=lambda: defaultdict(set))

    def run(self, function: Function, event: dict[str, Any], **changed: str) -> tuple[Any, Calls]:
        """What a function answers, and what it called; it starts cold. changed: variables with other values."""
        self._calls.clear()
        about = self.cloud.client("lambda").get_function_configuration(FunctionName=name(self.cloud, function.name))
        for variable in Variable:
            self.patched.delenv(variable, raising=False)
        # The instance's stand-in is another host's.
        there = self.database
        reached = {"DATABASE_URL": f"postgresql://{there.host}:{there.port}/{there.name}?sslmode=verify-full"} if there else {}
        for variable, value in {**about["Environment"]["Variables"], **reached, **changed}.items():
            self.patched.setenv(variable, value)
        forget()
        try:
            answer = HANDLERS[function].handler(event, Context())
        finally:
            forget()
        return answer, {action: set(resources) for action, resources in self._calls.items()}

    def client(self, service: str, **_: Any) -> Any:
        """Stands in for boto3's: a client of the cloud that notes its calls."""
        made = self.cloud.client(service)
        made.meta.events.register("before-parameter-build", self._note, unique_id="calls")
        return made

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        for call, resource in _asked(f"{model.service_model.signing_name}:{model.name}", params):
            self._calls[_PERMISSIONS.get(call, call)].add(resource)


def _asked(call: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    """The permissions that a call needs: of a transaction those of its parts (DynamoDB, "IAM permissions for transactions"), of a batch its own."""
    if "TransactItems" in params:
        parts = [(kind, each["TableName"]) for item in params["TransactItems"] for kind, each in item.items()]
        return [(f"dynamodb:{kind}Item", last(table)) for kind, table in parts]
    if "RequestItems" in params:
        return [(call, last(table)) for table in params["RequestItems"]]
    if "IndexName" in params:
        return [(call, f"{last(params['TableName'])}/index")]
    return [(call, _resource(params))]


def _resource(params: dict[str, Any]) -> str:
    if "Bucket" in params:
        return f"{params['Bucket']}/{params['Key'].split('/')[0]}"
    named = next(params[key] for key in ("TableName", "QueueUrl", "TopicArn", "SecretId") if key in params)
    return last(named)


def last(arn: str) -> str:
    """The last part of an ARN or URL; of objects their bucket and folder, of a table's indexes the table and that."""
    if arn.endswith("/index/*"):
        return "/".join(arn.split("/")[-3:-1])
    return arn.rsplit(":", maxsplit=1)[-1].removesuffix("/*") if ":s3:" in arn else re.split("[/:]", arn)[-1]


@contextmanager
def running(cloud: Cloud, made: TestDatabase | None, patched: pytest.MonkeyPatch) -> Generator[Running]:
    """The functions, with the deployed secret's password as the database's, where there is one."""
    if made:
        secret = cloud.runs["data"].outputs["databaseSecretArn"]
        login = json.dumps({"username": made.user, "password": made.password})
        cloud.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=login)
        patched.setattr(database, "TRUST_BUNDLE", made.server.authority.certificate)
    found = Running(cloud, made, patched)
    patched.setattr(clients, "boto3", found)
    patched.setattr(clients, "_clients", {})
    try:
        yield found
    finally:
        forget()
        for service in {service for function in FUNCTIONS for service in function.services}:
            cloud.client(service).meta.events.unregister("before-parameter-build", unique_id="calls")


def forget() -> None:
    """Makes every function start cold: no settings and no connections are left."""
    for module in HANDLERS.values():
        for made in vars(module).values():
            cleared: Callable[[], None] | None = getattr(made, "cache_clear", None)
            if cleared is not None:
                cleared()
    database.from_settings.cache_clear()


def api_event(path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """API Gateway's REST proxy event."""
    event: dict[str, Any] = json.loads((_EVENTS / "api_gateway_proxy.json").read_text())
    event["headers"] |= headers or {}
    event["multiValueHeaders"] |= {header: [value] for header, value in (headers or {}).items()}
    event["resource"] = event["path"] = event["requestContext"]["resourcePath"] = path
    event["body"] = json.dumps(body)
    return event


def sqs_event(bodies: dict[str, int]) -> dict[str, Any]:
    """SQS's batch event; by body, how often the message was received so far."""
    record = json.loads((_EVENTS / "sqs_record.json").read_text())
    records: list[dict[str, Any]] = []
    for number, (body, receives) in enumerate(bodies.items()):
        made = copy.deepcopy(record)
        made |= {"messageId": f"message-{number}", "body": body}
        made["attributes"]["ApproximateReceiveCount"] = str(receives)
        records.append(made)
    return {"Records": records}
