"""Hands a request on to a target, as an application load balancer does, over connections that are kept."""

from __future__ import annotations

import http.client
import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from localcloud.serve.balancers import Balancer, Listener
from localcloud.serve.functions import new_trace
from localcloud.serve.http1 import Headers, Request, Response
from localcloud.serve.targets import Target
from localcloud.serve.targets import connection as to_target

_CONNECT_SECONDS = 10.0  # "HTTP 504", troubleshooting: the target did not take the connection within ten seconds
_MOST_IDLE = 64  # connections of one target

# What belongs to one connection and not to the message (RFC 9110, 7.6.1); the length is told anew.
_HOP = frozenset(("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"))
_OWN = frozenset(("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"))
_VALID = re.compile(r"[-A-Za-z0-9]+")  # names of header fields, "routing.http.drop_invalid_header_fields.enabled"


class TargetError(RuntimeError):
    """A target gave no answer that can be handed on. status: what the client is told."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answered:
    """A target's answer. seconds: until its first byte."""

    response: Response
    seconds: float


class Connections:
    """Connections to targets, kept while they are not used."""

    def __init__(self) -> None:
        self._idle: dict[Target, list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()

    def send(self, target: Target, request: Request, headers: Headers, idle: float) -> Answered:
        """Sends a request once, and reads the answer; raises TargetError. idle: seconds that the target may be silent."""
        connection = self._taken(target)
        began = time.monotonic()
        try:
            _connected(connection).settimeout(idle)
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            seconds, body = time.monotonic() - began, answer.read()
        except TimeoutError:
            connection.close()
            raise TargetError(504, f"{target.address}:{target.port} did not answer in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise TargetError(502, f"{target.address}:{target.port}: {type(error).__name__}: {error}") from None
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
        if answer.will_close:
            connection.close()
        else:
            self._give_back(target, connection)
        return Answered(Response(answer.status, body, kept), seconds)

    def close(self) -> None:
        """Closes what is kept."""
        with self._lock:
            kept, self._idle = self._idle, {}
        for connections in kept.values():
            for connection in connections:
                connection.close()

    def _taken(self, target: Target) -> http.client.HTTPConnection:
        """A kept connection that the target has not closed meanwhile, or a new one."""
        while True:
            with self._lock:
                connections = self._idle.get(target)
                connection = connections.pop() if connections else None
            if connection is None:
                return to_target(target, _CONNECT_SECONDS)
            if connection.sock is not None and not select.select([connection.sock], [], [], 0.0)[0]:
                return connection
            connection.close()

    def _give_back(self, target: Target, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            connections = self._idle.setdefault(target, [])
            if len(connections) < _MOST_IDLE:
                connections.append(connection)
                return
        connection.close()


def _connected(connection: http.client.HTTPConnection) -> socket.socket:
    """The connection's socket, connected when it was not yet; raises OSError."""
    if connection.sock is None:
        connection.connect()  # without delay by Nagle's algorithm
    found: Any = connection.sock
    return found


def forwarded(balancer: Balancer, listener: Listener, request: Request, trace: str) -> Headers:
    """The header fields that a target is sent: the client's, and where it came from ("HTTP headers and Application Load Balancers")."""
    headers: Headers = []
    named = (request.header("connection") or "").lower().replace(" ", "").split(",")
    for name, value in request.headers:
        low = name.lower()
        if low in _HOP or low in _OWN or low in named or (balancer.drops_invalid and not _VALID.fullmatch(name)):
            continue
        headers.append((name, value))
    before = ", ".join(value for name, value in request.headers if name.lower() == "x-forwarded-for")
    if balancer.forwarded == "append":
        headers.append(("X-Forwarded-For", f"{before}, {request.peer}" if before else request.peer))
    elif balancer.forwarded == "preserve" and before:
        headers.append(("X-Forwarded-For", before))
    own = {"X-Forwarded-Proto": "https" if listener.secure else "http", "X-Forwarded-Port": str(listener.port), "X-Amzn-Trace-Id": trace}
    headers += own.items()
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        headers.append(("Content-Length", str(len(request.body))))
    return headers


def traced(request: Request) -> str:
    """The trace id of a request: a new one, or the client's with one of the load balancer's own before it ("Request tracing")."""
    own = new_trace().partition(";")[0].removeprefix("Root=")
    given = request.header("x-amzn-trace-id")
    if not given:
        return f"Root={own}"
    kept = ";".join(part for part in given.split(";") if not part.strip().startswith("Self="))
    return f"Self={own};{kept}"
