"""What happens at a time: scheduled invocations, and repetitions of asynchronous ones that failed."""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.serve.cron import parse
from localcloud.serve.functions import Functions, UnknownFunctionError
from localcloud.serve.model import Deployed, Schedule, ServeError
from localcloud.serve.permissions import allows
from localcloud.serve.pool import ThrottledError

log = logging.getLogger("localcloud.serve")

# Lambda, "How Lambda handles errors and retries with asynchronous invocation": one minute before the first repetition, two before the second.
RETRIES = (60.0, 120.0)

_SERVICE = "events.amazonaws.com"


class Timetable:
    """Does things at their time, each in a thread of a pool; time is the system's monotonic clock's."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="timetable")
        self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)

    def start(self) -> None:
        """Does what is due from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Begins nothing more."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Does `action` in so many seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (not self._due or self._due[0][0] > time.monotonic()):
                    # Not the whole time at once: a laptop that slept would oversleep.
                    self._changed.wait(min(5.0, self._due[0][0] - time.monotonic()) if self._due else None)
                if self._stopping:
                    return
                _, _, action = heapq.heappop(self._due)
                self._pool.submit(_logged, action)


def _logged(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:
        log.exception("something that was due could not be done")


class AsyncCalls:
    """Asynchronous invocations: nobody waits for an answer, and what fails is tried twice more."""

    def __init__(self, functions: Functions, timetable: Timetable, *, retries: tuple[float, ...] = RETRIES) -> None:
        self._functions, self._timetable, self._retries = functions, timetable, retries

    def submit(self, name: str, payload: bytes) -> None:
        """Has the function run on the event soon; raises UnknownFunctionError."""
        self._functions.pool(name)
        self._timetable.after(0.0, lambda: self._attempt(name, payload, 0))

    def _attempt(self, name: str, payload: bytes, attempt: int) -> None:
        try:
            outcome = self._functions.invoke(name, payload)
            problem = outcome.payload[:500].decode(errors="replace") if outcome.error else ""
        except (ThrottledError, ServeError, UnknownFunctionError, BotoCoreError, ClientError, OSError) as error:
            problem = str(error)
        if not problem:
            return
        if attempt >= len(self._retries):
            log.error("function %s failed on an asynchronous event, and on its repetitions; the event is lost: %s", name, problem)
            return
        log.warning("function %s failed on an asynchronous event; again in %.0f s: %s", name, self._retries[attempt], problem)
        self._timetable.after(self._retries[attempt], lambda: self._attempt(name, payload, attempt + 1))


class Schedules:
    """The rules with schedules. every: seconds between two runs in place of what the rules say."""

    def __init__(self, calls: AsyncCalls, functions: Functions, timetable: Timetable, *, every: float | None = None) -> None:
        self._calls, self._functions, self._timetable, self._every = calls, functions, timetable, every
        self._deployed: Deployed | None = None
        self._known: set[Schedule] = set()

    def update(self, deployed: Deployed) -> None:
        """Keeps these schedules from now on; one that stays goes on as it is."""
        self._deployed = deployed
        new = set(deployed.schedules) - self._known
        self._known = set(deployed.schedules)
        for schedule in new:
            self._arm(schedule, datetime.now(UTC))

    def _arm(self, schedule: Schedule, last: datetime) -> None:
        due = last + timedelta(seconds=self._every) if self._every else parse(schedule.expression)(last)
        if due is not None:
            self._timetable.after((due - datetime.now(UTC)).total_seconds(), lambda: self._run(schedule, due))

    def _run(self, schedule: Schedule, due: datetime) -> None:
        if schedule not in self._known or self._deployed is None:
            return
        # After a pause of the machine one run is enough for all that were missed.
        self._arm(schedule, max(due, datetime.now(UTC) - timedelta(seconds=1)))
        function = self._functions.pool(schedule.function).function
        if not allows(function.policy, _SERVICE, schedule.arn):
            log.error("rule %s: the policy of function %s does not let %s invoke it for %s", schedule.rule, function.name, _SERVICE, schedule.arn)
            return
        self._calls.submit(schedule.function, schedule.input.encode() if schedule.input else _event(schedule, self._deployed, due))


def _event(schedule: Schedule, deployed: Deployed, due: datetime) -> bytes:
    """EventBridge's event of a scheduled rule ("Scheduled Event")."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": deployed.account,
        "time": due.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": deployed.region,
        "resources": [schedule.arn],
        "detail": {},
    }
    return json.dumps(event, separators=(",", ":")).encode()
