"""What each function may do where payments are in a table, against what the service's code really calls there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, functions_for
from payments.messaging.work_queue import SqsWorkQueue
from payments.service import relaying
from payments.service.projecting import Projector
from tests.projects.app.running import Calls, Running, api_event, running, sqs_event
from tests.projects.app.test_roles import MAPPING, SCHEDULED, body, granted, submission, taken
from tests.projects.app.upstream import name
from tests.projects.harness import Cloud, empty_aws, network


@pytest.fixture(scope="module")
def platform() -> Iterator[Cloud]:
    """The app over the data program's real tables and buckets."""
    with empty_aws("accounts-prod") as cloud:
        cloud.published("networking", network(cloud))
        cloud.deploy("data")
        cloud.deploy("app")
        yield cloud


@pytest.fixture
def functions(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(platform, None, monkeypatch) as found:
        yield found


def test_functions_are_granted_what_their_code_calls_and_no_call_more(platform: Cloud, functions: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[Function, Calls] = defaultdict(lambda: defaultdict(set))

    def run(function: Function, event: dict[str, Any]) -> Any:
        answer, made = functions.run(function, event)
        for action, resources in made.items():
            calls[function][action] |= resources
        return answer

    def submit(reference: str, token: str = "tok_approve") -> str:
        event = submission(reference)
        event["body"] = json.dumps({**json.loads(event["body"]), "payment_token": token})
        found: str = body(run(PROCESS_PAYMENT, event), 202)["payment_id"]
        return found

    approved, _ = submit("order-1"), submit("order-2", "tok_decline")
    assert submit("order-1") == approved
    works = taken(platform, "workQueueUrl")
    assert run(PAYMENT_WORKER, sqs_event({**dict.fromkeys(works, 1), "not a unit of work": 5})) == {"batchItemFailures": []}
    for about, state in (({"payment_id": approved}, "captured"), ({"reference": "order-2"}, "declined")):
        assert body(run(VERIFY_PAYMENT, api_event("/verify-payment", about)), 200)["state"] == state
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("as if the process had ended here")

    with monkeypatch.context() as crashing:
        crashing.setattr(SqsWorkQueue, "send", crash)
        crashing.setattr(Projector, "deliver", crash)
        left = submit("order-4")
        run(PAYMENT_WORKER, sqs_event({json.dumps({"payment_id": left, "correlation_id": "request-1"}): 1}))
    assert run(OUTBOX_RELAY, SCHEDULED)["work_sent"] == 1
    with monkeypatch.context() as losing:
        losing.setattr(SqsWorkQueue, "send", lambda *_: forget_keys(platform))
        submit("order-5")
    # This test's own call, to find the keys.
    del calls[PROCESS_PAYMENT]["dynamodb:Scan"]

    for function in functions_for("dynamodb"):
        mapping = {action: {name(platform, "payment-work")} for action in MAPPING} if function is PAYMENT_WORKER else {}
        assert granted(platform, function) == {**calls[function], **mapping}, function.name


def forget_keys(cloud: Cloud) -> None:
    """Removes all idempotency keys, as their lifetime's end does."""
    dynamodb, table = cloud.client("dynamodb"), cloud.runs["data"].outputs["paymentsTableName"]
    for item in dynamodb.scan(TableName=table, FilterExpression="attribute_exists(digest)")["Items"]:
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
