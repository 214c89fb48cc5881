"""boto3 clients, made when they are first used."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Far below the functions' own time-outs, so that a call that hangs is repeated while the caller still waits, and what failed can be noted after that.
_ATTEMPTS, _CONNECT, _READ = 2, 1, 2
_PAUSE = 1  # at most, before the second attempt ("standard retry mode")
# Connections for all threads of a function.
_CONFIG = Config(connect_timeout=_CONNECT, read_timeout=_READ, retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, max_pool_connections=32)

CALL_SECONDS = float(_ATTEMPTS * (_CONNECT + _READ) + _PAUSE)
"""For one call of AWS at most, with its repetition, where nothing answers."""

# Codes with which DynamoDB, SQS, SNS, S3 and Secrets Manager ask for patience, as their API references list them.
_BUSY = frozenset({
    "InternalServerError", "InternalServiceError", "KMSThrottlingException", "KmsThrottled", "LimitExceededException",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "ServiceUnavailable", "SlowDown", "Throttled",
    "ThrottledException", "Throttling", "ThrottlingException", "TransactionInProgressException",
})  # fmt: skip

_HELD = " held for "
_clients: dict[str, Any] = {}
_lock = threading.Lock()


def client(service: str, *, held: float = 0.0) -> Any:
    """The client of a service, in the function's region and with the function's role; one per process, which threads may share.

    held: seconds for which the service may keep its answers back, as SQS does in a long poll; for these there is a client that waits so much longer.
    """
    key = f"{service}{_HELD}{held:g}" if held else service
    # The lock, as boto3's session must not make two clients at once.
    with _lock:
        if key not in _clients:
            session: Any = boto3
            _clients[key] = session.client(service, config=_CONFIG.merge(Config(read_timeout=_READ + held)) if held else _CONFIG)
        return _clients[key]


def made() -> frozenset[str]:
    """The services of which there is a client."""
    return frozenset(key.partition(_HELD)[0] for key in _clients)


def is_busy(error: Exception) -> bool:
    """Whether the same call may well succeed in a moment."""
    if isinstance(error, ClientError):
        return error_code(error) in _BUSY
    return isinstance(error, BotoCoreError) and any(word in type(error).__name__ for word in ("Timeout", "Connection"))


def error_code(error: ClientError) -> str:
    """AWS's code of the error."""
    response: dict[str, Any] = error.response
    return str(response.get("Error", {}).get("Code", ""))
