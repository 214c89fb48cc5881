"""Environment variables of the container, beyond those that the functions have.

States of payments are cached where CACHE_URL is given: the platform's secrets set it, and no task reads CACHE_SECRET_ARN for that.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from payments.container.keys import Keys
from payments.functions import SHORTEST_RUN
from payments.settings import CacheSettings, Filled, OutboxRelaySettings, PaymentWorkerSettings, Port, ProcessPaymentSettings, StorageSettings


class ServerSettings(StorageSettings):
    """Of every container: all of them answer HTTPS, if only to whoever looks after them.

    host, port: where. grace: seconds for finishing, once the container was told to stop, SHORTEST_RUN at least, or a batch that was just taken is left
    undone; keep it below the platform's own limit (30 on ECS).
    """

    host: Filled = "0.0.0.0"  # noqa: S104 - a container has a network of its own
    port: Port = 8443
    grace: Annotated[float, Field(ge=SHORTEST_RUN, le=600)] = 25


class WebSettings(ServerSettings, CacheSettings, ProcessPaymentSettings):
    """Of `web`.

    api_keys: whom it answers. api_keys_before: keys that are going to be replaced by those, and are good until then.
    threads: requests that are worked on at once, each with a connection to the database.
    waiting: requests that may wait for a thread; any more are told to come again.
    """

    api_keys: Annotated[Keys, Field(repr=False)]
    api_keys_before: Annotated[Keys | None, Field(repr=False)] = None
    threads: Annotated[int, Field(ge=1, le=256)] = 16
    waiting: Annotated[int, Field(ge=0, le=10_000)] = 64


class WorkerSettings(ServerSettings, CacheSettings):
    """Of `worker`.

    consumers: threads that take messages from the work queue, a batch at a time; 0 for none.
    relay_every: seconds between two runs of the relay; 0 for none.
    """

    consumers: Annotated[int, Field(ge=0, le=64)] = 2
    relay_every: Annotated[float, Field(ge=0, le=3600)] = 60


class ConsumerSettings(PaymentWorkerSettings):
    """Of `worker` where it has consumers."""

    work_queue_url: Filled


class RelaySettings(OutboxRelaySettings):
    """Of `worker` where it has a relay."""
