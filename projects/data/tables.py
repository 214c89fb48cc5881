"""The DynamoDB tables: the transaction log, sessions where there is no cache, and payments where there is no relational database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from projects.data.table_settings import CapacitySettings, TableSettings
from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import policy
from shared.isolation import closed_to_others

# Percent of the capacity that is in use; the rest is for the minutes until a scaling has happened.
_UTILISATION = 70.0
_COOLDOWN_SECONDS = 60

_NUMBER, _STRING = "N", "S"


@dataclass(frozen=True, kw_only=True)
class _Schema:
    """The keys of a table: hash, and range where there is one, with their types; the same of each index. expires: the attribute that ends an item."""

    keys: Mapping[str, str]
    indexes: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    expires: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """All key attributes, with their types."""
        return {**self.keys, **{name: kind for keys in self.indexes.values() for name, kind in keys.items()}}


_SESSIONS = _Schema(keys={"session_id": _STRING}, expires="expires_at")
_TRANSACTION_LOG = _Schema(keys={"payment_id": _STRING, "sequence": _NUMBER})
# One table for payments, ledger, idempotency keys, outbox and chain heads: `pk` and `sk` say what an item is, the index has what falls due.
_PAYMENTS = _Schema(keys={"pk": _STRING, "sk": _STRING}, indexes={"due": {"due_shard": _STRING, "due_at": _NUMBER}}, expires="expires_at")


class Tables(Component):
    """Produces the tables, encrypted with our key and closed to other environments' roles, and their autoscaling where the page asks for it.

    `transaction-log` has a payment's events in order. `sessions` is there where no cache keeps them, `payments` where there is no relational
    database. AWS removes an item after its `expires_at` (seconds since 1970).

    Outputs: `transaction_log`, `sessions` or None, `payments` or None: the tables.
    """

    transaction_log: aws.dynamodb.Table
    sessions: aws.dynamodb.Table | None
    payments: aws.dynamodb.Table | None

    def __init__(
        self, name: str, environment: Environment, settings: TableSettings, *, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        self._settings, self._key_arn = settings, key_arn
        self.sessions = None if environment.shape.cache else self._table("sessions", _SESSIONS)
        self.transaction_log = self._table("transaction-log", _TRANSACTION_LOG)
        self.payments = None if environment.shape.relational else self._table("payments", _PAYMENTS)
        self.register_outputs({"transactionLog": self.transaction_log.name})

    def _table(self, name: str, schema: _Schema) -> aws.dynamodb.Table:
        settings = self._settings
        capacity, _ = settings.of(name)
        hash_key, range_key = _split(schema.keys)
        table = aws.dynamodb.Table(
            name,
            name=self.environment.names(name, naming.TABLE),
            billing_mode="PAY_PER_REQUEST" if settings.billing == "on-demand" else "PROVISIONED",
            read_capacity=capacity.read_capacity,
            write_capacity=capacity.write_capacity,
            hash_key=hash_key,
            range_key=range_key,
            attributes=[{"name": key, "type": kind} for key, kind in schema.attributes.items()],
            global_secondary_indexes=[_index(index, keys, capacity) for index, keys in schema.indexes.items()] or None,
            ttl={"attribute_name": schema.expires, "enabled": True} if schema.expires else None,
            server_side_encryption={"enabled": True, "kms_key_arn": self._key_arn},
            point_in_time_recovery={"enabled": settings.point_in_time_recovery},
            deletion_protection_enabled=False,
            # From its creation on, an autoscaled capacity is what the load asks for, and not the page's.
            opts=self.child(ignore_changes=_scaled(schema) if settings.billing == "autoscaled" else None),
        )
        others = closed_to_others(self.environment, ["dynamodb:*"], [table.arn, pulumi.Output.concat(table.arn, "/index/*")])
        aws.dynamodb.ResourcePolicy(name, resource_arn=table.arn, policy=policy(*others), opts=self.child())
        if settings.billing == "autoscaled":
            for index in ("", *schema.indexes):
                self._scale(name, table, "Read", index)
                self._scale(name, table, "Write", index)
        return table

    def _scale(self, name: str, table: aws.dynamodb.Table, direction: Literal["Read", "Write"], index: str) -> None:
        """Makes the capacity of the table, or of one of its indexes, follow the load."""
        capacity, _ = self._settings.of(name)
        bounds = {"Read": (capacity.read_capacity, capacity.max_read_capacity), "Write": (capacity.write_capacity, capacity.max_write_capacity)}
        least, most = bounds[direction]
        if least is None or most is None:  # TableSettings refuses such a page
            raise ValueError(f"{name}: autoscaling of {direction} capacity has no bounds ({least} to {most})")
        child = "-".join(word for word in (name, index, direction.lower()) if word)
        target = aws.appautoscaling.Target(
            child,
            service_namespace="dynamodb",
            resource_id=table.name.apply(lambda known: f"table/{known}/index/{index}" if index else f"table/{known}"),
            scalable_dimension=f"dynamodb:{'index' if index else 'table'}:{direction}CapacityUnits",
            min_capacity=least,
            max_capacity=most,
            opts=self.child(),
        )
        aws.appautoscaling.Policy(
            child,
            name=self.environment.names(child),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {"predefined_metric_type": f"DynamoDB{direction}CapacityUtilization"},
                "target_value": _UTILISATION,
                "scale_in_cooldown": _COOLDOWN_SECONDS,
                "scale_out_cooldown": _COOLDOWN_SECONDS,
            },
            opts=self.child(),
        )


def _index(name: str, keys: Mapping[str, str], capacity: CapacitySettings) -> aws.dynamodb.TableGlobalSecondaryIndexArgsDict:
    """An index that says where items are and holds nothing else of them, so that a write is small; it has the table's own capacity."""
    hash_key, range_key = _split(keys)
    index: aws.dynamodb.TableGlobalSecondaryIndexArgsDict = {"name": name, "hash_key": hash_key, "projection_type": "KEYS_ONLY"}
    if range_key:
        index["range_key"] = range_key
    if capacity.read_capacity is not None and capacity.write_capacity is not None:
        index["read_capacity"], index["write_capacity"] = capacity.read_capacity, capacity.write_capacity
    return index


def _split(keys: Mapping[str, str]) -> tuple[str, str | None]:
    """The hash key, and the range key if there is one."""
    hash_key, *rest = keys
    return hash_key, rest[0] if rest else None


def _scaled(schema: _Schema) -> list[str]:
    """What autoscaling changes of a table; an index's capacity cannot be told from the rest of the index."""
    return ["read_capacity", "write_capacity", *(["global_secondary_indexes"] if schema.indexes else [])]
