"""What is told to whoever looks after the container: whether it lives, and whether it should be given work."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payments.storage.store import Store
from payments.telemetry import Telemetry, described

REMEMBERED = 1.0
"""Seconds for which an answer about the database serves all who ask, so that asking costs it nothing."""

PATIENCE = 4.0
"""Seconds after which a database that has not answered is taken for unreachable."""


class Health:
    """`/health`: the process works; where it does not, it should be replaced. `/ready`: the store is reached and has all that this code needs.

    alive: what else has to hold, besides that the process answers.
    """

    def __init__(self, store: Store, telemetry: Telemetry, *, alive: Callable[[], bool] = lambda: True) -> None:
        self._store = store
        self._telemetry = telemetry
        self._alive = alive
        # A thread of its own, as all others may be waiting for the very database that is asked about.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._asked: Future[str] | None = None
        self._asked_at = 0.0

    def routes(self) -> list[Route]:
        """Both."""
        return [Route("/health", self._health), Route("/ready", self._ready)]

    def close(self) -> None:
        """Ends the thread when it has its answer."""
        self._thread.shutdown(cancel_futures=True)

    async def _health(self, _: Request) -> Response:
        alive = self._alive()
        return _told(HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE, "alive" if alive else "stuck")

    async def _ready(self, _: Request) -> Response:
        try:
            # Shielded: whoever asks next waits for the same answer.
            status = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asking())), PATIENCE)
        except TimeoutError:
            status = "database-unavailable"
        return _told(HTTPStatus.OK if status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE, status)

    def _asking(self) -> Future[str]:
        """The look at the database that is under way or was made just now, or else a new one. The event loop alone calls this."""
        asked = self._asked
        if asked is None or (asked.done() and time.monotonic() - self._asked_at > REMEMBERED):
            self._asked_at = time.monotonic()
            asked = self._asked = self._thread.submit(self._look)
        return asked

    def _look(self) -> str:
        try:
            return "ready" if self._store.is_ready() else "schema-behind"
        except Exception as error:  # noqa: BLE001 - whatever it is, no request that needs the database can be answered
            self._telemetry.log.warning("not ready: %s", described(error))
            return "database-unavailable"


def _told(status: HTTPStatus, text: str) -> Response:
    return Response(json.dumps({"status": text}), status, {"Cache-Control": "no-store"}, "application/json")
