"""What the projects hand to one another: one frozen class per project, typed, versioned.

On the producer's side the fields are what `Stack.publish` exports, on the consumer's side what `Stack.upstream` answers: the
same class on both, so that a renamed output is a type error in the editor and never `None` travelling on in a deployment.

A change that an older consumer or producer could not read (a field removed, renamed, or with another meaning) raises `VERSION`;
a consumer then says which stack is to be deployed first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import pulumi
from pydantic.alias_generators import to_camel

VERSION_OUTPUT = "contractVersion"

Strings = pulumi.Output[list[str]]
Text = pulumi.Output[str]


Tier = Literal["functions", "containers", "load-balancer", "database", "cache", "endpoints", "nat"]
"""Who talks to whom in the network: a security group each."""

Texts = pulumi.Output[dict[str, str]]

# A field whose value is a secret: encrypted in state, masked in outputs.
_SECRET: Mapping[str, bool] = MappingProxyType({"secret": True})

# A field that is null where the environment has no such thing; `environment.shape` tells before the value is known.
_OPTIONAL: Mapping[str, bool] = MappingProxyType({"optional": True})


def _null() -> pulumi.Output[Any]:
    return pulumi.Output.from_input(None)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The outputs of one project's stack.

    PROJECT: who publishes it. VERSION: raised when an older reader or writer would misunderstand.
    """

    PROJECT: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def outputs(cls) -> dict[str, dataclasses.Field[Any]]:
        """The fields by the name under which they are exported (camelCase)."""
        return {to_camel(field.name): field for field in dataclasses.fields(cls)}

    @classmethod
    def optional(cls) -> set[str]:
        """The exported names of the fields that may be null."""
        return {name for name, field in cls.outputs().items() if field.metadata.get("optional")}

    @classmethod
    def secrets(cls) -> set[str]:
        """The exported names of the secret fields."""
        return {name for name, field in cls.outputs().items() if field.metadata.get("secret")}

    def exports(self) -> dict[str, pulumi.Output[Any]]:
        """What the producer exports, with its version."""
        values = {name: pulumi.Output.from_input(getattr(self, field.name)) for name, field in self.outputs().items()}
        kept = {name: pulumi.Output.secret(value) if name in self.secrets() else value for name, value in values.items()}
        return {**kept, VERSION_OUTPUT: pulumi.Output.from_input(self.VERSION)}

    @classmethod
    def read(cls, get: Callable[[str], pulumi.Output[Any]]) -> Self:
        """The consumer's side: each field from the output of its name."""
        return cls(**{field.name: get(name) for name, field in cls.outputs().items()})

    @classmethod
    def problems(cls, found: Mapping[str, Any]) -> list[str]:
        """What is wrong with a producer's outputs (`found` by exported name): an older or newer version, missing or null fields."""
        version = found.get(VERSION_OUTPUT)
        if not found:
            return ["it has no outputs: it was never deployed, or was destroyed"]
        if version != cls.VERSION:
            # The engine hands every number over as a float.
            shown = int(version) if isinstance(version, float) and version.is_integer() else version
            return [f"{VERSION_OUTPUT} is {shown!r}, this code reads {cls.VERSION}"]
        # The engine leaves out of a state what is null.
        missing = [name for name in cls.outputs() if name not in found and name not in cls.optional()]
        null = [name for name in cls.outputs() if name in found and found[name] is None and name not in cls.optional()]
        return [f"output {name} is missing" for name in missing] + [f"output {name} is null" for name in null]


@dataclass(frozen=True, kw_only=True)
class NetworkingOutputs(Contract):
    """The network: where the other projects put what they make, and which security group each tier uses.

    security_group_ids: by tier; a network has the tiers that its environment's shape needs.
    """

    PROJECT: ClassVar[str] = "networking"
    VERSION: ClassVar[int] = 2

    vpc_id: Text
    vpc_cidr: Text
    public_subnet_ids: Strings
    private_subnet_ids: Strings
    security_group_ids: Texts
    log_key_arn: Text
    nat_gateway_ids: Strings
    nat_instance_ids: Strings

    def group(self, tier: Tier) -> Text:
        """The security group of a tier; stops the program when the network has no such tier."""

        def found(groups: Mapping[str, str]) -> str:
            if tier not in groups:
                raise pulumi.RunError(f"output securityGroupIds of networking has {', '.join(groups) or 'nothing'}, and not {tier}: deploy networking again")
            return groups[tier]

        return self.security_group_ids.apply(found)


