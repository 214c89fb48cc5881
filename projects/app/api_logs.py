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
    # The kind alone: $context.error.validationErrorString would quote the value, or the key, that does not fit the model.
    "error": "$context.error.responseType",
}

# CloudWatch Logs finds each of these beside a keyword only, at most 30 characters away ("Types of data that you can protect", financial information).
_BESIDE_A_KEYWORD = ("CreditCardNumber", "CreditCardExpiration", "CreditCardSecurityCode")

# And so a number under any other name: 13 to 19 digits, each with a space or a hyphen before it or none. Such a pattern has at most 200 characters,
# and no parentheses ("Custom data identifiers"). No brand's numbers begin with 0 or 1; the milliseconds since 1970 begin with 1 until 2033.
_CARD_NUMBER = {"Name": "CardNumber", "Regex": "[2-9]" + r"[ -]?\d" * 12 + r"[ -]?\d?" * 6}

_CARD_DATA = [*(f"arn:aws:dataprotection::aws:data-identifier/{kind}" for kind in _BESIDE_A_KEYWORD), _CARD_NUMBER["Name"]]


@dataclass(frozen=True, kw_only=True)
class ApiLogsArgs:
    """key_arn: encrypts both groups. api_id: of the REST API. account: the environment sets the role of its account and region."""

    key_arn: pulumi.Input[str]
    api_id: pulumi.Output[str]
    account: bool = True


class ApiLogs(Component):
    """Produces the groups of the access log and of the execution log, and the role by which API Gateway may write either.

    API Gateway would make the latter group itself, without key and retention.
    Card data in the execution log is masked, whether that has bodies or not: it also has what the model says about a body that does not fit,
    which quotes the value or the key.
    The role is set once per AWS account and region ("Set up CloudWatch logging for REST APIs"), so one environment does it for the others there, and
    an original for its short-lived copies.
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
        self.before_stage = [self.access, execution, self._mask(f"{name}-execution", execution)]
        if args.account and not environment.platform.copy_of:
            self.before_stage.append(self._account())
        self.register_outputs({})

    def _mask(self, name: str, group: LogGroup) -> aws.cloudwatch.LogDataProtectionPolicy:
        """Who may not logs:Unmask reads no card number that a client sent by mistake; what was found is counted (CloudWatch, LogEventsWithFindings).

        It is there all the same for who may, and so are verification codes without a keyword beside them.
        """
        document = {
            "Name": "card-data",
            "Version": "2021-06-01",
            "Configuration": {"CustomDataIdentifier": [_CARD_NUMBER]},
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
