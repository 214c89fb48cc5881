"""Lambda's Invoke API, so that `boto3.client("lambda", endpoint_url=...).invoke` reaches what is served."""

from __future__ import annotations

import base64
import json
import re
import uuid
from urllib.parse import unquote

from localcloud.serve.functions import Functions, UnknownFunctionError
from localcloud.serve.http1 import Request, Response
from localcloud.serve.model import ServeError
from localcloud.serve.pool import ThrottledError
from localcloud.serve.process import LARGEST_PAYLOAD
from localcloud.serve.timetable import AsyncCalls

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_NAME = re.compile(r"(?:arn:[^:]+:lambda:[^:]*:\d*:function:|\d{12}:(?:function:)?)?([A-Za-z0-9_-]+)(?::(\$LATEST))?")
_LARGEST_ASYNC = 1024 * 1024  # bytes (Lambda quotas, "Invocation payload", asynchronous)
_BUSY_SECONDS = 60.0


def is_invocation(request: Request) -> bool:
    """Whether a request is for this API."""
    return request.raw_path.startswith("/2015-03-31/")


class InvokeApi:
    """Answers `Invoke`; of Lambda's other calls there are none here: they go to the local cloud."""

    def __init__(self, functions: Functions, calls: AsyncCalls) -> None:
        self._functions, self._calls = functions, calls

    def answer(self, request: Request) -> Response:
        """Answers a request, with Lambda's own errors."""
        found = _PATH.fullmatch(request.raw_path)
        name = _NAME.fullmatch(unquote(found[1])) if found else None
        if request.method != "POST" or name is None:
            return _error(404, "ResourceNotFoundException", "only Invoke of a function's $LATEST is served here; ask the local cloud for all else")
        payload = request.body or b"{}"
        try:
            json.loads(payload)
        except ValueError as error:
            return _error(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
        try:
            return self._invoke(name[1], request, payload)
        except UnknownFunctionError as error:
            return _error(404, "ResourceNotFoundException", f"Function not found: {error}")
        except ThrottledError as error:
            return _error(429, "TooManyRequestsException", f"Rate Exceeded: {error}")
        except ServeError as error:
            return _error(502, "InvalidZipFileException", str(error))

    def _invoke(self, name: str, request: Request, payload: bytes) -> Response:
        kind = request.header("x-amz-invocation-type") or "RequestResponse"
        largest = _LARGEST_ASYNC if kind == "Event" else LARGEST_PAYLOAD
        if len(payload) > largest:
            return _error(413, "RequestTooLargeException", f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {largest} bytes)")
        match kind:
            case "RequestResponse":
                outcome = self._functions.invoke(
                    name,
                    payload,
                    trace=request.header("x-amzn-trace-id") or "",
                    client_context=base64.b64decode(request.header("x-amz-client-context") or "").decode(errors="replace"),
                    patience=_BUSY_SECONDS,
                )
                headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", outcome.request_id), ("X-Amz-Executed-Version", "$LATEST")]
                if outcome.error:
                    headers.append(("X-Amz-Function-Error", outcome.error))
                if request.header("x-amz-log-type") == "Tail":
                    headers.append(("X-Amz-Log-Result", base64.b64encode(outcome.tail).decode()))
                return Response(200, outcome.payload, headers)
            case "Event":
                self._calls.submit(name, payload)
                return Response(202, b"", [("x-amzn-RequestId", str(uuid.uuid4()))])
            case "DryRun":
                self._functions.pool(name)
                return Response(204, b"", [("x-amzn-RequestId", str(uuid.uuid4()))])
            case _:
                return _error(400, "InvalidParameterValueException", f"{kind}: the invocation type is RequestResponse, Event or DryRun")


def _error(status: int, kind: str, text: str) -> Response:
    body = json.dumps({"Type": "User" if status < 500 else "Service", "Message": text}).encode()
    return Response(status, body, [("Content-Type", "application/json"), ("x-amzn-ErrorType", kind), ("x-amzn-RequestId", str(uuid.uuid4()))])
