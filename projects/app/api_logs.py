"""What API Gateway logs, where to, and with whose permission."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from projects.app.messaging import api_log_group
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.environment import Environment
from shared.iam import Statement

_FIELDS = {
    # Of the request.
    "requestId": "$context.requestId",
    "traceId": "$context.xrayTraceId",
    "sourceIp": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
    "apiKeyId": "$context.identity.apiKeyId",
    "time": "$context.requestTime",
    "protocol": "$context.protocol",
    "host": "$context.domainName",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    # Of the response.
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "length": "$context.responseLength",
    "integrationStatus": "$context.integrationStatus",
    "integrationLatency": "$context.integrationLatency",
    "integrationRequestId": "$context.integration.requestId",
    "error": "$context.error.responseType",
    "validationError": "$context.error.validationErrorString",
}

# CloudWatch Logs, "Types of data that you can protect": financial information.
_CARD_DATA = [f"arn:aws:dataprotection::aws:data-identifier/{kind}" for kind in ("CreditCardNumber", "CreditCardExpiration", "CreditCardSecurityCode")]


@dataclass(frozen=True, kw_only=True)
class ApiLogsArgs:
    """key_arn: encrypts both groups. api_id: of the REST API. bodies: whether the execution log has whole requests and responses."""

    key_arn: pulumi.Input[str]
    api_id: pulumi.Output[str]
    bodies: bool = False


class ApiLogs(Component):
    """Produces the groups of the access log and of the execution log, and the role by which API Gateway may write either.

    API Gateway would make the latter group itself, without key and retention.
    Where the execution log has bodies, card data in it is masked.
    The role is set once per AWS account and region ("Set up CloudWatch logging for REST APIs"), so a short-lived copy uses its original's.
    Outputs: `access`, `format`, `before_stage` (what a stage with logging needs to be there).
    """

    access: LogGroup
    format: str
    before_stage: list[pulumi.Resource]

    def __init__(self, name: str, environment: Environment, args: ApiLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"{name}-logs", environment, opts)
        self.format = json.dumps(_FIELDS)
        self.access = LogGroup(f"{name}-access", environment, LogGroupArgs(log_group=api_log_group(environment), key_arn=args.key_arn), self.child())
        stage = environment.platform.stage
        execution = LogGroup(
            f"{name}-execution",
            environment,
            LogGroupArgs(log_group=args.api_id.apply(lambda id_: f"API-Gateway-Execution-Logs_{id_}/{stage}"), key_arn=args.key_arn),
            self.child(),
        )
        self.before_stage = [self.access, execution]
        if args.bodies:
            self.before_stage.append(self._mask(f"{name}-execution", execution))
        if not environment.platform.copy_of:
            self.before_stage.append(self._account())
        self.register_outputs({})

    def _mask(self, name: str, group: LogGroup) -> aws.cloudwatch.LogDataProtectionPolicy:
        """Nobody without logs:Unmask reads card data that a client sent by mistake; what was found is counted (CloudWatch, LogEventsWithFindings)."""
        document = {
            "Name": "card-data",
            "Version": "2021-06-01",
            "Statement": [
                {"Sid": "Count", "DataIdentifier": _CARD_DATA, "Operation": {"Audit": {"FindingsDestination": {}}}},
                {"Sid": "Mask", "DataIdentifier": _CARD_DATA, "Operation": {"Deidentify": {"MaskConfig": {}}}},
            ],
        }
        return aws.cloudwatch.LogDataProtectionPolicy(name, log_group_name=group.name, policy_document=json.dumps(document), opts=self.child())

    def _account(self) -> aws.apigateway.Account:
        role = self._role()
        return aws.apigateway.Account("logging", cloudwatch_role_arn=role.arn, opts=self.child(depends_on=[role.policy]))

    def _role(self) -> Role:
        environment = self.environment
        groups = [environment.arn("logs", "log-group:/aws/apigateway/*"), environment.arn("logs", "log-group:API-Gateway-Execution-Logs_*")]
        return Role(
            "api-logs",
            environment,
            RoleArgs(
                service="apigateway.amazonaws.com",
                description="API Gateway writes access and execution logs",
                statements=[
                    Statement(
                        sid="Write",
                        actions=[
                            "logs:CreateLogGroup",
                            "logs:CreateLogStream",
                            "logs:DescribeLogStreams",
                            "logs:PutLogEvents",
                            "logs:GetLogEvents",
                            "logs:FilterLogEvents",
                        ],
                        resources=[resource for group in groups for resource in (group, f"{group}:*")],
                    ),
                    Statement(
                        sid="List",
                        actions=["logs:DescribeLogGroups"],
                        resources=["*"],
                        because="DescribeLogGroups lists; it has no single group to name",
                    ),
                ],
            ),
            self.child(),
        )
