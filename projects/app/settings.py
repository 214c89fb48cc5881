"""The `app:` keys of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from payments.functions import SHORTEST_RUN
from projects.app.container_settings import AddressRate, ContainerSettings
from projects.app.container_settings import problems as container_problems
from projects.app.domain_settings import DomainSettings, copied, is_reserved
from shared.environment import Environment
from shared.page import Settings

# API Gateway answers 504 after this many seconds, whatever the function still does ("Quotas for configuring and running a REST API").
_GATEWAY_SECONDS = 29


class FunctionSettings(Settings):
    """Lambda functions; the same for all of them.

    memory: MiB, 128 to 10,240. timeout: seconds; at most 29, which is what API Gateway waits for, and at least 20: with less the worker would take
    messages, begin nothing, and hand them all back (payments/functions.py, SHORTEST_RUN).
    reserved_concurrency: how many run at once, at most and at least; left out, they share the account's. From 2 to 1,000, which is
    what the worker's queue takes too (Lambda, ScalingConfig).
    """

    memory: Annotated[int, Field(ge=128, le=10_240)]
    timeout: Annotated[int, Field(ge=SHORTEST_RUN, le=_GATEWAY_SECONDS)]
    reserved_concurrency: Annotated[int, Field(ge=2, le=1_000)] | None = None


class FirewallSettings(Settings):
    """AWS WAF before the API. rate_limit: requests of one client address in five minutes; any more are answered 429."""

    rate_limit: AddressRate


class ApiSettings(Settings):
    """The REST API.

    rate_limit: requests per second that a client may send in the long run; burst_limit: how many at once.
    domain: of its own; copies of the environment do without.
    firewall: AWS WAF before the stage, which PCI DSS 6.4.2 wants of what the internet reaches; left out, there is none.
    log_bodies: API Gateway logs requests and responses, up to 1 KB of each (developer guide, "Execution logging for REST APIs"). Off, because whatever
    a client sends by mistake would be kept there (PCI DSS 3.3.1); CloudWatch Logs masks what looks like card data there for who may not logs:Unmask.
    account_logging: the environment sets the role by which API Gateway logs, for all APIs of its account and region, and takes it away when it is
    destroyed. One environment of an account and region does; where it is off, another one does, which is deployed before and destroyed after this one.
    """

    rate_limit: Annotated[float, Field(gt=0, le=10_000)]
    burst_limit: Annotated[int, Field(ge=1, le=5_000)]
    domain: DomainSettings | None = None
    firewall: FirewallSettings | None = None
    log_bodies: bool = False
    account_logging: bool = True


# Secrets Manager API reference, CreateSecret, "Name", and the six characters that it appends (GetSecretValue, "SecretId").
SecretArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@!-]{1,512}-[A-Za-z0-9]{6}$")]
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,128}$")]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProcessorSettings(Settings):
    """The payment processor.

    name: `sandbox` takes nobody's money and knows test tokens only; `stripe` is Stripe's PaymentIntents.
    secret_arn: the Secrets Manager secret whose string is the processor's API key; made outside of this platform, so that no program has to know it.
    secret_key_arn: the KMS key of that secret, where it is not AWS's own (`aws/secretsmanager`).
    endpoint: base URL of the processor's API, where it is not the processor's own; https, but on loopback. Where the network has no way out it is the
    private name of the processor's PrivateLink service (`networking:endpoints.processor`).
    """

    name: Literal["sandbox", "stripe"] = "sandbox"
    secret_arn: SecretArn | None = None
    secret_key_arn: KeyArn | None = None
    endpoint: str | None = None

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url, port = urlsplit(value), urlsplit(value).port
        except ValueError as error:
            raise ValueError(f"is no URL: {error}") from None
        if not url.hostname or port == 0 or url.scheme not in {"https", "http"}:
            raise ValueError("must be a URL with a host, such as https://api.example.com")
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("must be a base URL: no user, query or fragment")
        if url.scheme == "http" and url.hostname not in _LOOPBACK:
            raise ValueError("must be https: payment tokens and the API key go there (PCI DSS 4.2.1)")
        return value

    @model_validator(mode="after")
    def _keyed(self) -> ProcessorSettings:
        if self.name == "stripe" and self.secret_arn is None:
            raise ValueError("name stripe needs secretArn, the secret with its API key")
        if self.name == "sandbox" and (given := [key for key, value in (("secretArn", self.secret_arn), ("endpoint", self.endpoint)) if value]):
            raise ValueError(f"name sandbox has no {' and no '.join(given)}: it runs within the worker")
        if self.secret_key_arn and self.secret_arn is None:
            raise ValueError("secretKeyArn is the key of a secret; it needs secretArn")
        return self


class QueueSettings(Settings):
    """max_receives: how often a message is tried before it is set aside in the dead-letter queue. batch_size: messages per invocation."""

    max_receives: Annotated[int, Field(ge=1, le=1_000)] = 5
    batch_size: Annotated[int, Field(ge=1, le=10)] = 10


class AppSettings(Settings):
    """All of `app:`.

    The service runs either as functions behind API Gateway (functions, api) or as containers behind a load balancer (containers).
    """

    functions: FunctionSettings | None = None
    api: ApiSettings | None = None
    containers: ContainerSettings | None = None
    queue: QueueSettings = QueueSettings()
    processor: ProcessorSettings = ProcessorSettings()

    @model_validator(mode="after")
    def _one_way(self) -> AppSettings:
        given = [f"app:{name}" for name in ("functions", "api", "containers") if name in self.model_fields_set]
        if empty := [key for key in given if getattr(self, key.removeprefix("app:")) is None]:
            raise ValueError(f"{' and '.join(empty)} must not be empty: leave it out, or say what is to be made")
        if given not in (["app:functions", "app:api"], ["app:containers"]):
            raise ValueError(
                "wants app:functions and app:api (Lambda behind API Gateway), or else app:containers (Fargate behind a load balancer); "
                f"the page has {' and '.join(given) or 'none of them'}"
            )
        return self

    def serverless(self) -> tuple[FunctionSettings, ApiSettings]:
        """What functions behind API Gateway have; ValueError where containers run."""
        if self.functions is None or self.api is None:
            raise ValueError("the page has app:containers, and neither app:functions nor app:api")
        return self.functions, self.api

    def container(self) -> ContainerSettings:
        """What containers have; ValueError where functions run."""
        if self.containers is None:
            raise ValueError("the page has app:functions and app:api, and no app:containers")
        return self.containers


def domain_of(settings: AppSettings, environment: Environment) -> DomainSettings | None:
    """The domain that this environment is to have. The page's is its original's: a copy's API does without one, and containers have one below it."""
    if settings.containers:
        return copied(settings.containers.domain, environment)
    return settings.api.domain if settings.api and not environment.platform.copy_of else None


