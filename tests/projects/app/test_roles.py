"""What each function may do, against what the service's code really calls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from payments.functions import FUNCTIONS, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.handlers import payment_worker, process_payment, verify_payment
from projects.app.roles import statements_for
from tests.payments.service import REQUEST, answered, api_event, context, sqs_event
from tests.projects.app.upstream import key_of, name, outputs, statements
from tests.projects.harness import Cloud, empty_aws, network

EACH = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
HANDLERS = {PROCESS_PAYMENT: process_payment, VERIFY_PAYMENT: verify_payment, PAYMENT_WORKER: payment_worker}
RUNNING = {"NetworkInterfaces", "NotByTheFunctionItself", "Logs", "Traces"}
Calls = Callable[[Function, dict[str, Any]], tuple[dict[str, Any], dict[str, set[str]]]]
# Lambda's own calls in the role's name, for the event source mapping.
MAPPING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}


@pytest.fixture(scope="module")
def platform() -> Iterator[Cloud]:
    """The app over the data program's real tables."""
    with empty_aws("staging") as cloud:
        cloud.published("networking", network(cloud))
        cloud.deploy("data")
        cloud.deploy("app")
        yield cloud


@pytest.fixture
def calls(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """Runs a function's handler with the environment that Lambda has for it; its answer, and its calls: resources by IAM action."""
    made: dict[str, set[str]] = defaultdict(set)

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        resource = params.get("TableName") or params.get("QueueUrl") or params["TopicArn"]
        made[f"{model.service_model.signing_name}:{model.name}"].add(re.split("[/:]", resource)[-1])

    def client(service: str) -> Any:
        session = platform.client(service)
        session.meta.events.register("before-parameter-build", record, unique_id="calls")
        return session

    def run(function: Function, event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, set[str]]]:
        made.clear()
        about = platform.client("lambda").get_function_configuration(FunctionName=name(platform, function.name))
        for variable in {variable for other in FUNCTIONS for variable in other.environment}:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in about["Environment"]["Variables"].items():
            monkeypatch.setenv(variable, value)
        HANDLERS[function]._settings.cache_clear()
        answer = HANDLERS[function].handler(event, context())
        return answer, {action: set(resources) for action, resources in made.items()}

    for module in ("payments.storage.transaction_log", "payments.storage.sessions", "payments.messaging.work_queue", "payments.messaging.events"):
        monkeypatch.setattr(f"{module}.client", client)
    yield run
    for module in HANDLERS.values():
        module._settings.cache_clear()
    for service in ("dynamodb", "sqs", "sns"):
        platform.client(service).meta.events.unregister("before-parameter-build", unique_id="calls")


def granted(cloud: Cloud, function: Function) -> dict[str, set[str]]:
    """The actions of a function's own work beside the use of keys, with the last part of what each may be done to."""
    found: dict[str, set[str]] = defaultdict(set)
    for sid, statement in statements(cloud, function.name).items():
        if sid not in RUNNING:
            for action in statement["Action"]:
                if not action.startswith("kms:"):
                    found[action] |= {re.split("[/:]", resource)[-1] for resource in statement["Resource"]}
    return dict(found)


def test_roles_grant_what_the_code_calls_and_no_call_more(platform: Cloud, calls: Calls) -> None:
    submission = api_event("/process-payment", {**REQUEST, "session_id": "session-1"}, {"Idempotency-Key": "key-1"})
    answer, first = calls(PROCESS_PAYMENT, submission)
    status, payment, _ = answered(answer)
    _, repeated = calls(PROCESS_PAYMENT, submission)
    assert status == 202
    assert granted(platform, PROCESS_PAYMENT) == {action: first.get(action, set()) | repeated.get(action, set()) for action in first | repeated}

    [message] = platform.client("sqs").receive_message(QueueUrl=outputs(platform)["workQueueUrl"])["Messages"]
    answer, made = calls(PAYMENT_WORKER, sqs_event(message["Body"]))
    assert answer == {"batchItemFailures": []}
    assert granted(platform, PAYMENT_WORKER) == made | {action: {name(platform, "payment-work")} for action in MAPPING}

    answer, made = calls(VERIFY_PAYMENT, api_event("/verify-payment", {"payment_id": payment["payment_id"]}))
    assert answered(answer)[1]["state"] == "submitted"
    assert granted(platform, VERIFY_PAYMENT) == made


@EACH
def test_keys_are_used_through_the_service_that_encrypts_with_them(platform: Cloud, function: Function) -> None:
    app, data = key_of(platform), platform.runs["data"].outputs["dataKeyArn"]
    uses: set[tuple[str, str, tuple[str, ...]]] = set()
    for statement in statements(platform, function.name).values():
        if any(action.startswith("kms:") for action in statement["Action"]):
            [key] = statement["Resource"]
            assert set(statement["Condition"]) == {"StringEquals"}
            through = statement["Condition"]["StringEquals"]["kms:ViaService"]
            uses.add(({app: "app", data: "data"}[key], through, tuple(sorted(statement["Action"]))))
    expected = {("app", "lambda", "D"), ("data", "dynamodb", "D")}
    expected |= {PROCESS_PAYMENT: {("app", "sqs", "DG")}, VERIFY_PAYMENT: set(), PAYMENT_WORKER: {("app", "sqs", "D"), ("app", "sns", "DG")}}[function]
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


@pytest.mark.parametrize(
    ("function", "action"),
    [
        (VERIFY_PAYMENT, "dynamodb:PutItem"),
        (VERIFY_PAYMENT, "sqs:SendMessage"),
        (PROCESS_PAYMENT, "sqs:ReceiveMessage"),
        (PROCESS_PAYMENT, "sns:Publish"),
        (PAYMENT_WORKER, "sqs:SendMessage"),
        *((function, action) for function in FUNCTIONS for action in ("dynamodb:DeleteItem", "dynamodb:Scan", "secretsmanager:GetSecretValue")),
    ],
)
def test_what_a_function_may_not_do(platform: Cloud, function: Function, action: str) -> None:
    assert not any(action in statement["Action"] for statement in statements(platform, function.name).values())


def test_no_function_changes_a_step_of_the_transaction_log(platform: Cloud) -> None:
    log = platform.runs["data"].outputs["transactionLogTableArn"]
    for function in FUNCTIONS:
        for statement in statements(platform, function.name).values():
            if log in statement["Resource"]:
                assert set(statement["Action"]) <= {"dynamodb:PutItem", "dynamodb:Query"}


def test_a_function_that_nobody_has_granted_anything_is_an_error(platform: Cloud) -> None:
    stranger = Function(name="refund", handler="payments.handlers.refund.handler", environment=(), services=())
    with pytest.raises(ValueError, match="nobody has said what refund may do"):
        statements_for(stranger, platform.environment, MagicMock(), log_group_arn=MagicMock(), arn="arn")
