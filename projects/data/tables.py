"""The DynamoDB tables: sessions, and the transaction log."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.data.settings import TableSettings
from shared import naming
from shared.component import Component
from shared.environment import Environment

# Percent of the capacity that is in use; the rest is for the minutes until a scaling has happened.
_UTILISATION = 70.0
_COOLDOWN_SECONDS = 60


class Tables(Component):
    """Produces the tables `sessions` and `transaction-log`, encrypted with our key, and their autoscaling where the page asks for it.

    AWS removes a session after its `expires_at` (seconds since 1970); the transaction log has a payment's events in order.

    Outputs: `sessions`, `transaction_log`: the tables.
    """

    sessions: aws.dynamodb.Table
    transaction_log: aws.dynamodb.Table

    def __init__(
        self, name: str, environment: Environment, settings: TableSettings, *, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        self._settings, self._key_arn = settings, key_arn
        self.sessions = self._table("sessions", {"session_id": "S"}, expires="expires_at")
        self.transaction_log = self._table("transaction-log", {"payment_id": "S", "sequence": "N"})
        self.register_outputs({"sessions": self.sessions.name, "transactionLog": self.transaction_log.name})

    def _table(self, name: str, keys: dict[str, str], *, expires: str = "") -> aws.dynamodb.Table:
        """A table; `keys` are the hash key and, if there is one, the range key, with their types."""
        settings = self._settings
        hash_key, *range_key = keys
        table = aws.dynamodb.Table(
            name,
            name=self.environment.names(name, naming.TABLE),
            billing_mode="PAY_PER_REQUEST" if settings.billing == "on-demand" else "PROVISIONED",
            read_capacity=settings.read_capacity,
            write_capacity=settings.write_capacity,
            hash_key=hash_key,
            range_key=range_key[0] if range_key else None,
            attributes=[{"name": key, "type": type_} for key, type_ in keys.items()],
            ttl={"attribute_name": expires, "enabled": True} if expires else None,
            server_side_encryption={"enabled": True, "kms_key_arn": self._key_arn},
            point_in_time_recovery={"enabled": settings.point_in_time_recovery},
            deletion_protection_enabled=False,
            # From its creation on, an autoscaled capacity is what the load asks for, and not the page's.
            opts=self.child(ignore_changes=["read_capacity", "write_capacity"] if settings.billing == "autoscaled" else None),
        )
        if settings.billing == "autoscaled":
            self._scale(name, table, "Read", settings.read_capacity, settings.max_read_capacity)
            self._scale(name, table, "Write", settings.write_capacity, settings.max_write_capacity)
        return table

    def _scale(self, name: str, table: aws.dynamodb.Table, direction: str, least: int | None, most: int | None) -> None:
        if least is None or most is None:  # TableSettings refuses such a page
            raise ValueError(f"{name}: autoscaling of {direction} capacity has no bounds ({least} to {most})")
        child = f"{name}-{direction.lower()}"
        target = aws.appautoscaling.Target(
            child,
            service_namespace="dynamodb",
            resource_id=table.name.apply(lambda known: f"table/{known}"),
            scalable_dimension=f"dynamodb:table:{direction}CapacityUnits",
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
