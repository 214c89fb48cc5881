"""What runs behind the queue and by the clock, in one process; over HTTP it answers only whether it is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from starlette.applications import Starlette

from payments.assembly.relaying import relay_from
from payments.assembly.storing import store_from
from payments.assembly.working import worker_from
from payments.container.consuming import Consumer, SqsMessages
from payments.container.health import Health
from payments.container.loops import Loops, Turn
from payments.container.relaying import Relaying
from payments.container.settings import ConsumerSettings, RelaySettings, WorkerSettings
from payments.functions import OUTBOX_RELAY, PAYMENT_WORKER
from payments.service.working import Worker
from payments.settings import SettingsError, load
from payments.storage.cache import PaymentCache
from payments.storage.cached_payments import CachedPayments
from payments.telemetry import Telemetry


class Work:
    """Consumers and relay, as the settings want them. No connection is made before they start.

    Raises SettingsError, also for variables that only consumers, or only the relay, need.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._telemetry = Telemetry(PAYMENT_WORKER)
        self._store = store_from(settings.place)
        self._cache: PaymentCache | None = None
        turns: list[Turn] = []
        if settings.consumers:
            consumer = self._consumer(load(ConsumerSettings))
            turns += [consumer for _ in range(settings.consumers)]
        if settings.relay_every:
            telemetry = Telemetry(OUTBOX_RELAY)
            turns.append(Relaying(relay=relay_from(load(RelaySettings), telemetry), every=settings.relay_every, telemetry=telemetry))
        if not turns:
            raise SettingsError("CONSUMERS and RELAY_EVERY are both 0, so there is nothing for this container to do. Set one of them, or do not run it.")
        self._loops = Loops(turns, grace=settings.grace)
        self.unfinished: list[str] = []

    def application(self) -> Starlette:
        """What answers HTTP; the work goes on as long as it does."""
        health = Health(self._store, self._telemetry, alive=self._loops.alive)

        @asynccontextmanager
        async def life(_: Starlette) -> AsyncGenerator[None]:
            self._loops.start()
            yield
            self.unfinished = await asyncio.to_thread(self._loops.end)
            health.close()
            if self.unfinished:
                self._telemetry.log.error("work not finished in time, and left to others", threads=self.unfinished)
                return
            if self._cache:
                self._cache.close()
            self._store.close()

        return Starlette(routes=health.routes(), lifespan=life)

    def _consumer(self, settings: ConsumerSettings) -> Consumer:
        worker = worker_from(settings, self._telemetry)
        if settings.cache_url:
            self._cache = PaymentCache.at(settings.cache_url, stage=settings.stage, telemetry=self._telemetry)
            worker = _outdating(worker, CachedPayments(self._store.payments, self._cache))
        return Consumer(messages=SqsMessages(settings.work_queue_url), worker=worker, telemetry=self._telemetry)


def _outdating(worker: Worker, payments: CachedPayments) -> Worker:
    """The worker, on payments that tell the cache what becomes of them."""
    return replace(worker, advancing=replace(worker.advancing, payments=payments))
