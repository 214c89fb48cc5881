"""Clients of Redis: over TLS the server proves the name in the URL, also where it is reached at another address."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from payments.storage.trust import TRUST_BUNDLE

HOST_ADDRESS = "CACHE_HOSTADDR"
"""Environment variable with the address to connect to in place of the URL's host, by whose name the server is verified all the same: what
PGHOSTADDR is to PostgreSQL's clients."""


class VerifiedConnection(redis.SSLConnection):
    """A connection to the address that the environment names, if it names one, with the server that has the URL's name."""

    def _connect(self) -> ssl.SSLSocket:
        named = self.host
        self.host = os.environ.get(HOST_ADDRESS) or named
        try:
            plain: socket.socket = redis.Connection._connect(self)  # noqa: SLF001 - the only place where a connection can be led elsewhere
        finally:
            self.host = named
        try:
            return self._wrap_socket_with_ssl(plain)
        except (OSError, redis.RedisError):
            plain.close()
            raise


def client_at(url: str, *, timeout: float, connections: int) -> redis.Redis:
    """A client of the Redis at a URL (`redis://…` or, with TLS, `rediss://:password@host:port/0`). No connection is made before it is needed.

    timeout: seconds for a connection, and for an answer.
    """
    # A connection that broke while nobody used it costs another try; an answer that does not come does not.
    once = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    about: dict[str, Any] = {"socket_connect_timeout": timeout, "socket_timeout": timeout, "retry": once, "client_name": "payments"}
    if url.startswith("rediss:"):
        # ElastiCache's certificates are from authorities that every system trusts; the bundle adds those of other servers.
        about |= {"ssl_ca_certs": str(TRUST_BUNDLE)} if TRUST_BUNDLE.exists() else {}
    pool: Any = redis.ConnectionPool.from_url(url, max_connections=connections, **about)
    if pool.connection_class is redis.SSLConnection:
        pool.connection_class = VerifiedConnection
    made = redis.Redis(connection_pool=pool)
    # from_url adds the time-outs to what is tried again.
    made.set_retry(once)
    return made
