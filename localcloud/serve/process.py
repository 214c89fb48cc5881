"""A function's process and the Runtime API that it asks for events."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from localcloud.serve.http1 import LOOPBACK, BadRequestError, Request, Response, read_request
from localcloud.serve.logs import Line, now

LARGEST_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event and of an answer (Lambda quotas, "Invocation payload", synchronous)."""

# How long a function's code may take to be imported before the invocation's own time begins ("Lambda execution environment lifecycle").
INIT_SECONDS = 10.0

# Seconds after which a process that stops in the middle of a request, or does not take an answer, is given up.
_STALLED = 60.0

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_API = "/2018-06-01/runtime"


class GoneError(RuntimeError):
    """The process ended before it took the event, which therefore can be given to another."""


class EndedError(RuntimeError):
    """The process ended, or had to be ended, with an event under way. kind: Lambda's name for it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class InitError(RuntimeError):
    """The function's code cannot be loaded. payload: what the runtime said, as JSON."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@dataclass(frozen=True, slots=True)
class Event:
    """What a process is given. deadline: seconds since the epoch."""

    request_id: str
    payload: bytes
    deadline: float
    arn: str
    trace: str
    client_context: str = ""


@dataclass(slots=True)
class _Peer:
    """A connection of the process to its Runtime API."""

    socket: socket.socket
    stream: BinaryIO = field(repr=False)

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


