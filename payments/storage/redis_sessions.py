"""Sessions in Redis: `sessions:1:<stage>:<merchant>/<session id>`, which Redis forgets when their time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import redis

from payments.clients import client
from payments.storage.redis_client import client_at
from payments.storage.sessions import LIFETIME

TIMEOUT = 2.0
"""Seconds for a connection to Redis, and for an answer. A session that is not noted is noted by the relay."""

_CONNECTIONS = 16
# Moments are texts of one length, so that the later one is the greater one.
_REMEMBER = """
local known = redis.call('HGET', KEYS[1], 'last_payment_at')
if known and known >= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'last_payment_id', ARGV[1], 'last_payment_at', ARGV[2])
redis.call('EXPIREAT', KEYS[1], ARGV[3])
return 1
"""


class RedisSessions:
    """See Sessions. Redis's errors pass: whoever tells of the session tries again.

    url: tells where Redis is, when it is first needed, and again when it refuses the password.
    stage: so that stages that share a Redis share nothing in it.
    """

    def __init__(self, url: Callable[[], str], *, stage: str) -> None:
        self._url = url
        self._prefix = f"sessions:1:{stage}"  # the number changes with the shape of what is kept
        self._lock = threading.Lock()
        self._client: redis.Redis | None = None

    def remember(self, merchant: str, session_id: str, payment_id: str, occurred_at: str) -> None:
        """See Sessions."""
        expiry = int(datetime.fromisoformat(occurred_at).timestamp()) + LIFETIME
        key = f"{self._prefix}:{merchant}/{session_id}"
        made = self._connected()
        try:
            made.eval(_REMEMBER, 1, key, payment_id, occurred_at, str(expiry))
        except redis.AuthenticationError:
            self._forget(made)
            self._connected().eval(_REMEMBER, 1, key, payment_id, occurred_at, str(expiry))

    def _connected(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = client_at(self._url(), timeout=TIMEOUT, connections=_CONNECTIONS)
            return self._client

    def _forget(self, refused: redis.Redis) -> None:
        """Has the URL read again; where another thread has done so meanwhile, that one is kept."""
        with self._lock:
            if self._client is refused:
                self._client = None
        refused.close()


def url_in(secret_arn: str) -> str:
    """The URL that a secret's string is."""
    return str(client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"])
