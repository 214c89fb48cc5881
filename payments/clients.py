"""boto3 clients, made when they are first used."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Far below the functions' own time-outs, so that a call that hangs is repeated while the caller still waits.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

# Codes with which DynamoDB, SQS and SNS ask for patience, as their API references list them.
_BUSY = frozenset({
    "InternalServerError", "KMSThrottlingException", "KmsThrottled", "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "RequestThrottled", "ServiceUnavailable", "Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TransactionInProgressException",
})  # fmt: skip


@cache
def client(service: str) -> Any:
    """The client of a service, in the function's region and with the function's role; one per process."""
    session: Any = boto3
    return session.client(service, config=_CONFIG)


def is_busy(error: Exception) -> bool:
    """Whether the same call may well succeed in a moment."""
    if isinstance(error, ClientError):
        return error_code(error) in _BUSY
    return isinstance(error, BotoCoreError) and any(word in type(error).__name__ for word in ("Timeout", "Connection"))


def error_code(error: ClientError) -> str:
    """AWS's code of the error."""
    response: dict[str, Any] = error.response
    return str(response.get("Error", {}).get("Code", ""))
