"""Environment variables as models: each handler's model names only what that handler needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

T = TypeVar("T", bound="Settings")
Filled = Annotated[str, Field(min_length=1)]


class SettingsError(RuntimeError):
    """A function was deployed without, or with an unusable, environment variable."""


class Settings(BaseModel):
    """What every function needs. A field's variable has the field's name in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, alias_generator=str.upper)

    stage: Filled


class ProcessPaymentSettings(Settings):
    """Of process-payment."""

    transaction_log_table: Filled
    sessions_table: Filled
    work_queue_url: Filled


class VerifyPaymentSettings(Settings):
    """Of verify-payment."""

    transaction_log_table: Filled


class PaymentWorkerSettings(Settings):
    """Of payment-worker."""

    transaction_log_table: Filled
    payment_events_topic_arn: Filled


def load(model: type[T], environment: Mapping[str, str] | None = None) -> T:
    """The model, filled from the environment.

    Raises SettingsError that names every variable that is missing or unusable; values are not repeated.
    """
    try:
        return model.model_validate(dict(os.environ if environment is None else environment))
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {_rule(fault['type'], fault['msg'])}" for fault in error.errors(include_input=False, include_url=False))
        raise SettingsError(f"environment variables of this function ({model.__name__}): {faults}. Set them on the function and deploy it again.") from None


def _rule(kind: str, message: str) -> str:
    return {"missing": "is missing", "string_too_short": "is empty"}.get(kind, message)
