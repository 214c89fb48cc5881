"""boto3 clients, made when they are first used."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Far below the functions' own time-outs, so that a call that hangs is repeated while the caller still waits. Connections for all threads of a function.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=32)

# Codes with which DynamoDB, SQS, SNS, S3 and Secrets Manager ask for patience, as their API references list them.
_BUSY = frozenset({
    "InternalServerError", "InternalServiceError", "KMSThrottlingException", "KmsThrottled", "LimitExceededException",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "ServiceUnavailable", "SlowDown", "Throttled",
    "ThrottledException", "Throttling", "ThrottlingException", "TransactionInProgressException",
})  # fmt: skip

_clients: dict[str, Any] = {}
_lock = threading.Lock()


def client(service: str) -> Any:
    """The client of a service, in the function's region and with the function's role; one per process, which threads may share."""
    # The lock, as boto3's session must not make two clients at once.
    with _lock:
        if service not in _clients:
            session: Any = boto3
            _clients[service] = session.client(service, config=_CONFIG)
        return _clients[service]


def made() -> frozenset[str]:
    """The services of which there is a client."""
    return frozenset(_clients)


def is_busy(error: Exception) -> bool:
    """Whether the same call may well succeed in a moment."""
    if isinstance(error, ClientError):
        return error_code(error) in _BUSY
    return isinstance(error, BotoCoreError) and any(word in type(error).__name__ for word in ("Timeout", "Connection"))


def error_code(error: ClientError) -> str:
    """AWS's code of the error."""
    response: dict[str, Any] = error.response
    return str(response.get("Error", {}).get("Code", ""))
