"""PostgreSQL on RDS."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.data import relational
from projects.data.database_settings import RdsSettings
from projects.data.relational import Relational
from shared import naming
from shared.contracts import NetworkingOutputs
from shared.environment import Environment

_LOGS = ("postgresql", "upgrade")


class Postgres(Relational):
    """Produces the database instance in the private subnets, its parameter group, the log groups that it exports to, and its monitoring role.

    There is no such role where the page has nothing monitored.
    key_arn: what storage, backups, Performance Insights and the password are encrypted with; None is the keys that AWS manages.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: RdsSettings,
        *,
        network: NetworkingOutputs,
        key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        identifier = environment.names(name, naming.DATABASE)
        logs = self.log_groups(f"/aws/rds/instance/{identifier}", _LOGS, network)
        role = self.monitoring_role(settings.monitoring_seconds, identifier)
        instance = aws.rds.Instance(
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
            ca_cert_identifier=relational.CERTIFICATE_AUTHORITY,
            # storage
            storage_type="gp3",
            allocated_storage=settings.storage_gib,
            max_allocated_storage=settings.max_storage_gib,
            storage_encrypted=True,
            kms_key_id=key_arn,
            # access
            db_name=relational.DATABASE,
            username=relational.MASTER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            iam_database_authentication_enabled=True,
            port=relational.PORT,
            db_subnet_group_name=self.subnet_group(name, identifier, network).name,
            vpc_security_group_ids=[network.group("database")],
            publicly_accessible=False,
            # what is seen of it
            enabled_cloudwatch_logs_exports=list(_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=relational.INSIGHTS_DAYS,
            monitoring_interval=settings.monitoring_seconds,
            monitoring_role_arn=role and role.arn,
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
            opts=self.child(depends_on=[*logs, *([role.policy] if role else [])]),
        )
        self.publish(
            identifier=instance.identifier,
            address=instance.address,
            port=instance.port,
            database=instance.db_name,
            secrets=instance.master_user_secrets.apply(lambda secrets: [secret.secret_arn for secret in secrets]),
        )

    def _parameters(self, major: int) -> aws.rds.ParameterGroup:
        return aws.rds.ParameterGroup(
            "parameters",
            name=self.parameter_group_name(f"postgres{major}"),
            family=f"postgres{major}",
            description=f"PostgreSQL {major}: TLS only, and what is logged",
            parameters=[{"name": name, "value": value, "apply_method": "immediate"} for name, value in relational.PARAMETERS.items()],
            opts=self.child(),
        )
