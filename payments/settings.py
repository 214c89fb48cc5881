"""Environment variables as models: each function's model names only what that function needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T", bound="Settings")
Filled = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65_535)]
CacheUrl = Annotated[str, Field(pattern=r"^rediss?://")]
ApiUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]

_FAULT = "fault"  # type of an error that names its variables itself
_POSTGRESQL_PORT = 5432


class SettingsError(RuntimeError):
    """A function was deployed without, or with an unusable, environment variable."""


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is, and the Secrets Manager secret with its user name and password (JSON: `username`, `password`)."""

    host: str
    port: int
    name: str
    secret_arn: str

    @property
    def url(self) -> str:
        """As DATABASE_URL."""
        return f"postgresql://{self.host}:{self.port}/{quote(self.name, safe='')}?sslmode=verify-full"


@dataclass(frozen=True)
class TableSettings:
    """The DynamoDB table in which payments are kept."""

    name: str


def _place(url: str) -> tuple[str, int, str]:
    """Host, port and name of the database in a URL as libpq writes it ("Connection URIs")."""
    found = urlsplit(url)
    if "@" in found.netloc:
        raise ValueError("must not hold a user or a password: these are in the secret of DATABASE_SECRET_ARN")
    port = _POSTGRESQL_PORT if found.port is None else found.port
    if not port:
        raise ValueError("must have a port from 1 to 65535")
    name = unquote(found.path.removeprefix("/"))
    if found.scheme != "postgresql" or not found.hostname or not name or "/" in name:
        raise ValueError("must be postgresql://host:port/name?sslmode=verify-full")
    if found.query != "sslmode=verify-full" or found.fragment:
        raise ValueError("must end with ?sslmode=verify-full and set nothing else: connections are made to a server that proves its name, and in no other way")
    return found.hostname, port, name


def _database_url(url: str) -> str:
    try:
        _place(url)
    except ValueError as error:
        # Without the value, which may hold a password; and urllib's own errors quote it.
        rule = str(error) if str(error).startswith("must ") else "must have a port from 1 to 65535"
        raise PydanticCustomError("database_url", "{rule}", {"rule": rule}) from None
    return url


DatabaseUrl = Annotated[Filled, AfterValidator(_database_url)]


class Settings(BaseModel):
    """What every function needs. A field's variable has the field's name in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, alias_generator=str.upper)

    stage: Filled


class RelationalSettings(Settings):
    """Of what has to do with a relational database and with nothing else.

    database_url: `postgresql://host:port/name?sslmode=verify-full`, without user and password.
    """

    database_url: DatabaseUrl
    database_secret_arn: Filled

    @property
    def database(self) -> DatabaseSettings:
        """Both as one."""
        return DatabaseSettings(*_place(self.database_url), self.database_secret_arn)


class StorageSettings(Settings):
    """Of what reads or writes payments, which are kept either in PostgreSQL or in a DynamoDB table.

    database_url, database_secret_arn: as in RelationalSettings. payments_table: the DynamoDB table.
    """

    database_url: DatabaseUrl | None = None
    database_secret_arn: Filled | None = None
    payments_table: Annotated[Filled | None, Field(validate_default=True)] = None

    @field_validator("payments_table")
    @classmethod
    def _one_store(cls, table: str | None, others: ValidationInfo) -> str | None:
        # A field that was refused is not among the others, and is named already.
        if not {"database_url", "database_secret_arn"} <= others.data.keys():
            return table
        given = [name.upper() for name in ("database_url", "database_secret_arn") if others.data[name] is not None]
        if table is not None and given:
            raise _fault_of(f"PAYMENTS_TABLE and {' and '.join(given)} are set, and payments are kept in one place: unset PAYMENTS_TABLE or the others")
        if table is None and not given:
            raise _fault_of("DATABASE_URL and DATABASE_SECRET_ARN, or PAYMENTS_TABLE, are missing")
        if len(given) == 1:
            (missing,) = {"DATABASE_URL", "DATABASE_SECRET_ARN"} - set(given)
            raise _fault_of(f"{missing}: is missing, and {given[0]} needs it")
        return table

    @cached_property
    def place(self) -> DatabaseSettings | TableSettings:
        """Where payments are kept; equal settings are equal, so that they can be a cache's key."""
        if self.payments_table is not None:
            return TableSettings(self.payments_table)
        return DatabaseSettings(*_place(str(self.database_url)), str(self.database_secret_arn))


class CacheSettings(Settings):
    """Of what may use a cache.

    cache_url: Redis, as `rediss://:password@host:port/0`; it holds a password, so let the platform's secrets set it.
    cache_secret_arn: the secret whose string is that URL. Without either there is no cache.
    """

    cache_url: Annotated[CacheUrl | None, Field(repr=False)] = None
    cache_secret_arn: Filled | None = None


class ProjectionSettings(StorageSettings, CacheSettings):
    """Of what tells the world outside the database of a payment's state.

    sessions_table: where sessions are kept; without it they are kept in the cache.
    api_url: base URL of the environment's API, the source of events and receipts.
    """

    transaction_log_table: Filled
    documents_bucket: Filled
    payment_events_topic_arn: Filled
    api_url: ApiUrl | None = None
    sessions_table: Annotated[Filled | None, Field(validate_default=True)] = None

    @field_validator("sessions_table")
    @classmethod
    def _some_place(cls, table: str | None, others: ValidationInfo) -> str | None:
        if table is None and {"cache_url", "cache_secret_arn"} <= others.data.keys() and not (others.data["cache_url"] or others.data["cache_secret_arn"]):
            raise _fault_of("SESSIONS_TABLE is missing, and so is a cache to keep sessions in (CACHE_SECRET_ARN or CACHE_URL)")
        return table


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


class AnsweringSettings(StorageSettings):
    """Of what answers the API's routes.

    api_url: base URL of the environment's API, to which answers link.
    """

    api_url: ApiUrl | None = None


class ProcessPaymentSettings(AnsweringSettings):
    """Of process-payment."""

    work_queue_url: Filled


class VerifyPaymentSettings(AnsweringSettings):
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


class MigrateDatabaseSettings(RelationalSettings):
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


def _fault_of(sentence: str) -> PydanticCustomError:
    return PydanticCustomError(_FAULT, "{sentence}", {"sentence": sentence})


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if kind == _FAULT:
        return message
    rule = {"missing": "is missing", "string_too_short": "is empty"}.get(kind, message)
    return f"{location[0]}: {rule}" if location else rule
