"""What each function may do, against what the service's code really calls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from payments.functions import FUNCTIONS, MIGRATE_DATABASE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, Variable
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import relaying
from payments.service.projecting import Projector
from projects.app import grants
from tests.payments.postgres import TestDatabase
from tests.projects.app.running import Calls, Running, api_event, last, running, sqs_event
from tests.projects.app.upstream import key_of, name, outputs, statements
from tests.projects.harness import Cloud, empty_aws, network

EACH = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
RUNNING = {"NetworkInterfaces", "NotByTheFunctionItself", "Logs", "Traces"}
# Lambda's own calls in the role's name, for the event source mapping.
MAPPING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# EventBridge user guide, "Scheduled event": as far as anybody looks at it.
SCHEDULED = {"id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@pytest.fixture(scope="module")
def platform() -> Iterator[Cloud]:
    """The app over the data program's real tables, buckets and secret."""
    with empty_aws("staging") as cloud:
        cloud.published("networking", network(cloud))
        cloud.deploy("data")
        cloud.deploy("app")
        yield cloud


@pytest.fixture
def functions(platform: Cloud, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """The functions, a database for them, and queues without what other tests left there."""
    for queue in ("workQueueUrl", "deadLetterQueueUrl"):
        while taken(platform, queue):
            pass
    with running(platform, test_database, monkeypatch) as found:
        yield found


def granted(cloud: Cloud, function: Function) -> Calls:
    """The actions of a function's own work beside the use of keys, with the last part of what each may be done to."""
    found: Calls = defaultdict(set)
    for sid, statement in statements(cloud, function.name).items():
        if sid not in RUNNING:
            for action in statement["Action"]:
                if not action.startswith("kms:"):
                    found[action] |= {last(resource) for resource in statement["Resource"]}
    return dict(found)


def body(answer: dict[str, Any], status: int) -> dict[str, Any]:
    """The body of a proxy answer."""
    assert answer["statusCode"] == status, answer
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def taken(cloud: Cloud, queue: str) -> list[str]:
    """The bodies of some messages of a queue, which it has no more; none when it is empty."""
    sqs, url = cloud.client("sqs"), outputs(cloud)[queue]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def submission(reference: str) -> dict[str, Any]:
    payment = {"amount": 1050, "currency": "EUR", "payment_token": "tok_approve", "reference": reference, "session_id": "session-1"}
    return api_event("/process-payment", payment, {"Idempotency-Key": reference})


def test_the_routes_are_granted_what_their_code_calls_and_no_call_more(platform: Cloud, functions: Running) -> None:
    answer, first = functions.run(PROCESS_PAYMENT, submission("order-1"))
    payment = body(answer, 202)
    repeated, again = functions.run(PROCESS_PAYMENT, submission("order-1"))
    assert body(repeated, 202) == payment
    assert granted(platform, PROCESS_PAYMENT) == merged(first, again)

    answer, made = functions.run(VERIFY_PAYMENT, api_event("/verify-payment", {"payment_id": payment["payment_id"]}))
    assert body(answer, 200)["state"] == "received"
    assert granted(platform, VERIFY_PAYMENT) == made


def test_the_worker_is_granted_what_its_code_calls_and_no_call_more(platform: Cloud, functions: Running) -> None:
    answer, _ = functions.run(PROCESS_PAYMENT, submission("order-1"))
    [work] = taken(platform, "workQueueUrl")
    poison = "not a unit of work"
    answer, made = functions.run(PAYMENT_WORKER, sqs_event({work: 1, poison: 5}))
    assert answer == {"batchItemFailures": []}
    assert granted(platform, PAYMENT_WORKER) == made | {action: {name(platform, "payment-work")} for action in MAPPING}
    assert taken(platform, "deadLetterQueueUrl") == [poison]


def test_the_relay_is_granted_what_its_code_calls_and_no_call_more(platform: Cloud, functions: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("as if the process had ended here")

    with monkeypatch.context() as crashing:
        crashing.setattr(SqsWorkQueue, "send", crash)
        crashing.setattr(Projector, "deliver", crash)
        answer, _ = functions.run(PROCESS_PAYMENT, submission("order-1"))
        work = {"payment_id": body(answer, 202)["payment_id"], "correlation_id": "request-1"}
        answer, _ = functions.run(PAYMENT_WORKER, sqs_event({json.dumps(work): 1}))
        assert answer == {"batchItemFailures": []}
    counts, made = functions.run(OUTBOX_RELAY, SCHEDULED)
    assert (counts["work_sent"], counts["states_delivered"], counts["audit_written"]) == (1, 4, 4)
    assert granted(platform, OUTBOX_RELAY) == made


def test_the_migration_is_granted_what_its_code_calls_and_no_call_more(platform: Cloud, functions: Running) -> None:
    answer, made = functions.run(MIGRATE_DATABASE, {})
    assert answer["applied"] == []
    assert granted(platform, MIGRATE_DATABASE) == made


def merged(*calls: Calls) -> Calls:
    return {action: set().union(*(made.get(action, set()) for made in calls)) for action in set().union(*calls)}


@EACH
def test_keys_are_used_through_the_service_that_encrypts_with_them(platform: Cloud, function: Function) -> None:
    stores = platform.runs["data"].outputs
    keys = {key_of(platform): "app", stores["dataKeyArn"]: "data", stores["databaseKeyArn"]: "database"}
    uses: set[tuple[str, str, tuple[str, ...]]] = set()
    for statement in statements(platform, function.name).values():
        if any(action.startswith("kms:") for action in statement["Action"]):
            [key] = statement["Resource"]
            assert set(statement["Condition"]) == {"StringEquals"}
            through = statement["Condition"]["StringEquals"]["kms:ViaService"]
            uses.add((keys[key], through, tuple(sorted(statement["Action"]))))
    projections = {("data", "dynamodb", "D"), ("data", "s3", "DG"), ("app", "sns", "DG"), ("app", "sqs", "DG")}
    expected = {("app", "lambda", "D"), ("database", "secretsmanager", "D")}
    expected |= {PROCESS_PAYMENT: {("app", "sqs", "DG")}, PAYMENT_WORKER: projections, OUTBOX_RELAY: projections}.get(function, set())
    actions = {"D": ("kms:Decrypt",), "DG": ("kms:Decrypt", "kms:GenerateDataKey")}
    assert uses == {(key, f"{service}.us-east-1.amazonaws.com", actions[letters]) for key, service, letters in expected}


@EACH
def test_nothing_is_allowed_wholesale(platform: Cloud, function: Function) -> None:
    wide: set[str] = set()
    for sid, statement in statements(platform, function.name).items():
        assert not any("*" in action for action in statement["Action"]), sid
        if statement["Effect"] == "Allow" and "*" in statement["Resource"]:
            wide.add(sid)
    assert wide == {"NetworkInterfaces", "Traces"}, "EC2 and X-Ray have no resource to name for these"


@EACH
def test_it_writes_its_own_log_group_and_its_code_touches_no_network_interface(platform: Cloud, function: Function) -> None:
    found, physical = statements(platform, function.name), name(platform, function.name)
    assert found["Logs"]["Resource"] == [platform.environment.arn("logs", f"log-group:/aws/lambda/{physical}:*")]
    assert set(found["Logs"]["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    denied = found["NotByTheFunctionItself"]
    assert (denied["Effect"], set(denied["Action"])) == ("Deny", set(found["NetworkInterfaces"]["Action"]))
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": outputs(platform)["functionArns"][function.name]}}


def allowed(cloud: Cloud, function: Function) -> set[tuple[str, str]]:
    """All that a role allows beside its running, as action and resource."""
    found = statements(cloud, function.name)
    return {(action, resource) for sid, one in found.items() if sid not in RUNNING for action in one["Action"] for resource in one["Resource"]}


@pytest.mark.parametrize(
    ("function", "action"),
    [
        (VERIFY_PAYMENT, "sqs:SendMessage"),
        (VERIFY_PAYMENT, "dynamodb:PutItem"),
        (PROCESS_PAYMENT, "sqs:ReceiveMessage"),
        (PROCESS_PAYMENT, "sns:Publish"),
        (PROCESS_PAYMENT, "s3:PutObject"),
        (MIGRATE_DATABASE, "sqs:SendMessage"),
        (OUTBOX_RELAY, "sqs:ReceiveMessage"),
        *((function, action) for function in FUNCTIONS for action in ("dynamodb:DeleteItem", "dynamodb:Scan", "s3:GetObject", "s3:DeleteObject")),
    ],
)
def test_what_a_function_may_not_do(platform: Cloud, function: Function, action: str) -> None:
    assert not any(action in statement["Action"] for statement in statements(platform, function.name).values())


def test_only_the_worker_sets_aside_and_only_the_others_send_work(platform: Cloud) -> None:
    senders: dict[str, set[str]] = {}
    for function in FUNCTIONS:
        senders[function.name] = {last(resource) for action, resource in allowed(platform, function) if action == "sqs:SendMessage"}
    work, dead = name(platform, "payment-work"), name(platform, "payment-work-dlq")
    assert senders == {"process-payment": {work}, "verify-payment": set(), "payment-worker": {dead}, "outbox-relay": {work}, "migrate-database": set()}


def test_objects_are_written_below_their_own_prefixes_alone(platform: Cloud) -> None:
    stores = platform.runs["data"].outputs
    for function in FUNCTIONS:
        for action, resource in allowed(platform, function):
            if action.startswith("s3:"):
                assert resource in {f"{stores['documentsBucketArn']}/receipts/*", f"{stores['auditBucketArn']}/audit/*"}


def test_no_function_changes_a_step_of_the_transaction_log(platform: Cloud) -> None:
    log = platform.runs["data"].outputs["transactionLogTableArn"]
    for function in FUNCTIONS:
        assert {action for action, resource in allowed(platform, function) if resource == log} <= {"dynamodb:PutItem"}


def test_a_variable_that_nobody_has_granted_anything_for_is_an_error(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "GRANTS", {variable: grant for variable, grant in grants.GRANTS.items() if variable != Variable.WORK_QUEUE_URL})
    with pytest.raises(ValueError, match="nobody has said what WORK_QUEUE_URL lets process-payment do"):
        grants.granted([Variable.STAGE, Variable.WORK_QUEUE_URL], grants.Use(platform.environment, MagicMock(), [PROCESS_PAYMENT]))
