"""The server's own log in the form of the service's."""

from __future__ import annotations

import logging

from payments.telemetry import Telemetry


def one_form(telemetry: Telemetry) -> None:
    """Has the server's messages written as the service's are: a JSON object a line, without card numbers."""
    log = logging.getLogger("uvicorn.error")
    log.handlers = [telemetry.log.registered_handler]
    log.filters = [_plain]
    log.setLevel(logging.INFO)
    log.propagate = False


def _plain(record: logging.LogRecord) -> bool:
    """Takes from a message what uvicorn adds for terminals, which would be a field of the object."""
    vars(record).pop("color_message", None)
    return True
