"""Structured logs, embedded metrics and traces of one function, or of the container that stands in for it."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from payments.domain.card_data import redacted
from payments.functions import METRIC_NAMESPACE, Function, Metric, Variable

_SAMPLED = "Sampled=1"


def _serialized(entry: dict[str, Any]) -> str:
    # Nothing is logged that a caller sent; should a library do it all the same, no card number gets through.
    return redacted(json.dumps(entry, default=str, ensure_ascii=False))


class Telemetry:
    """Logger, metrics and traces of a function; threads may share it."""

    def __init__(self, function: Function) -> None:
        self.log: Logger = Logger(service=function.name, json_serializer=_serialized, use_rfc3339=True)
        self._service = function.name
        self._lock = threading.Lock()
        self._counts: Counter[Metric] = Counter()
        # One for all flushes, as making it takes longer than writing what was counted.
        self._metrics = EphemeralMetrics(namespace=METRIC_NAMESPACE, service=function.name)
        self._tracer: Any = None

    @contextmanager
    def correlated(self, correlation_id: str) -> Generator[None]:
        """Gives every line that this thread logs in the block the correlation id. Not to be nested."""
        self.log.thread_safe_append_keys(correlation_id=correlation_id)
        try:
            yield
        finally:
            self.log.thread_safe_remove_keys(["correlation_id"])

    def count(self, metric: Metric, times: int = 1) -> None:
        """Adds to a metric; it is written at the next `flush`."""
        with self._lock:
            self._counts[metric] += times

    def flush(self) -> None:
        """Writes what was counted to standard output, in CloudWatch's embedded metric format; nothing where nothing was counted."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            if not counts:
                return
            # From the environment and not from the settings: where these are incomplete, the failure is counted in the right place too.
            self._metrics.add_dimension("stage", os.environ.get(Variable.STAGE) or "unknown")
            for metric, times in counts.items():
                self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=times)
            self._metrics.flush_metrics()

    @contextmanager
    def span(self, name: str, **annotations: str) -> Generator[None]:
        """A part of the trace and what it is found by, where Lambda samples this invocation: never a payload, and of an error only that there was one."""
        part = self._begun(name)
        if part is None:
            yield
            return
        for key, value in annotations.items():
            part.put_annotation(key, value)
        try:
            yield
        except Exception:
            part.add_fault_flag()
            raise
        finally:
            self._tracer.provider.end_subsegment()

    def _begun(self, name: str) -> Any:
        if _SAMPLED not in os.environ.get("_X_AMZN_TRACE_ID", ""):
            return None
        with self._lock:
            if self._tracer is None:
                # Not at the top: X-Ray's SDK takes longer to import than all of this service, and most invocations are not sampled.
                from aws_lambda_powertools.tracing import Tracer

                self._tracer = Tracer(service=self._service, auto_patch=False)
        return None if self._tracer.disabled else self._tracer.provider.begin_subsegment(name)