def problems(settings: AppSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """Rules across the page, as (key, value, rule)."""
    for key, arn in (("processor.secretArn", settings.processor.secret_arn), ("processor.secretKeyArn", settings.processor.secret_key_arn)):
        if arn is not None and arn.split(":")[3] != environment.region:
            # The service asks its own region's Secrets Manager and KMS alone; the endpoints of the VPC are that region's.
            yield key, arn, f"must be in the environment's region, {environment.region}"
    processor = settings.processor
    if processor.name != "sandbox" and environment.shape.way_out == "none":
        private = {"networking:endpoints.processor": environment.shape.private_processor, "app:processor.endpoint": processor.endpoint is not None}
        if missing := [key for key, given in private.items() if not given]:
            rule = "is reached over the internet, and networking:egress.kind is none: give the network a way out, or reach it by PrivateLink and say how in"
            yield "processor.name", processor.name, f"{rule} {' and '.join(missing)}"
    if settings.containers:
        yield from container_problems(settings.containers, environment)


def problems_on_aws(settings: AppSettings, environment: Environment) -> Iterator[tuple[str, object, str]]:
    """What only a deployment to AWS itself would find out, as (key, value, rule)."""
    domain = domain_of(settings, environment)
    if domain and is_reserved(domain.name):
        key = "containers.domain.name" if settings.containers else "api.domain.name"
        yield key, domain.name, "is a reserved name (RFC 2606), which Route 53 refuses: set a domain of your own before you deploy to aws"
