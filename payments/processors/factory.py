"""The processor that a function's settings name."""

from __future__ import annotations

from payments.processors.base import Processor
from payments.processors.resilient import Resilient
from payments.settings import ProcessorSettings


def processor_from(settings: ProcessorSettings) -> Processor:
    """No client is made and no connection opened. Only the chosen processor's SDK is imported."""
    if settings.processor == "stripe":
        from payments.processors.stripe import ApiKey, Stripe

        assert settings.processor_secret_arn  # noqa: S101 - ProcessorSettings has seen to it
        return Resilient(Stripe(ApiKey(settings.processor_secret_arn), endpoint=settings.processor_endpoint))
    from payments.processors.sandbox import Sandbox

    return Resilient(Sandbox())
