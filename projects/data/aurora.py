"""PostgreSQL on Aurora: on instances of a class, or on instances that scale by themselves (Serverless v2)."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.data import relational
from projects.data.database_settings import AuroraServerlessSettings, AuroraSettings, ClusterSettings
from projects.data.relational import Relational
from shared import naming
from shared.components.role import Role
from shared.contracts import NetworkingOutputs
from shared.environment import Environment

_ENGINE = "aurora-postgresql"
# Aurora exports no upgrade log ("Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs").
_LOGS = ("postgresql",)


class Aurora(Relational):
    """Produces the cluster in the private subnets, its instances, its parameter group, the log group that it exports to, and a monitoring role.

    There is no such role where the page has nothing monitored. The first instance writes; the others read, and take over in their order. Storage is in
    three zones whatever the number of instances is.
    key_arn: what storage, backups, Performance Insights and the password are encrypted with; None is the keys that AWS manages.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: AuroraSettings | AuroraServerlessSettings,
        *,
        network: NetworkingOutputs,
        key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        identifier = environment.names(name, naming.DATABASE)
        logs = self.log_groups(f"/aws/rds/cluster/{identifier}", _LOGS, network)
        subnets = self.subnet_group(name, identifier, network)
        cluster = aws.rds.Cluster(
            name,
            cluster_identifier=identifier,
            engine=_ENGINE,
            # Serverless v2 is a class of instances; the engine mode `serverless` is its predecessor.
            engine_mode="provisioned",
            engine_version=settings.engine_version,
            # The page decides about major versions; RDS refuses one that is asked for without this, and makes none of its own accord.
            allow_major_version_upgrade=True,
            db_cluster_parameter_group_name=self._parameters(settings.major_version).name,
            serverlessv2_scaling_configuration=_scaling(settings),
            # storage
            storage_encrypted=True,
            kms_key_id=key_arn,
            # access
            database_name=relational.DATABASE,
            master_username=relational.MASTER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            iam_database_authentication_enabled=True,
            port=relational.PORT,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[network.group("database")],
            # what is seen of it
            enabled_cloudwatch_logs_exports=list(_LOGS),
            # backups and changes
            backup_retention_period=settings.backup_retention_days,
            preferred_backup_window=settings.backup_window,
            preferred_maintenance_window=settings.maintenance_window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=True,
            skip_final_snapshot=True,
            deletion_protection=False,
            apply_immediately=True,
            opts=self.child(depends_on=logs),
        )
        # The pattern is of all instances, however many the page has.
        role = self.monitoring_role(settings.monitoring_seconds, environment.names(f"{name}-0", naming.DATABASE).replace(f"{name}-0", f"{name}-*"))
        instance_class = settings.instance_class if isinstance(settings, AuroraSettings) else "db.serverless"
        instances = settings.instances if isinstance(settings, AuroraSettings) else 1 + settings.readers
        # Of instances that are made at once, any may become the writer.
        first: aws.rds.ClusterInstance | None = None
        for index in range(instances):
            made = self._instance(f"{name}-{index}", index, cluster, instance_class, settings, role=role, key_arn=key_arn, after=first)
            first = first or made
        self.publish(
            identifier=cluster.cluster_identifier,
            address=cluster.endpoint,
            reader_address=cluster.reader_endpoint,
            port=cluster.port,
            database=cluster.database_name,
            secrets=cluster.master_user_secrets.apply(lambda secrets: [secret.secret_arn for secret in secrets]),
        )

    def _instance(
        self,
        name: str,
        index: int,
        cluster: aws.rds.Cluster,
        instance_class: str,
        settings: ClusterSettings,
        *,
        role: Role | None,
        key_arn: pulumi.Input[str] | None,
        after: aws.rds.ClusterInstance | None,
    ) -> aws.rds.ClusterInstance:
        return aws.rds.ClusterInstance(
            name,
            identifier=self.environment.names(name, naming.DATABASE),
            cluster_identifier=cluster.id,
            engine=aws.rds.EngineType.AURORA_POSTGRESQL,
            instance_class=instance_class,
            db_subnet_group_name=cluster.db_subnet_group_name,
            publicly_accessible=False,
            ca_cert_identifier=relational.CERTIFICATE_AUTHORITY,
            auto_minor_version_upgrade=True,
            # A Serverless v2 reader of tier 0 or 1 is kept as large as the writer, and so is ready to take over.
            promotion_tier=min(index, 15),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=relational.INSIGHTS_DAYS,
            monitoring_interval=settings.monitoring_seconds,
            monitoring_role_arn=role and role.arn,
            preferred_maintenance_window=settings.maintenance_window,
            apply_immediately=True,
            opts=self.child(depends_on=[*([role.policy] if role else []), *([after] if after else [])]),
        )

    def _parameters(self, major: int) -> aws.rds.ClusterParameterGroup:
        return aws.rds.ClusterParameterGroup(
            "parameters",
            name=self.parameter_group_name(f"aurora-postgresql{major}"),
            family=f"{_ENGINE}{major}",
            description=f"Aurora PostgreSQL {major}: TLS only, and what is logged",
            parameters=[{"name": name, "value": value, "apply_method": "immediate"} for name, value in relational.PARAMETERS.items()],
            opts=self.child(),
        )


def _scaling(settings: AuroraSettings | AuroraServerlessSettings) -> aws.rds.ClusterServerlessv2ScalingConfigurationArgsDict | None:
    if isinstance(settings, AuroraSettings):
        return None
    return {"min_capacity": settings.min_capacity, "max_capacity": settings.max_capacity}
