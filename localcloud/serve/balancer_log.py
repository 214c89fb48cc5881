"""Access logs of load balancers: a line per request, in files in the bucket that the load balancer names ("Access logs for your ALB")."""

from __future__ import annotations

import gzip
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws import Aws
from localcloud.serve.balancer_rules import host_of
from localcloud.serve.balancers import Balancer
from localcloud.serve.exchange import Exchange
from localcloud.serve.http1 import LOOPBACK

log = logging.getLogger("localcloud.serve")

_EVERY = 300.0  # seconds between two files, as AWS writes them
_MOST_WAITING = 100_000


def line(entry: Exchange) -> str:
    """A request in the order of fields that AWS documents ("Access log entries"). No value can end its quotes."""
    request, response, target = entry.request, entry.response, entry.target
    place = f"{target.address}:{target.port}" if target else "-"
    cipher, protocol = request.cipher or ("-", "-")
    scheme = "https" if entry.listener.secure else "http"
    host = request.header("host") or "-"
    asked = f"{request.method} {scheme}://{host if ':' in host else f'{host}:{entry.listener.port}'}{request.target} {request.version}"
    status = str(entry.target_status) if entry.target_status else "-"
    sent = sum(len(name) + len(value) + 4 for name, value in response.headers) + len(response.body)
    received = len(asked) + sum(len(name) + len(value) + 4 for name, value in request.headers) + len(request.body)
    fields = [
        scheme,
        _moment(time.time()),
        entry.balancer.id,
        f"{request.peer}:{request.peer_port}",
        place,
        *(f"{seconds:.3f}" if seconds >= 0 else "-1" for seconds in entry.times),
        str(response.status),
        status,
        str(received),
        str(sent),
        _quoted(asked),
        _quoted(request.header("user-agent") or "-"),
        cipher,
        protocol,
        entry.group or "-",
        _quoted(entry.trace),
        _quoted(host_of(request) if request.cipher else "-"),
        _quoted(entry.listener.certificate or "-"),
        str(entry.rule.priority) if entry.rule else "-1",
        _moment(entry.began),
        _quoted(",".join(entry.actions) or "-"),
        _quoted(entry.location or "-"),
        _quoted(entry.reason or "-"),
        _quoted(place),
        _quoted(status),
        '"-"',
        '"-"',
        f"TID_{secrets.token_hex(16)}",
    ]
    return " ".join(fields)


class AccessLog:
    """Keeps lines and writes them into the buckets every few minutes, and at the end."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._waiting: dict[str, tuple[Balancer, deque[str]]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def start(self) -> None:
        """Writes from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, and no more after that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self.flush()

    def write(self, exchange: Exchange) -> None:
        """Takes a request where the load balancer keeps a log; returns at once."""
        balancer = exchange.balancer
        if balancer.log is None:
            return
        text = line(exchange)
        with self._lock:
            _, waiting = self._waiting.setdefault(balancer.arn, (balancer, deque(maxlen=_MOST_WAITING)))
            waiting.append(text)

    def flush(self) -> None:
        """Writes what waits now."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for balancer, lines in waiting.values():
            self._put(balancer, lines)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY):
            self.flush()

    def _put(self, balancer: Balancer, lines: Sequence[str]) -> None:
        if balancer.log is None:
            return
        content = gzip.compress("".join(f"{text}\n" for text in lines).encode())
        key = name(balancer, self._aws, datetime.now(UTC))
        try:
            self._aws.client("s3").put_object(Bucket=balancer.log.bucket, Key=key, Body=content)
        except (BotoCoreError, ClientError) as error:
            log.warning("load balancer %s: %d lines of its access log could not be written to %s: %s", balancer.name, len(lines), balancer.log.bucket, error)


def name(balancer: Balancer, aws: Aws, at: datetime) -> str:
    """The key of a file ("Access log files")."""
    prefix = f"{balancer.log.prefix}/" if balancer.log and balancer.log.prefix else ""
    file = f"{aws.account}_elasticloadbalancing_{aws.region}_{balancer.id.replace('/', '.')}_{at:%Y%m%dT%H%MZ}_{LOOPBACK}_{secrets.token_hex(4)}.log.gz"
    return f"{prefix}AWSLogs/{aws.account}/elasticloadbalancing/{aws.region}/{at:%Y/%m/%d}/{file}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _quoted(text: str) -> str:
    """Between quotes; quotes and what does not print are encoded, as the client writes some of these texts."""
    return '"' + "".join(char if " " <= char <= "~" and char not in '"\\' else f"\\x{ord(char):02X}" for char in text) + '"'
