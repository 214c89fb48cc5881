"""What is deployed, as far as it can be served; read from the cloud by `deployed`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.serve.balancers import Balancer
from localcloud.serve.containers import EcsService
from localcloud.serve.firewalls import Firewall


class ServeError(RuntimeError):
    """What is deployed cannot be served; the text says what, why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function.

    timeout: seconds. memory: MiB. reserved: how many run at once, None where nothing is reserved. role: its ARN.
    variables: its environment. policy: its resource policy, statement by statement. package: its zip for this machine.
    stamp: changes when the package does.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    timeout: float
    memory: int
    role: str
    variables: Mapping[str, str]
    package: Path
    stamp: str
    reserved: int | None = None
    policy: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of an API, with a proxy integration of a function.

    resource: its path, such as `/payments/{id}`. models: schema of the body by content type. required: `header`, `querystring` or `path`,
    and the name. integration_timeout: seconds.
    """

    resource: str
    resource_id: str
    verb: str
    function: str
    key_required: bool = False
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    required: tuple[tuple[str, str], ...] = ()
    integration_timeout: float = 29.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A token bucket's measures: `rate` requests per second in the long run, `burst` at once."""

    rate: float
    burst: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """So many requests in a period: `DAY`, `WEEK` or `MONTH`."""

    limit: int
    period: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A usage plan as one stage sees it. methods: limits of single methods, by `/path/VERB`."""

    id: str
    throttle: Limit | None = None
    quota: Quota | None = None
    methods: Mapping[str, Limit] = field(default_factory=dict[str, Limit])


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key that a stage takes."""

    id: str
    name: str
    value: str = field(repr=False)
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class GatewayResponse:
    """An answer that API Gateway gives by itself: status, headers and templates by content type; None and nothing for its own defaults."""

    status: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    templates: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of an API.

    settings: method settings by `*/*` or `path/VERB`. keys: by value. log_group and log_format: of the access log, empty where there is none.
    """

    api: str
    api_name: str
    name: str
    methods: tuple[Method, ...]
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    keys: Mapping[str, Key] = field(default_factory=dict[str, Key])
    key_source: str = "HEADER"
    responses: Mapping[str, GatewayResponse] = field(default_factory=dict[str, GatewayResponse])
    binary_types: tuple[str, ...] = ()
    log_group: str = ""
    log_format: str = ""
    firewall: Firewall | None = None


@dataclass(frozen=True, kw_only=True)
class QueueMapping:
    """A queue that feeds a function. window: seconds. partial: whether the function reports failed messages one by one."""

    id: str
    function: str
    queue_url: str
    queue_arn: str
    batch_size: int = 10
    window: float = 0.0
    partial: bool = False
    concurrency: int | None = None


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A rule with a schedule and a function as its target. input: what the function is given in place of EventBridge's event."""

    rule: str
    arn: str
    expression: str
    function: str
    input: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """All that is served. problems: what is deployed and cannot be served, in sentences."""

    account: str
    region: str
    functions: Mapping[str, Function]
    stages: tuple[Stage, ...] = ()
    queues: tuple[QueueMapping, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    services: tuple[EcsService, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    problems: tuple[str, ...] = ()