class Process:
    """One execution environment: it has one event at a time, and its output is read while it has one.

    Whoever gives it an event serves its Runtime API in the same thread until there is an answer. Output between events waits in the pipe,
    as it would in Lambda, where a process is frozen between them.
    task: the unpacked package. runtime: the folder of the runtime client. scratch: where its own temporary folder is made.
    """

    def __init__(self, *, task: Path, runtime: Path, scratch: Path, environment: Mapping[str, str]) -> None:
        self.started = time.monotonic()
        self.output: list[Line] = []
        self._folder = Path(tempfile.mkdtemp(prefix="process-", dir=scratch))
        self._listener = socket.create_server((LOOPBACK, 0), backlog=4)
        self._selector = selectors.DefaultSelector()
        self._peers: list[_Peer] = []
        self._asking: _Peer | None = None
        self._partial = b""
        variables = {
            **environment,
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{self._listener.getsockname()[1]}",
            # A home and a temporary folder of its own: nothing that the user keeps in theirs (~/.aws, ~/.pgpass) may reach the function.
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
        }
        # Bytecode is kept beside the package, which itself stays as it was unpacked.
        command = [sys.executable, "-I", "-S", "-X", f"pycache_prefix={task.with_suffix('.pyc')}", str(_BOOTSTRAP), str(task), str(runtime)]
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            command,
            env=variables,
            cwd=task,
            # The other end of its standard input is held by this process alone: when it is gone, the function ends too.
            stdin=subprocess.PIPE,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
        os.close(writing)
        os.set_blocking(reading, False)
        self._pipe: int | None = reading
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(reading, selectors.EVENT_READ)
        # Tells at once when the process ends, where the system has it; elsewhere that is looked up a few times a second.
        self._end: int | None = None
        if sys.platform == "linux":
            self._end = os.pidfd_open(self._process.pid)
            self._selector.register(self._end, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    def ready(self, seconds: float) -> bool:
        """Waits until the process asks for an event; False when it does not within that time. Raises InitError or GoneError."""
        deadline = time.monotonic() + seconds
        while self._asking is None:
            asked = self._next_request(deadline)
            if asked is None:
                return False
            peer, request = asked
            if request.raw_path == f"{_API}/invocation/next":
                self._asking = peer
                break
            self._reply(peer, Response(202, b"{}"))
            if request.raw_path == f"{_API}/init/error":
                self._wait_for_end()
                raise InitError(request.body)
        return True

    def handle(self, event: Event) -> tuple[bool, bytes]:
        """Gives the event to the process, which must be ready: whether it failed, and its answer or error as JSON.

        Raises GoneError, or EndedError when it ended or the time is over; the process is then of no more use.
        """
        peer, self._asking = self._asking, None
        if peer is None:
            raise RuntimeError("the process has not asked for an event; wait for that with `ready` first")
        if not self.alive():
            raise GoneError(f"process {self.pid} ended: {_how(self._process.returncode)}")
        self._reply(peer, Response(200, event.payload, _event_headers(event)))
        own = f"{_API}/invocation/{event.request_id}/"
        while True:
            try:
                asked = self._next_request(time.monotonic() + event.deadline - time.time())
            except GoneError:
                raise self._ended(event.request_id) from None
            if asked is None:
                self.kill()
                raise EndedError("Sandbox.Timedout", "Task timed out")
            peer, request = asked
            if request.raw_path in {own + "response", own + "error"}:
                self._reply(peer, Response(202, b'{"status":"OK"}', [("Content-Type", "application/json")]))
                self._read_output()
                return request.raw_path.endswith("error"), request.body
            self._reply(peer, Response(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'))

    def take_output(self) -> list[Line]:
        """The lines that the process wrote since this was asked last."""
        lines, self.output = self.output, []
        return lines

    def signal_end(self) -> None:
        """Ends the process and all that it started; whoever waits for its answer learns that it ended. For other threads than that one."""
        # Not after it was waited for: its number may be another's by then.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """Ends the process and all that it started, at once; reads what it wrote until then."""
        self.signal_end()
        self._wait_for_end()

    def close(self) -> None:
        """Ends the process and gives back what it holds."""
        self.kill()
        self._selector.close()
        for thing in (*self._peers, self._listener, self._process.stdin):
            if thing is not None:
                with contextlib.suppress(OSError):
                    thing.close()
        for number in (self._pipe, self._end):
            if number is not None:
                os.close(number)
        self._pipe = self._end = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def _next_request(self, deadline: float) -> tuple[_Peer, Request] | None:
        """The next request of the process; None when the time is over. Raises GoneError."""
        while (left := deadline - time.monotonic()) > 0:
            # The process may end without having connected, and a child of it may hold its output open: so it is also looked after now and then.
            ready = self._selector.select(min(left, 0.25))
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == self._pipe:
                    self._read_output()
                elif key.data and (request := self._read(key.data)):
                    return key.data, request
            if not self.alive():
                raise GoneError(f"process {self.pid} ended: {_how(self._process.returncode)}")
        return None

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_STALLED)
        peer = _Peer(connection, connection.makefile("rb"))
        self._peers.append(peer)
        self._selector.register(connection, selectors.EVENT_READ, peer)

    def _read(self, peer: _Peer) -> Request | None:
        try:
            request = read_request(peer.stream, peer.socket, 2 * LARGEST_PAYLOAD)
        except (OSError, BadRequestError):
            request = None
        if request is None:
            self._selector.unregister(peer.socket)
            self._peers.remove(peer)
            peer.close()
        return request

    def _reply(self, peer: _Peer, response: Response) -> None:
        # A process that is gone is noticed where its next request is waited for.
        with contextlib.suppress(OSError):
            peer.socket.sendall(response.encoded())

    def _read_output(self) -> None:
        while self._pipe is not None:
            try:
                read = os.read(self._pipe, 64 * 1024)
            except BlockingIOError:
                return
            if not read:
                self._selector.unregister(self._pipe)
                os.close(self._pipe)
                self._pipe = None
            at = now()
            *lines, self._partial = (self._partial + read).split(b"\n")
            if not read and self._partial:
                lines, self._partial = [self._partial], b""
            self.output += [(at, line.decode(errors="replace")) for line in lines]

    def _wait_for_end(self) -> None:
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.signal_end()
            self._process.wait()
        self._read_output()

    def _ended(self, request_id: str) -> EndedError:
        self._read_output()
        return EndedError("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {_how(self._process.returncode)}")


def _event_headers(event: Event) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(int(event.deadline * 1000))),
        ("Lambda-Runtime-Invoked-Function-Arn", event.arn),
        ("Lambda-Runtime-Trace-Id", event.trace),
    ]
    return [*headers, ("Lambda-Runtime-Client-Context", event.client_context)] if event.client_context else headers


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"with error: signal: {signal.strsignal(-code) or -code}".lower()
    return f"with error: exit status {code}" if code else "without providing a reason"
