"""Calling functions: what they answer, and what is said when they fail."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.lambda_functions import FunctionError, invoke, wait_until_active


class Lambda:
    """Lambda's client as far as it is asked: each call takes the next answer, and keeps the last one."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def invoke(self, **options: Any) -> dict[str, Any]:
        return self._next(options)

    def get_function_configuration(self, **options: Any) -> dict[str, Any]:
        return self._next(options)

    def _next(self, options: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(options)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def answered(payload: bytes, error: str = "", log: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"StatusCode": 200, "Payload": io.BytesIO(payload)}
    return found | ({"FunctionError": error} if error else {}) | ({"LogResult": base64.b64encode(log.encode()).decode()} if log else {})


REFUSED = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "Function not found: f"}}, "Invoke")
GONE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def test_a_function_is_waited_for_and_its_answer_decoded() -> None:
    client = Lambda(answered(b'{"version": "4"}'))
    assert invoke(client, "migrate-database-dev", {"a": 1}) == {"version": "4"}
    assert client.asked == [{"FunctionName": "migrate-database-dev", "InvocationType": "RequestResponse", "LogType": "Tail", "Payload": b'{"a": 1}'}]


def test_no_payload_is_no_answer() -> None:
    assert invoke(Lambda(answered(b"")), "f", {}) is None


def test_a_functions_own_error_is_told_with_its_last_lines() -> None:
    log = (
        'START RequestId: 1\nfirst\n\nsecond\x1b[31m\n{"time":"t","type":"platform.report"}\n'
        + "\n".join(f"line {n}" for n in range(4))
        + "\nEND RequestId: 1\n"
    )
    error = json.dumps({"errorType": "DatabaseUnavailable", "errorMessage": "no route", "stackTrace": ["secret path"]}).encode()
    with pytest.raises(FunctionError) as caught:
        invoke(Lambda(answered(error, "Unhandled", log)), "f", {})
    assert str(caught.value).splitlines() == ["function f failed: DatabaseUnavailable: no route", "  second", *(f"  line {n}" for n in range(4))]


@pytest.mark.parametrize("payload", [b"null", b"[]", b"{}"])
def test_an_error_without_words_is_still_an_error(payload: bytes) -> None:
    with pytest.raises(FunctionError, match="function f failed: error: it gave no message"):
        invoke(Lambda(answered(payload, "Unhandled")), "f", {})


@pytest.mark.parametrize("error", [REFUSED, GONE])
def test_what_cannot_be_called_is_told_with_the_reason(error: Exception) -> None:
    with pytest.raises(FunctionError, match=r"function f could not be called: .*(Function not found|Could not connect)"):
        invoke(Lambda(error), "f", {})


def test_an_answer_that_is_no_json_is_not_shown() -> None:
    with pytest.raises(FunctionError, match=r"function f answered 6 bytes that are not JSON$"):
        invoke(Lambda(answered(b"secret")), "f", {})


def configuration(state: str, update: str = "Successful", **more: str) -> dict[str, str]:
    return {"State": state, "LastUpdateStatus": update, **more}


def test_a_function_that_was_just_made_is_waited_for() -> None:
    client, pauses = Lambda(configuration("Pending"), configuration("Active", "InProgress"), configuration("Active")), list[float]()
    wait_until_active(client, "f", pause=pauses.append)
    assert len(client.asked) == 3
    assert pauses == [1.0, 1.0]


@pytest.mark.parametrize("answer", [configuration("Active"), configuration("Inactive"), {}])
def test_one_that_is_ready_is_not(answer: dict[str, str]) -> None:
    pauses: list[float] = []
    wait_until_active(Lambda(answer), "f", pause=pauses.append)
    assert pauses == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (configuration("Failed", StateReason="no interface"), "its state is Failed, its last update Successful: no interface"),
        (configuration("Active", "Failed", LastUpdateStatusReason="KMS"), "its state is Active, its last update Failed: KMS"),
        (configuration("Failed"), "Lambda gives no reason"),
        (configuration("Pending"), "function f is not ready after 0 s: its state is Pending"),
        (REFUSED, "function f cannot be looked at: .*Function not found"),
    ],
)
def test_what_does_not_get_ready_is_told_with_the_reason(answer: Any, told: str) -> None:
    with pytest.raises(FunctionError, match=told):
        wait_until_active(Lambda(answer), "f", seconds=0, pause=lambda _: None)
