"""PostgreSQL on RDS."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from projects.data.settings import DatabaseSettings
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from shared.iam import Statement

DATABASE = "payments"
# `admin` and `postgres` are taken by RDS and PostgreSQL.
MASTER = "payments_master"
PORT = 5432

_LOGS = ("postgresql", "upgrade")
_MONITORING_SECONDS = 60
# Seven days of Performance Insights are free of charge.
_INSIGHTS_DAYS = 7

# All of them take effect without a restart.
_PARAMETERS = {
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


class Postgres(Component):
    """Produces the database instance in the private subnets, its parameter group, the log groups that it exports to, and its monitoring role.

    The master password is made, kept and rotated by RDS in Secrets Manager under the database's key; no one has to know it.
    Outputs: `instance`, `secret_arn` of that password, and `url`: how to connect, without user and password.
    """

    instance: aws.rds.Instance
    secret_arn: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: DatabaseSettings,
        *,
        network: NetworkingOutputs,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        identifier = environment.names(name, naming.DATABASE)
        logs = self._log_groups(identifier, network.log_key_arn)
        role = self._monitoring_role(identifier)
        subnets = aws.rds.SubnetGroup(name, name=identifier, description="Private subnets", subnet_ids=network.private_subnet_ids, opts=self.child())
        self.instance = aws.rds.Instance(
            name,
            identifier=identifier,
            engine="postgres",
            engine_version=settings.engine_version,
            auto_minor_version_upgrade=True,
            # The page decides about major versions; RDS refuses one that is asked for without this, and makes none of its own accord.
            allow_major_version_upgrade=True,
            instance_class=settings.instance_class,
            multi_az=settings.multi_az,
            parameter_group_name=self._parameters(settings.major_version).name,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            # storage
            storage_type="gp3",
            allocated_storage=settings.storage_gib,
            max_allocated_storage=settings.max_storage_gib,
            storage_encrypted=True,
            kms_key_id=key_arn,
            # access
            db_name=DATABASE,
            username=MASTER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            iam_database_authentication_enabled=True,
            port=PORT,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[network.group("database")],
            publicly_accessible=False,
            # what is seen of it
            enabled_cloudwatch_logs_exports=list(_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=_INSIGHTS_DAYS,
            monitoring_interval=_MONITORING_SECONDS,
            monitoring_role_arn=role.arn,
            # backups and changes
            backup_retention_period=settings.backup_retention_days,
            backup_window=settings.backup_window,
            maintenance_window=settings.maintenance_window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=True,
            skip_final_snapshot=True,
            deletion_protection=False,
            apply_immediately=True,
            # RDS makes log groups that it does not find, without key and retention.
            opts=self.child(depends_on=[*logs, role.policy]),
        )
        self.secret_arn = self.instance.master_user_secrets.apply(lambda secrets: _only_arn([secret.secret_arn for secret in secrets]))
        self.url = pulumi.Output.format("postgresql://{0}:{1}/{2}?sslmode=verify-full", self.instance.address, self.instance.port, self.instance.db_name)
        self.register_outputs({"identifier": self.instance.identifier, "secretArn": self.secret_arn})

    def _parameters(self, major: int) -> aws.rds.ParameterGroup:
        # Another major version needs another group while both databases exist, hence the version in its name.
        return aws.rds.ParameterGroup(
            "parameters",
            name=self.environment.names(f"postgres{major}", naming.DATABASE),
            family=f"postgres{major}",
            description=f"PostgreSQL {major}: TLS only, and what is logged",
            parameters=[{"name": name, "value": value, "apply_method": "immediate"} for name, value in _PARAMETERS.items()],
            opts=self.child(),
        )

    def _log_groups(self, identifier: str, key_arn: pulumi.Input[str]) -> Sequence[LogGroup]:
        return [
            LogGroup(log, self.environment, LogGroupArgs(log_group=f"/aws/rds/instance/{identifier}/{log}", key_arn=key_arn), self.child()) for log in _LOGS
        ]

    def _monitoring_role(self, identifier: str) -> Role:
        """Enhanced Monitoring writes to one log group for the whole account, RDSOSMetrics, which therefore is no environment's to make."""
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
            source_arn=self.environment.arn("rds", f"db:{identifier}"),
            statements=statements,
        )
        return Role("database-monitoring", self.environment, args, self.child())


def _only_arn(arns: Sequence[str | None]) -> str:
    """The ARN of the one secret that RDS keeps the master password in."""
    if len(arns) != 1 or not arns[0]:
        raise pulumi.RunError(f"RDS manages the master password and should answer its one secret, but answered {list(arns)}; refresh the stack and try again")
    return arns[0]
