"""Lambda's entry to the relay."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments.assembly.relaying import relay_from
from payments.assembly.storing import prepare
from payments.functions import OUTBOX_RELAY
from payments.service.relaying import Relay
from payments.settings import OutboxRelaySettings, load
from payments.telemetry import Telemetry

_telemetry = Telemetry(OUTBOX_RELAY)
prepare("outbox", "idempotency", "audit_chain")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - the schedule's event says nothing that matters here
    """EventBridge's scheduled event in; out, by task, how many rows, keys or records it did.

    An error of a task is raised after all tasks, so that Lambda counts it.
    """
    with _telemetry.correlated(context.aws_request_id):
        try:
            return _relay().run(remaining=lambda: context.get_remaining_time_in_millis() / 1000)
        finally:
            _telemetry.flush()


@cache
def _relay() -> Relay:
    return relay_from(load(OutboxRelaySettings), _telemetry)