@dataclass(frozen=True, kw_only=True)
class DataOutputs(Contract):
    """The stores: how to reach them, and the keys that they are encrypted with.

    database_identifier: of the instance or of the cluster. database_endpoint: `host:port`. database_url:
    `postgresql://host:port/name?sslmode=verify-full`, without user and password, which are in the secret.
    database_key_arn: null with AWS-managed keys. cache_node_ids: CloudWatch knows nodes, and not their group.
    cache_secret_arn: of the secret whose string is the cache's URL, token included.
    """

    PROJECT: ClassVar[str] = "data"
    VERSION: ClassVar[int] = 2

    data_key_arn: Text
    database_key_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_identifier: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_address: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_endpoint: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_reader_address: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_port: pulumi.Output[int] = field(default_factory=_null, metadata=_OPTIONAL)
    database_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_url: Text = field(default_factory=_null, metadata=_OPTIONAL)
    database_secret_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    payments_table_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    payments_table_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    sessions_table_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    sessions_table_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    transaction_log_table_name: Text
    transaction_log_table_arn: Text
    documents_bucket_name: Text
    documents_bucket_arn: Text
    audit_bucket_name: Text
    audit_bucket_arn: Text
    access_logs_bucket_name: Text
    cache_identifier: Text = field(default_factory=_null, metadata=_OPTIONAL)
    cache_node_ids: Strings = field(default_factory=_null, metadata=_OPTIONAL)
    cache_address: Text = field(default_factory=_null, metadata=_OPTIONAL)
    cache_port: pulumi.Output[int] = field(default_factory=_null, metadata=_OPTIONAL)
    cache_secret_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)


@dataclass(frozen=True, kw_only=True)
class AppOutputs(Contract):
    """The payment service: where clients call it, and what there is to be watched.

    endpoint_urls: by route (`process-payment`, `verify-payment`). What functions have is empty or null where containers run, and the other way round.
    api_key_secret_arn: of the secret whose string is API Gateway's key. service_names, task_definition_arns: by what the container does (`web`, `worker`,
    `migrate`).
    """

    PROJECT: ClassVar[str] = "app"
    VERSION: ClassVar[int] = 2

    api_url: Text
    endpoint_urls: Texts
    api_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    api_stage: Text = field(default_factory=_null, metadata=_OPTIONAL)
    api_key: Text = field(metadata=_SECRET)
    api_key_secret_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    function_names: Texts
    function_arns: Texts
    cluster_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    service_names: Texts
    task_definition_arns: Texts
    load_balancer_arn: Text = field(default_factory=_null, metadata=_OPTIONAL)
    load_balancer_arn_suffix: Text = field(default_factory=_null, metadata=_OPTIONAL)
    target_group_arn_suffix: Text = field(default_factory=_null, metadata=_OPTIONAL)
    web_acl_name: Text = field(default_factory=_null, metadata=_OPTIONAL)
    repository_url: Text = field(default_factory=_null, metadata=_OPTIONAL)
    work_queue_name: Text
    work_queue_url: Text
    dead_letter_queue_name: Text
    dead_letter_queue_url: Text
    payment_events_topic_arn: Text


@dataclass(frozen=True, kw_only=True)
class ObservabilityOutputs(Contract):
    """Who is told, and where to look."""

    PROJECT: ClassVar[str] = "observability"

    alarm_topic_arn: Text
    alarm_names: Strings
    dashboard_name: Text
    trail_arn: Text


CONTRACTS: tuple[type[Contract], ...] = (NetworkingOutputs, DataOutputs, AppOutputs, ObservabilityOutputs)
