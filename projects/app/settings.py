"""The `app:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.environment import Environment
from shared.page import Settings

# API Gateway answers 504 after this many seconds, whatever the function still does ("Quotas for configuring and running a REST API").
_GATEWAY_SECONDS = 29


class FunctionSettings(Settings):
    """Lambda functions; the same for all of them.

    memory: MiB, 128 to 10,240. timeout: seconds; at most 29, which is what API Gateway waits for.
    reserved_concurrency: how many run at once, at most and at least; left out, they share the account's. From 2 to 1,000, which is
    what the worker's queue takes too (Lambda, ScalingConfig).
    """

    memory: Annotated[int, Field(ge=128, le=10_240)]
    timeout: Annotated[int, Field(ge=1, le=_GATEWAY_SECONDS)]
    reserved_concurrency: Annotated[int, Field(ge=2, le=1_000)] | None = None


class DomainSettings(Settings):
    """A domain of the API's own; copies of the environment do without.

    name: the host name. zone_id: the Route 53 hosted zone that it is in; left out, a zone of that name is made, to which its parent must delegate.
    """

    name: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$", max_length=64)]
    zone_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,32}$")] | None = None


class ApiSettings(Settings):
    """The REST API.

    rate_limit: requests per second that a client may send in the long run; burst_limit: how many at once.
    """

    rate_limit: Annotated[float, Field(gt=0, le=10_000)]
    burst_limit: Annotated[int, Field(ge=1, le=5_000)]
    domain: DomainSettings | None = None


class QueueSettings(Settings):
    """max_receives: how often a message is tried before it is set aside in the dead-letter queue. batch_size: messages per invocation."""

    max_receives: Annotated[int, Field(ge=1, le=1_000)] = 5
    batch_size: Annotated[int, Field(ge=1, le=10)] = 10


# RFC 2606: names that documents may use, because nobody can own them; Route 53 and ACM refuse them.
_RESERVED = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")


class AppSettings(Settings):
    """All of `app:`."""

    functions: FunctionSettings
    api: ApiSettings
    queue: QueueSettings = QueueSettings()


def domain_of(settings: AppSettings, environment: Environment) -> DomainSettings | None:
    """The domain that this environment is to have; a copy has none, because the page's is its original's."""
    return None if environment.platform.copy_of else settings.api.domain


def problems_on_aws(settings: AppSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """What only a deployment to AWS itself would find out, as (key, value, rule)."""
    domain = domain_of(settings, environment)
    if domain and any(domain.name == name or domain.name.endswith(f".{name}") for name in _RESERVED):
        yield "api.domain.name", domain.name, "is a reserved name (RFC 2606), which Route 53 refuses: set a domain of your own before you deploy to aws"
