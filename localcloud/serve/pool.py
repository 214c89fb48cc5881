"""The processes of one function, and what an invocation comes to."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from localcloud.serve import platform_log
from localcloud.serve.logs import LogWriter, now
from localcloud.serve.model import Function
from localcloud.serve.platform_log import Report
from localcloud.serve.process import INIT_SECONDS, LARGEST_PAYLOAD, EndedError, Event, GoneError, InitError, Process

log = logging.getLogger("localcloud.serve")

_TAIL = 4096  # bytes of log that an answer carries (Invoke API, LogResult)
_SETTLING = 5.0  # seconds that a process has after an answer to ask for the next event

Launch = Callable[[Function, str], Process]
"""Starts a process for a function and the name of a log stream."""


class ThrottledError(RuntimeError):
    """As many processes of the function work as may."""


@dataclass(frozen=True, slots=True)
class Call:
    """An invocation that is asked for."""

    payload: bytes
    request_id: str
    trace: str
    client_context: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an invocation. error: `Unhandled`, None when there was none. tail: the end of its log. cold: whether a process was made for it."""

    request_id: str
    payload: bytes
    error: str | None
    tail: bytes
    cold: bool
    seconds: float


@dataclass(slots=True, eq=False)
class _Worker:
    """A process with its log stream, and whether it has been asked to do anything yet."""

    process: Process
    stream: str
    fresh: bool = True
    loaded: float | None = None


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an attempt ended. usable: whether the process can be given another event. began: when the handler did, by the monotonic clock."""

    payload: bytes
    status: str
    usable: bool
    began: float
    said: tuple[str, ...] = field(default_factory=tuple[str, ...])


class Pool:
    """The processes of one function: made as they are needed, at most `most` of them.

    Lambda would run as many as the account allows; where this machine's limit is the narrower one, an invocation waits instead of being refused.
    """

    def __init__(self, function: Function, launch: Launch, logs: LogWriter, *, most: int, as_json: bool) -> None:
        self.function = function
        self.cold_starts = 0
        self._launch, self._logs, self._as_json = launch, logs, as_json
        self._refuses = function.reserved is not None and function.reserved <= most
        self.most = most if function.reserved is None else min(most, function.reserved)
        self._free = threading.Semaphore(self.most)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, call: Call, patience: float) -> Outcome:
        """Runs the function; raises ThrottledError when no process becomes free within `patience` seconds."""
        if not self._free.acquire(timeout=0.0 if self._refuses or not self.most else patience):
            raise ThrottledError(f"{self.most} invocations of {self.function.name} are under way, and no more may be")
        try:
            while (outcome := self._once(self._take(), call)) is None:
                pass  # the process had ended since its last answer; the event was not given to it
            return outcome
        finally:
            self._free.release()

    def warm(self) -> None:
        """Has a process made and the function's code loaded before the first event, if a process may be made now."""
        if not self.most or not self._free.acquire(blocking=False):
            return
        try:
            worker = self._take()
            try:
                self._ready(worker)
            except (InitError, GoneError, EndedError):
                self._discard(worker)  # the first invocation meets it again, and tells it in its answer and in the log
            else:
                self._keep(worker)
        finally:
            self._free.release()

    def close(self, *, at_once: bool = True) -> None:
        """Ends the processes: all of them now, or each as soon as it has no event."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            working = self._all - set(idle)
        for worker in idle:
            self._discard(worker)
        if at_once:
            for worker in working:
                worker.process.signal_end()

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()  # the one that worked last, so that the others' memory may rest
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        worker = _Worker(self._launch(self.function, stream), stream)
        with self._lock:
            self._all.add(worker)
            self.cold_starts += 1
            ending = self._closed
        if ending:
            worker.process.signal_end()
        return worker

    def _keep(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        self._discard(worker)

    def _discard(self, worker: _Worker) -> None:
        worker.process.close()
        with self._lock:
            self._all.discard(worker)

    def _ready(self, worker: _Worker) -> None:
        """Waits until the process asks for an event; raises InitError, GoneError or EndedError."""
        patience = INIT_SECONDS + self.function.timeout if worker.fresh else _SETTLING
        if not worker.process.ready(patience):
            worker.process.kill()
            raise EndedError("Sandbox.Timedout", f"it did not ask for an event within {patience:.2f} seconds")
        if worker.fresh and worker.loaded is None:
            worker.loaded = time.monotonic() - worker.process.started

    def _once(self, worker: _Worker, call: Call) -> Outcome | None:
        """Gives the event to the process; None when the process was gone before that."""
        cold, at, begun = worker.fresh, now(), time.monotonic()
        ended = self._attempt(worker, call)
        if ended is None:
            self._discard(worker)
            return None
        init, worker.fresh = worker.loaded if cold else None, False
        seconds = time.monotonic() - ended.began
        report = Report(call.request_id, seconds, self.function.memory, platform_log.peak_memory(worker.process.pid), init, ended.status)
        lines = [platform_log.start(call.request_id, at, as_json=self._as_json), *worker.process.take_output()]
        lines += [*((now(), said) for said in ended.said), *platform_log.end(report, now(), as_json=self._as_json)]
        self._logs.write(f"/aws/lambda/{self.function.name}", worker.stream, lines)
        if ended.usable:
            self._keep(worker)
        else:
            self._discard(worker)
        tail = "\n".join(text for _, text in lines).encode()[-_TAIL:]
        return Outcome(call.request_id, ended.payload, None if ended.status == "success" else "Unhandled", tail, cold, time.monotonic() - begun)

    def _attempt(self, worker: _Worker, call: Call) -> _Ended | None:
        began = time.monotonic()
        try:
            self._ready(worker)
            began = time.monotonic()
            event = Event(call.request_id, call.payload, time.time() + self.function.timeout, self.function.arn, call.trace, call.client_context)
            failed, payload = worker.process.handle(event)
        except InitError as error:
            return _Ended(error.payload, "error", False, began)
        except GoneError as error:
            if not worker.fresh:
                return None
            said = f"RequestId: {call.request_id} Error: {error}"
            return _Ended(failure("Runtime.ExitError", said), "error", False, began, (said,))
        except EndedError as error:
            over = error.kind == "Sandbox.Timedout"
            said = f"{platform_log.moment(now())} {call.request_id} Task timed out after {self.function.timeout:.2f} seconds" if over else str(error)
            return _Ended(failure(error.kind, said), "timeout" if over else "error", False, began, (said,))
        if len(payload) > LARGEST_PAYLOAD:
            said = f"Response payload size exceeded maximum allowed payload size ({LARGEST_PAYLOAD} bytes)."
            return _Ended(failure("Function.ResponseSizeTooLarge", said), "error", True, began, (said,))
        return _Ended(payload, "error" if failed else "success", True, began)


def failure(kind: str, text: str) -> bytes:
    """An error as Lambda gives it to the caller."""
    return json.dumps({"errorType": kind, "errorMessage": text}, separators=(",", ":")).encode()
