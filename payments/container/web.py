"""The API's routes over HTTP: what API Gateway and the two functions do, in one process."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from payments import errors, http
from payments.assembly.storing import store_from
from payments.container.health import Health
from payments.container.keys import HEADER, Door
from payments.container.settings import WebSettings
from payments.functions import PROCESS_PAYMENT, VERIFY_PAYMENT
from payments.messaging.work_queue import SqsWorkQueue
from payments.routes.process_payment import process_payment
from payments.routes.verify_payment import verify_payment
from payments.storage.cache import PaymentCache
from payments.storage.cached_payments import CachedPayments
from payments.telemetry import Telemetry

BODY_SECONDS = 10.0
"""In which a request's body has to arrive."""

_ALLOWED = ("POST",)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A path, what answers there, and whose logs and metrics it writes."""

    path: str
    route: Callable[[http.Request], http.Answer]
    telemetry: Telemetry


@dataclass
class Threads:
    """Runs routes, which wait for the database, outside the event loop: so many at once, and so many more that wait for one of these to end."""

    threads: int
    waiting: int
    _busy: int = 0
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="request")

    @property
    def full(self) -> bool:
        """Whether no other request is taken now. The event loop alone counts."""
        return self._busy >= self.threads + self.waiting

    async def run(self, do: Callable[[], http.Answer]) -> http.Answer:
        """The answer of `do`; it goes on to its end when nobody waits for it any more."""
        self._busy += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, do)
        done.add_done_callback(self._ended)
        return await asyncio.shield(done)

    def close(self) -> None:
        """Returns when all that was begun has ended."""
        self._pool.shutdown()

    def _ended(self, _: object) -> None:
        self._busy -= 1


def application(settings: WebSettings) -> Starlette:
    """The application. No connection is made before the first request."""
    processing, verifying = Telemetry(PROCESS_PAYMENT), Telemetry(VERIFY_PAYMENT)
    store = store_from(settings.place)
    queue = SqsWorkQueue(settings.work_queue_url)
    cache = PaymentCache.at(settings.cache_url, stage=settings.stage, telemetry=verifying) if settings.cache_url else None
    payments = CachedPayments(store.payments, cache) if cache else store.payments
    places = [
        Place(
            path="/process-payment",
            route=partial(process_payment, payments=payments, queue=queue, outbox=store.outbox, telemetry=processing, api_url=settings.api_url),
            telemetry=processing,
        ),
        Place(path="/verify-payment", route=partial(verify_payment, payments=payments, api_url=settings.api_url), telemetry=verifying),
    ]
    door = Door(settings.api_keys, settings.api_keys_before or {})
    threads = Threads(settings.threads, settings.waiting)
    health = Health(store, verifying)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncGenerator[None]:
        yield
        threads.close()
        health.close()
        if cache:
            cache.close()
        store.close()

    return Starlette(
        routes=[*(Route(place.path, partial(_served, place, door, threads), methods=_ALLOWED) for place in places), *health.routes()],
        exception_handlers=dict.fromkeys((404, 405), partial(_elsewhere, verifying)),
        lifespan=life,
    )


async def _served(place: Place, door: Door, threads: Threads, request: Request) -> Response:
    correlation_id = str(uuid.uuid4())
    headers = dict(request.headers)
    try:
        merchant = door.merchant(headers.get(HEADER))
        if threads.full:
            raise errors.temporarily_unavailable()
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(request)
        if threads.full:  # others have arrived since
            raise errors.temporarily_unavailable()
    except ClientDisconnect:
        return Response(status_code=400)  # which nobody reads
    except TimeoutError:
        return _response(_refused(place.telemetry, errors.body_too_slow(BODY_SECONDS), correlation_id), close=True)
    except errors.Problem as problem:
        return _response(_refused(place.telemetry, problem, correlation_id), close=True)
    too_large = len(body) > http.LARGEST_BODY

    def call() -> http.Answer:
        return place.route(http.Request.read(body, headers, merchant=merchant, correlation_id=correlation_id))

    answer = await threads.run(partial(http.respond, call, correlation_id=correlation_id, telemetry=place.telemetry))
    return _response(answer, close=too_large)


async def _body(request: Request) -> bytes:
    """The body, of which no more is read than shows that it is too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > http.LARGEST_BODY:
        raise errors.body_too_large(http.LARGEST_BODY)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > http.LARGEST_BODY:
            break
    return bytes(body)


def _refused(telemetry: Telemetry, problem: errors.Problem, correlation_id: str) -> http.Answer:
    def refuse() -> http.Answer:
        raise problem

    return http.respond(refuse, correlation_id=correlation_id, telemetry=telemetry)


def _response(answer: http.Answer, *, close: bool = False) -> Response:
    """close: the connection has what is left of the request, so it cannot bear another one."""
    headers: Mapping[str, str] = {**answer.headers, "Connection": "close"} if close else answer.headers
    return Response(answer.body, answer.status, headers)


async def _elsewhere(telemetry: Telemetry, _: Request, error: Any) -> Response:
    """Paths and methods that there are not, as a problem document like all others."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls this for these alone
    problem = errors.nothing_here() if error.status_code == HTTPStatus.NOT_FOUND else errors.method_not_allowed()
    answer = _refused(telemetry, problem, str(uuid.uuid4()))
    # A 405 names the methods that there are (RFC 9110, 15.5.6).
    return Response(answer.body, answer.status, {**(error.headers or {}), **answer.headers})
