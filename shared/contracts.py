"""What the projects hand to one another: one frozen class per project, typed, versioned.

On the producer's side the fields are what `Stack.publish` exports, on the consumer's side what `Stack.upstream` answers: the
same class on both, so that a renamed output is a type error in the editor and never `None` travelling on in a deployment.

A change that an older consumer or producer could not read (a field removed, renamed, or with another meaning) raises `VERSION`;
a consumer then says which stack is to be deployed first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import pulumi
from pydantic.alias_generators import to_camel

VERSION_OUTPUT = "contractVersion"

Strings = pulumi.Output[list[str]]
Text = pulumi.Output[str]


# A field whose value is a secret: encrypted in state, masked in outputs.
_SECRET: Mapping[str, bool] = MappingProxyType({"secret": True})


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
        missing = [name for name in cls.outputs() if name not in found]
        null = [name for name in cls.outputs() if name in found and found[name] is None]
        return [f"output {name} is missing" for name in missing] + [f"output {name} is null" for name in null]


@dataclass(frozen=True, kw_only=True)
class NetworkingOutputs(Contract):
    """The network: where the other projects put what they make, and which security group each tier uses."""

    PROJECT: ClassVar[str] = "networking"

    vpc_id: Text
    vpc_cidr: Text
    public_subnet_ids: Strings
    private_subnet_ids: Strings
    function_security_group_id: Text
    database_security_group_id: Text
    log_key_arn: Text
    nat_gateway_ids: Strings
    nat_instance_ids: Strings


@dataclass(frozen=True, kw_only=True)
class DataOutputs(Contract):
    """The stores: how to reach them, and the keys that they are encrypted with."""

    PROJECT: ClassVar[str] = "data"

    data_key_arn: Text
    database_key_arn: Text
    database_identifier: Text
    database_address: Text
    database_port: pulumi.Output[int]
    database_name: Text
    database_secret_arn: Text
    sessions_table_name: Text
    sessions_table_arn: Text
    transaction_log_table_name: Text
    transaction_log_table_arn: Text
    documents_bucket_name: Text
    documents_bucket_arn: Text
    audit_bucket_name: Text
    audit_bucket_arn: Text


@dataclass(frozen=True, kw_only=True)
class AppOutputs(Contract):
    """The payment service: where clients call it, and what there is to be watched."""

    PROJECT: ClassVar[str] = "app"

    api_url: Text
    api_name: Text
    api_stage: Text
    api_key: Text = dataclasses.field(metadata=_SECRET)
    function_names: pulumi.Output[dict[str, str]]
    function_arns: pulumi.Output[dict[str, str]]
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
