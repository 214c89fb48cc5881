"""Runs a handler in a process of its own that can be killed at any step, as often as wanted and in milliseconds.

A fresh interpreter spends over a second on imports. This one (`python -m tests.payments.faults.zygote`) has done them, and forks for each
invocation; what the handlers keep in a process (clients, connections, settings) is made in the fork, as in a new Lambda environment.
One JSON object per line comes in (handler, event, request_id and, if it is to be killed, fault), one goes out.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payments.clients import client

HANDLERS = ("process_payment", "verify_payment", "payment_worker", "outbox_relay")
# What the first payment would wait for in each fork: imports, and descriptions of services. No connection is made by making a client.
_LATE = ("stripe", "payments.processors.stripe")
_SERVICES = ("dynamodb", "s3", "secretsmanager", "sns", "sqs")


class Context:
    """What the handlers read of Lambda's context."""

    function_name = "fault-test"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:fault-test"

    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id

    def get_remaining_time_in_millis(self) -> int:
        """As at the beginning of a 29 second invocation."""
        return 29_000


def arm(target: str, when: str, nth: int) -> Callable[[], int]:
    """Replaces `module:Class.method` by one that kills this process, as `kill -9` does, right before or right after its nth call.

    Returns what tells how often it was called.
    """
    module, _, path = target.partition(":")
    holder: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for owner in owners:
        holder = getattr(holder, owner)
    original: Callable[..., Any] = getattr(holder, name)
    calls, lock = 0, threading.Lock()

    @functools.wraps(original)
    def armed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            now = calls == nth
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if now and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, name, armed)
    return lambda: calls


def tune() -> None:
    """This world's certificate authority; and what a crash left behind is taken for that at once, not after seconds."""
    from payments.service import relaying
    from payments.storage import store
    from payments.storage.postgres import database

    if bundle := os.environ.get("TEST_TRUST_BUNDLE"):
        database.TRUST_BUNDLE = Path(bundle)
    relaying.WORK_AGE = 0.0
    store.CLAIM_TIMEOUT = 0


def _run(invocation: dict[str, Any], answer: int) -> None:
    """In the fork."""
    fault = invocation.get("fault")
    if fault:
        arm(fault["target"], fault["when"], fault["nth"])
    module = importlib.import_module(f"payments.handlers.{invocation['handler']}")
    result = module.handler(invocation["event"], Context(invocation["request_id"]))
    with os.fdopen(answer, "w") as stream:
        json.dump(result, stream)


def _invoke(invocation: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(2, 1)  # what a handler logs is no answer
        code = 1
        try:
            _run(invocation, writing)
            code = 0
        except BaseException as error:  # noqa: BLE001 - the test is told, whatever it was
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, "exit": None if killed else os.waitstatus_to_exitcode(status), "answer": json.loads(text) if text else None}


def main() -> None:
    """Until standard input ends."""
    for handler in HANDLERS:
        importlib.import_module(f"payments.handlers.{handler}")
    for module in _LATE:
        importlib.import_module(module)
    for service in _SERVICES:
        client(service)
    tune()
    gc.freeze()  # a fork that looked through all of this for garbage would first have to copy it
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(_invoke(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
