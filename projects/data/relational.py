"""What PostgreSQL on RDS and on Aurora have in common: how it is reached, its parameters, where it logs, who watches it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.contracts import NetworkingOutputs
from shared.iam import Statement

DATABASE = "payments"
# `admin` and `postgres` are taken by RDS and PostgreSQL.
MASTER = "payments_master"
PORT = 5432

CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
# Seven days of Performance Insights are free of charge, on every class that runs PostgreSQL.
INSIGHTS_DAYS = 7

# All of them take effect without a restart.
PARAMETERS = {
    "rds.force_ssl": "1",
    "password_encryption": "scram-sha-256",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_statement": "ddl",
    "log_lock_waits": "1",
    # Milliseconds. Slow statements are logged without their parameters, which may be card holders' data (PCI DSS 3.5.1).
    "log_min_duration_statement": "1000",
    "log_parameter_max_length": "0",
    # Milliseconds: a client that died in a transaction keeps its locks no longer.
    "idle_in_transaction_session_timeout": "60000",
}


class Relational(Component):
    """A PostgreSQL database, whatever it runs on.

    The master password is made, kept and rotated by RDS in Secrets Manager; no one has to know it.
    Outputs: `identifier` of the instance or cluster; `address`, `port`, and `database`, its name; `endpoint`, `address:port`; `reader_address`, None
    where one address is for everything; `url`: how to connect, without user and password; `secret_arn` of the master password.
    """

    identifier: pulumi.Output[str]
    address: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    reader_address: pulumi.Output[str] | None
    port: pulumi.Output[int]
    database: pulumi.Output[str]
    url: pulumi.Output[str]
    secret_arn: pulumi.Output[str]

    def publish(
        self,
        *,
        identifier: pulumi.Output[str],
        address: pulumi.Output[str],
        port: pulumi.Output[int],
        database: pulumi.Output[str],
        secrets: pulumi.Output[Sequence[str | None]],
        reader_address: pulumi.Output[str] | None = None,
    ) -> None:
        """Sets the outputs, and registers them; the last that a subclass does."""
        self.identifier, self.address, self.port, self.database = identifier, address, port, database
        self.endpoint = pulumi.Output.format("{0}:{1}", address, port)
        self.reader_address = reader_address
        self.url = pulumi.Output.format("postgresql://{0}:{1}/{2}?sslmode=verify-full", address, port, database)
        self.secret_arn = secrets.apply(_only_arn)
        self.register_outputs({"identifier": self.identifier, "url": self.url, "secretArn": self.secret_arn})

    def subnet_group(self, name: str, identifier: str, network: NetworkingOutputs) -> aws.rds.SubnetGroup:
        """The private subnets, and no others."""
        return aws.rds.SubnetGroup(name, name=identifier, description="Private subnets", subnet_ids=network.private_subnet_ids, opts=self.child())

    def log_groups(self, prefix: str, logs: Sequence[str], network: NetworkingOutputs) -> list[LogGroup]:
        """The groups that RDS exports to; it makes those that it does not find, without key and retention."""
        return [LogGroup(log, self.environment, LogGroupArgs(log_group=f"{prefix}/{log}", key_arn=network.log_key_arn), self.child()) for log in logs]

    def monitoring_role(self, seconds: int, instances: str) -> Role | None:
        """What Enhanced Monitoring of the instances named `instances` (one name, or a pattern) writes with; None where it measures every 0 seconds.

        It writes to one log group for the whole account, RDSOSMetrics, which therefore is no environment's to make.
        """
        if not seconds:
            return None
        group = self.environment.arn("logs", "log-group:RDS*")
        statements = [
            Statement(sid="Group", actions=["logs:CreateLogGroup", "logs:PutRetentionPolicy"], resources=[group]),
            Statement(
                sid="Streams",
                actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "logs:GetLogEvents"],
                resources=[f"{group}:log-stream:*"],
            ),
        ]
        args = RoleArgs(
            service="monitoring.rds.amazonaws.com",
            description="RDS Enhanced Monitoring writes its metrics",
            source_arn=self.environment.arn("rds", f"db:{instances}"),
            statements=statements,
        )
        return Role("database-monitoring", self.environment, args, self.child())

    def parameter_group_name(self, family: str) -> str:
        """Another major version needs another group while both databases exist, hence the family in its name."""
        return self.environment.names(family, naming.DATABASE)


def _only_arn(arns: Sequence[str | None]) -> str:
    """The ARN of the one secret that RDS keeps the master password in."""
    if len(arns) != 1 or not arns[0]:
        raise pulumi.RunError(f"RDS manages the master password and should answer its one secret, but answered {list(arns)}; refresh the stack and try again")
    return arns[0]
