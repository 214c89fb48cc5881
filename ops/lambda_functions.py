"""Calling a deployed Lambda function, and saying what went wrong in it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.report import plain

# A function in a VPC is Pending until its network interfaces are there, which Lambda documents as about a minute.
READY_SECONDS = 180.0
_LAST_LINES = 5


class FunctionError(RuntimeError):
    """A function could not be called, or failed; says which, and with which error of its own."""


def wait_until_active(client: Any, name: str, *, seconds: float = READY_SECONDS, pause: Callable[[float], None] = time.sleep) -> None:
    """Waits until a function that was just made or changed can be called; raises FunctionError after `seconds`, or when Lambda gave it up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            about: dict[str, Any] = client.get_function_configuration(FunctionName=name)
        except (ClientError, BotoCoreError) as error:
            raise FunctionError(f"function {name} cannot be looked at: {error}") from None
        state, update = about.get("State", "Active"), about.get("LastUpdateStatus", "Successful")
        if state in {"Active", "Inactive"} and update == "Successful":
            return
        if "Failed" in {state, update}:
            why = about.get("StateReason") or about.get("LastUpdateStatusReason") or "Lambda gives no reason"
            raise FunctionError(f"function {name} cannot be called: its state is {state}, its last update {update}: {why}")
        if time.monotonic() >= deadline:
            raise FunctionError(f"function {name} is not ready after {seconds:.0f} s: its state is {state}, its last update {update}")
        pause(1.0)


def invoke(client: Any, name: str, payload: Mapping[str, Any]) -> Any:
    """What a function answers, decoded; waits for it. Raises FunctionError with the function's own error and its last log lines."""
    try:
        answer = client.invoke(FunctionName=name, InvocationType="RequestResponse", LogType="Tail", Payload=json.dumps(payload).encode())
        body: bytes = answer["Payload"].read()
    except (ClientError, BotoCoreError) as error:
        raise FunctionError(f"function {name} could not be called: {error}") from None
    try:
        decoded = json.loads(body) if body else None
    except ValueError:
        raise FunctionError(f"function {name} answered {len(body)} bytes that are not JSON") from None
    if answer.get("FunctionError"):
        raise FunctionError(_failure(name, decoded, _tail(answer.get("LogResult", ""))))
    return decoded


def _failure(name: str, error: Any, log: list[str]) -> str:
    about: dict[str, Any] = error if isinstance(error, dict) else {}
    said = plain(str(about.get("errorMessage") or "it gave no message"))
    kind = plain(str(about.get("errorType") or "error"))
    last = "".join(f"\n  {line}" for line in log)
    return f"function {name} failed: {kind}: {said}{last}"


def _tail(encoded: str) -> list[str]:
    """The last lines of what Lambda hands over of the log (4 KiB at most), without those that Lambda writes itself."""
    text = base64.b64decode(encoded).decode(errors="replace") if encoded else ""
    lines = [plain(line) for line in text.splitlines()]
    own = [line for line in lines if line and not line.startswith(("START ", "END ", "REPORT ", '{"time":')) and '"platform.' not in line]
    return own[-_LAST_LINES:]
