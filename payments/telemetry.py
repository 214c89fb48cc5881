"""Structured logs and embedded metrics of one function."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from payments.domain.card_data import redacted
from payments.functions import METRIC_NAMESPACE, Function, Metric


def _serialized(entry: dict[str, Any]) -> str:
    # Nothing is logged that a caller sent; should a library do it all the same, no card number gets through.
    return redacted(json.dumps(entry, default=str, ensure_ascii=False))


class Telemetry:
    """Logger and metrics of a function."""

    def __init__(self, function: Function) -> None:
        self.log: Logger = Logger(service=function.name, json_serializer=_serialized, use_rfc3339=True)
        self._metrics = EphemeralMetrics(namespace=METRIC_NAMESPACE, service=function.name)

    def stage(self, stage: str) -> None:
        """Gives every metric from here on the dimension `stage`."""
        self._metrics.set_default_dimensions(stage=stage)

    def count(self, metric: Metric) -> None:
        """Adds one to a metric; it is written when the invocation ends."""
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)

    def flush(self) -> None:
        """Writes the invocation's metrics to the log, in CloudWatch's embedded metric format; nothing where none was counted."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
