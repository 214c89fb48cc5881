"""Load balancers as they are deployed, as far as they can be served here: read from the cloud by `deployed_balancers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from localcloud.serve.firewalls import Firewall


@dataclass(frozen=True, kw_only=True)
class Group:
    """A target group and its health check.

    secure: targets are spoken to by TLS, whoever signed their certificates. path, checked_securely: what health checks ask for, and whether by TLS. port: None
    for the port that the target itself is registered with. codes: ranges of statuses that are well.
    """

    arn: str
    name: str
    secure: bool = False
    path: str = "/"
    checked_securely: bool = False
    port: int | None = None
    codes: tuple[tuple[int, int], ...] = ((200, 200),)
    interval: float = 30.0
    timeout: float = 5.0
    healthy: int = 5
    unhealthy: int = 2


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Answers by itself (`fixed-response`)."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Sends the client elsewhere; parts as they are written, with `#{host}` and its like."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, kw_only=True)
class Forward:
    """Hands the request to a target of one of these groups, chosen by weight (ARN and weight each)."""

    groups: tuple[tuple[str, int], ...]


Action = Fixed | Redirect | Forward

Field = Literal["host-header", "path-pattern", "http-request-method", "http-header", "query-string", "source-ip"]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a rule asks of a request: one of the values has to fit. header: whose value is looked at, of `http-header`. pairs: of `query-string`."""

    field: Field
    values: tuple[str, ...] = ()
    header: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is done with a request for which all conditions hold. priority: the default rule's is 0 in access logs, and it comes last."""

    arn: str
    priority: int
    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A port of a load balancer. rules: in the order in which they are tried; the last one takes whatever comes. names: of its certificates' domains."""

    arn: str
    port: int
    secure: bool
    rules: tuple[Rule, ...]
    names: tuple[str, ...] = ()
    certificate: str = ""


@dataclass(frozen=True, kw_only=True)
class LogBucket:
    """Where access logs are written to."""

    bucket: str
    prefix: str = ""


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """An application load balancer.

    idle: seconds without a word from a target or a client after which a connection is given up. drops_invalid: header fields whose names are not letters,
    digits and hyphens are left out. forwarded: what is done with X-Forwarded-For.
    """

    arn: str
    name: str
    dns: str
    listeners: tuple[Listener, ...]
    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    firewall: Firewall | None = None
    idle: float = 60.0
    drops_invalid: bool = False
    forwarded: Literal["append", "preserve", "remove"] = "append"
    log: LogBucket | None = None

    @property
    def id(self) -> str:
        """As access logs have it: `app/<name>/<id>`."""
        return self.arn.partition(":loadbalancer/")[2]
