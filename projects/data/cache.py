"""Redis on ElastiCache."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.data.cache_settings import CacheSettings
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.secret import kept_secret
from shared.contracts import NetworkingOutputs
from shared.environment import Environment

PORT = 6379

_LOGS = ("slow-log", "engine-log")
# ElastiCache takes 16 to 128 characters, and few that are neither letter nor digit; letters and digits alone need no escape in a URL.
_TOKEN_LENGTH = 64


class Cache(Component):
    """Produces a replication group in the private subnets, its parameter group, its log groups, and the secret that says how to reach it.

    It speaks TLS only, and asks for a token that Secrets Manager made and nobody has seen. The secret's string is the whole URL:
    `rediss://:<token>@<primary>:6379/0`; its policy refuses roles of other environments, and other accounts.
    key_arn: what the data, the backups and the secret are encrypted with.
    Outputs: `identifier` of the replication group, `node_ids` of its nodes, `address` of its primary, `port`, `secret_arn`.
    """

    identifier: pulumi.Output[str]
    node_ids: pulumi.Output[list[str]]
    address: pulumi.Output[str]
    port: pulumi.Output[int]
    secret_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: CacheSettings,
        *,
        network: NetworkingOutputs,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        identifier = environment.names(name, naming.CACHE)
        logs = {log: self._log_group(identifier, log, network) for log in _LOGS}
        subnets = aws.elasticache.SubnetGroup(name, name=identifier, description="Private subnets", subnet_ids=network.private_subnet_ids, opts=self.child())
        token = aws.secretsmanager.get_random_password_output(password_length=_TOKEN_LENGTH, exclude_punctuation=True, opts=self.look_up()).random_password
        group = aws.elasticache.ReplicationGroup(
            name,
            replication_group_id=identifier,
            description="Sessions of the payment service",
            engine="redis",
            engine_version=settings.engine_version,
            auto_minor_version_upgrade=True,
            node_type=settings.node_type,
            num_cache_clusters=1 + settings.replicas,
            automatic_failover_enabled=settings.replicas > 0,
            multi_az_enabled=settings.replicas > 0,
            parameter_group_name=self._parameters(name).name,
            # access
            port=PORT,
            subnet_group_name=subnets.name,
            security_group_ids=[network.group("cache")],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auth_token=pulumi.Output.secret(token),
            # storage
            at_rest_encryption_enabled=True,
            kms_key_id=key_arn,
            # what is seen of it
            log_delivery_configurations=[
                {"log_type": log, "destination_type": "cloudwatch-logs", "destination": made.name, "log_format": "json"} for log, made in logs.items()
            ],
            # backups and changes
            snapshot_retention_limit=settings.backup_retention_days,
            snapshot_window=settings.backup_window,
            maintenance_window=settings.maintenance_window,
            apply_immediately=True,
            # Each look-up answers another password; the one that the group was made with stays, and is in the state alone.
            opts=self.child(ignore_changes=["auth_token"]),
        )
        self.identifier, self.node_ids = group.replication_group_id, group.member_clusters.apply(sorted)
        self.address, self.port = group.primary_endpoint_address, pulumi.Output.from_input(PORT)
        # The token is the group's own and not the look-up's: of a later deployment those are two.
        url = pulumi.Output.format("rediss://:{0}@{1}:{2}/0", group.auth_token, self.address, PORT)
        self.secret_arn = kept_secret(self, name, description="How to reach Redis, token included", value=url, key_arn=key_arn).arn
        self.register_outputs({"identifier": self.identifier, "secretArn": self.secret_arn})

    def _log_group(self, identifier: str, log: str, network: NetworkingOutputs) -> LogGroup:
        # Below /aws/vendedlogs/ one policy serves all groups; others add to one that may have 5,120 characters (CloudWatch Logs, "AWS vended logs").
        name = f"/aws/vendedlogs/elasticache/{identifier}/{log}"
        return LogGroup(log, self.environment, LogGroupArgs(log_group=name, key_arn=network.log_key_arn), self.child())

    def _parameters(self, name: str) -> aws.elasticache.ParameterGroup:
        return aws.elasticache.ParameterGroup(
            name,
            name=self.environment.names("redis7", naming.CACHE),
            family="redis7",
            description="Redis 7: sessions that are about to end make room for others",
            # All keys are sessions, which end by themselves.
            parameters=[{"name": "maxmemory-policy", "value": "volatile-ttl"}],
            opts=self.child(),
        )
