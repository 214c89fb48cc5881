"""Stands in for AWS's runtime client where that cannot be had (it is for Linux alone): Lambda's Runtime API in the standard library.

It is copied beside a function's package and imports nothing of this project ("Using the Lambda runtime API", AWS Lambda developer guide).
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_API = "/2018-06-01/runtime"


class Context:
    """What a handler is told of its invocation, by Lambda's names."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        return max(0, self._deadline - int(time.time() * 1000))


def run(address: str, handler: str) -> None:
    """Hands events to the handler until the Runtime API is gone."""
    # What is printed must be out before the answer is.
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure")(line_buffering=True, write_through=True)  # noqa: B009 - a TextIO in type, a TextIOWrapper in truth
    connection = http.client.HTTPConnection(address)
    try:
        function = _load(handler)
    except Exception as error:  # noqa: BLE001 - whatever the package's code raises is the function's failure
        _post(connection, f"{_API}/init/error", _failure(error, ""))
        sys.exit(1)
    while True:
        connection.request("GET", f"{_API}/invocation/next")
        answer = connection.getresponse()
        event, headers = answer.read(), answer.headers
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id") or ""
        try:
            body = json.dumps(function(json.loads(event), Context(headers))).encode()
        except Exception as error:  # noqa: BLE001 - the same
            traceback.print_exc()
            _post(connection, f"{_API}/invocation/{request_id}/error", _failure(error, request_id))
        else:
            _post(connection, f"{_API}/invocation/{request_id}/response", body)


def _load(handler: str) -> Callable[[Any, Context], Any]:
    module, _, name = handler.rpartition(".")
    found: Callable[[Any, Context], Any] = getattr(importlib.import_module(module.replace("/", ".")), name)
    return found


def _failure(error: BaseException, request_id: str) -> bytes:
    kind = f"Runtime.{type(error).__name__}" if not request_id else type(error).__name__
    failure = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": traceback.format_tb(error.__traceback__)}
    return json.dumps(failure).encode()


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    connection.getresponse().read()
