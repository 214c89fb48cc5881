"""Environment variables as models: each function's model names only what that function needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T", bound="Settings")
Filled = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class SettingsError(RuntimeError):
    """A function was deployed without, or with an unusable, environment variable."""


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is, and the Secrets Manager secret with its user name and password (JSON: `username`, `password`)."""

    host: str
    port: int
    name: str
    secret_arn: str


class Settings(BaseModel):
    """What every function needs. A field's variable has the field's name in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, alias_generator=str.upper)

    stage: Filled


class StorageSettings(Settings):
    """Of what reads or writes the database."""

    database_host: Filled
    database_port: Port
    database_name: Filled
    database_secret_arn: Filled

    @property
    def database(self) -> DatabaseSettings:
        """The four as one; equal settings are equal, so that they can be a cache's key."""
        return DatabaseSettings(self.database_host, self.database_port, self.database_name, self.database_secret_arn)


class ProjectionSettings(StorageSettings):
    """Of what tells the world outside the database of a payment's state."""

    transaction_log_table: Filled
    sessions_table: Filled
    documents_bucket: Filled
    payment_events_topic_arn: Filled


class ProcessorSettings(BaseModel):
    """Which payment processor is asked.

    processor_secret_arn: secret with the processor's API key (the secret string itself); `stripe` needs it.
    processor_endpoint: base URL of the processor's API, where it is not the processor's own.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, alias_generator=str.upper)

    processor: Literal["sandbox", "stripe"]
    processor_secret_arn: Filled | None = None
    processor_endpoint: Filled | None = None

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.processor == "stripe" and self.processor_secret_arn is None:
            raise PydanticCustomError("missing_key", "PROCESSOR_SECRET_ARN is missing, and PROCESSOR=stripe needs it")
        return self


class ProcessPaymentSettings(StorageSettings):
    """Of process-payment."""

    work_queue_url: Filled


class VerifyPaymentSettings(StorageSettings):
    """Of verify-payment."""


class PaymentWorkerSettings(ProjectionSettings, ProcessorSettings):
    """Of payment-worker.

    max_receives: how often a message is tried; at the last try the worker sets it aside itself.
    """

    dead_letter_queue_url: Filled
    max_receives: Annotated[int, Field(ge=1, le=1000)]


class OutboxRelaySettings(ProjectionSettings):
    """Of outbox-relay."""

    work_queue_url: Filled
    audit_bucket: Filled


class MigrateDatabaseSettings(StorageSettings):
    """Of migrate-database."""


def load(model: type[T], environment: Mapping[str, str] | None = None) -> T:
    """The model, filled from the environment.

    Raises SettingsError that names every variable that is missing or unusable; values are not repeated.
    """
    try:
        return model.model_validate(dict(os.environ if environment is None else environment))
    except ValidationError as error:
        faults = "; ".join(_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors(include_input=False, include_url=False))
        raise SettingsError(f"environment variables of this function ({model.__name__}): {faults}. Set them on the function and deploy it again.") from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    rule = {"missing": "is missing", "string_too_short": "is empty"}.get(kind, message)
    return f"{location[0]}: {rule}" if location else rule
