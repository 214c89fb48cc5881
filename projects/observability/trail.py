"""CloudTrail: who did what in the account, kept in the audit bucket (PCI DSS 10.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from projects.observability.settings import TrailSettings
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.contracts import DataOutputs
from shared.environment import Environment
from shared.iam import Statement

# The name that the policies of the audit bucket and of the data key were written for (projects/data/audit.py).
_WORD = "audit"

Selector = aws.cloudtrail.TrailAdvancedEventSelectorArgs
Field = aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs


@dataclass(frozen=True, kw_only=True)
class TrailArgs:
    """data: where the trail writes, with which key, and whose objects and items it follows. log_key_arn: encrypts the trail's log group."""

    data: DataOutputs
    log_key_arn: pulumi.Input[str]


class Trail(Component):
    """Produces a trail of all regions into the audit bucket, and its copy in CloudWatch Logs, where it can be searched at once.

    Digests show a file that was changed or is missing (PCI DSS 10.3.4). It records management events, each use of an object in the documents and
    audit buckets, and each use of an item in the tables. A short-lived copy records the uses alone: its original has the account's management
    events already, and AWS asks money for a second record of them.
    AWS allows five trails in a region, so as many environments share an account.
    Outputs: `arn`.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, settings: TrailSettings, args: TrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        physical = environment.names(_WORD, naming.TRAIL)
        logs = LogGroup(name, environment, LogGroupArgs(log_group=f"/aws/cloudtrail/{physical}", key_arn=args.log_key_arn), self.child())
        role = self._role(name, logs)
        trail = aws.cloudtrail.Trail(
            name,
            name=physical,
            s3_bucket_name=args.data.audit_bucket_name,
            kms_key_id=args.data.data_key_arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            cloud_watch_logs_group_arn=logs.arn.apply(lambda arn: f"{arn}:*"),
            cloud_watch_logs_role_arn=role.arn,
            advanced_event_selectors=self._selectors(settings, args.data),
            # CloudTrail tries the role when the trail is made.
            opts=self.child(depends_on=[role.policy]),
        )
        self.arn = trail.arn
        self.register_outputs({"arn": self.arn})

    def _role(self, name: str, logs: LogGroup) -> Role:
        environment = self.environment
        # CloudTrail names its streams so, in the region that the trail is made in, whatever region an event is of.
        stream = f"log-stream:{environment.account}_CloudTrail_{environment.region}*"
        write = Statement(
            sid="Write",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[logs.arn.apply(lambda arn: f"{arn}:{stream}")],
        )
        args = RoleArgs(service="cloudtrail.amazonaws.com", description="CloudTrail writes to its log group", statements=[write])
        return Role(name, environment, args, self.child())

    def _selectors(self, settings: TrailSettings, data: DataOutputs) -> list[Selector]:
        documents, audit = (arn.apply(lambda known: f"{known}/") for arn in (data.documents_bucket_arn, data.audit_bucket_arn))
        files = data.audit_bucket_arn.apply(lambda known: f"{known}/AWSLogs/")
        selectors = [
            _data_events("Documents", "AWS::S3::Object", Field(field="resources.ARN", starts_withs=[documents])),
            _data_events("Audit records", "AWS::S3::Object", Field(field="resources.ARN", starts_withs=[audit], not_starts_withs=[files])),
            # The trail's own deliveries are PutObject: each would be an event of the next delivery, for ever.
            _data_events(
                "Files of the trail",
                "AWS::S3::Object",
                Field(field="resources.ARN", starts_withs=[files]),
                Field(field="eventName", not_equals=["PutObject"]),
            ),
        ]
        if settings.table_events:
            selectors.append(_data_events("Tables", "AWS::DynamoDB::Table", Field(field="resources.ARN", equals=self._tables(data))))
        if not self.environment.platform.copy_of:
            selectors.insert(0, Selector(name="Management", field_selectors=[Field(field="eventCategory", equals=["Management"])]))
        return selectors

    def _tables(self, data: DataOutputs) -> list[pulumi.Output[str]]:
        """The ARNs of the tables that the environment has."""
        shape = self.environment.shape
        found = [] if shape.cache else [data.sessions_table_arn]
        return [*found, *([] if shape.relational else [data.payments_table_arn]), data.transaction_log_table_arn]


def _data_events(name: str, of: str, *fields: Field) -> Selector:
    """Selects the calls that use what is inside a resource of type `of`."""
    category, type_ = Field(field="eventCategory", equals=["Data"]), Field(field="resources.type", equals=[of])
    return Selector(name=name, field_selectors=[category, type_, *fields])
