"""The relay by the clock: what EventBridge's schedule does for the function."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from payments.container.loops import Stop
from payments.service.relaying import Relay
from payments.telemetry import Telemetry

RUN_SECONDS = 55.0
"""For one run. What is left is the next one's."""


@dataclass(frozen=True, kw_only=True)
class Relaying:
    """Runs the relay, and waits. every: seconds between the ends and the beginnings of runs."""

    relay: Relay
    every: float
    telemetry: Telemetry

    def once(self, stop: Stop) -> None:
        """One run and the wait after it; when it is time to stop, nothing new is begun. Raises RelayError."""
        deadline = time.monotonic() + RUN_SECONDS
        with self.telemetry.correlated(str(uuid.uuid4())):
            try:
                self.relay.run(remaining=lambda: 0.0 if stop else deadline - time.monotonic())
            finally:
                self.telemetry.flush()
        stop.wait(self.every)
