"""Structured logs, embedded metrics and traces of one function, or of the container that stands in for it."""

from __future__ import annotations

import json
import os
import threading
import traceback
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from payments.domain.card_data import redacted
from payments.functions import METRIC_NAMESPACE, Function, Metric, Variable

_SAMPLED = "Sampled=1"
_FRAMES = 40  # of one error's traceback that are logged, the innermost ones: a line that CloudWatch cuts off cannot be read as JSON


def _serialized(entry: Any) -> str:
    # Nothing is logged that a caller sent; should a library do it all the same, no card number gets through.
    return redacted(json.dumps(entry, default=str, ensure_ascii=False))


def described(error: BaseException) -> str:
    """What a log may say of an error in one line.

    Of PostgreSQL's the class and the SQLSTATE alone: its texts quote rows and parameters, DETAIL and CONTEXT above all (PostgreSQL, "Error and Notice
    Message Fields"). Our own say what is to be done, and quote nothing.
    """
    kind = type(error)
    # By its module's name, as a function without a relational database does not import psycopg.
    if kind.__module__.partition(".")[0] == "psycopg":
        return f"{kind.__name__} (SQLSTATE {getattr(error, 'sqlstate', None) or 'unknown'})"
    return "".join(traceback.format_exception_only(error)).strip()


def _trail(error: BaseException | None) -> Iterator[str]:
    """What Python prints of an error and of those that led to it, each as `described`."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for link in reversed(seen):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(link.__traceback__, -_FRAMES)
        yield f"{described(link)}\n"
        if link is not seen[0]:
            yield "\nwhich led to:\n\n"


class _Lines(LambdaPowertoolsFormatter):
    """Powertools' JSON lines, with errors told as `described`."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "".join(_trail(ei[1]))


class Telemetry:
    """Logger, metrics and traces of a function; threads may share it."""

    def __init__(self, function: Function) -> None:
        # Without Powertools' field `stack_trace`, which holds the error once more, as its own text.
        lines = _Lines(json_serializer=_serialized, use_rfc3339=True, serialize_stacktrace=False)
        self.log: Logger = Logger(service=function.name, logger_formatter=lines)
        self._service = function.name
        self._lock = threading.Lock()
        self._counts: Counter[Metric] = Counter()
        self._seconds: dict[Metric, float] = {}
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

    def measure(self, metric: Metric, seconds: float) -> None:
        """Sets a metric that is a time; the last one before the next `flush` is written there."""
        with self._lock:
            self._seconds[metric] = seconds

    def flush(self) -> None:
        """Writes what was counted and measured to standard output, in CloudWatch's embedded metric format; nothing where there was nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            times, self._seconds = self._seconds, {}
            if not counts and not times:
                return
            # From the environment and not from the settings: where these are incomplete, the failure is counted in the right place too.
            self._metrics.add_dimension("stage", os.environ.get(Variable.STAGE) or "unknown")
            for metric, count in counts.items():
                self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=count)
            for metric, seconds in times.items():
                self._metrics.add_metric(name=metric, unit=MetricUnit.Seconds, value=seconds)
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
