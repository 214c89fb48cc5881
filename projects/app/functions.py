"""The Lambda functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from payments.functions import ARCHITECTURE, MIGRATE_DATABASE, PAYMENT_WORKER, RUNTIME, Function, Variable, functions_for
from projects.app.grants import Reach, Use
from projects.app.roles import function_statements
from projects.app.settings import FunctionSettings
from projects.app.variables import store_of, told
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from shared.packages import package

# Lambda's longest, in seconds ("Lambda quotas"). Nobody waits for it at the API's door, and a migration of a large table takes its time.
_MIGRATION_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class FunctionsArgs:
    """network: where they run. reach: what they work with. variables: all that there is to be told. batch_size: messages that the worker takes at once."""

    network: NetworkingOutputs
    reach: Reach
    variables: Mapping[Variable, pulumi.Input[str]]
    batch_size: int


class Functions(Component):
    """Produces each function that the environment has work for, with its role and log group, and feeds the worker from the work queue.

    Outputs: `by_name`: the functions by their name in `payments.functions`; `names`, `arns`: their own, by the same.
    """

    by_name: Mapping[str, aws.lambda_.Function]
    names: pulumi.Output[dict[str, str]]
    arns: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, environment: Environment, settings: FunctionSettings, args: FunctionsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        self._settings, self._args = settings, args
        self.by_name = {function.name: self._function(function) for function in functions_for(store_of(environment))}
        self.names = pulumi.Output.all(**{function: made.name for function, made in self.by_name.items()})
        self.arns = pulumi.Output.all(**{function: made.arn for function, made in self.by_name.items()})
        aws.lambda_.EventSourceMapping(
            "work",
            event_source_arn=args.reach.work.queue.arn,
            function_name=self.by_name[PAYMENT_WORKER.name].arn,
            batch_size=args.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            # Without it the pollers take more than the reserved concurrency can work on; what is throttled counts as received, and would
            # end in the dead-letter queue untried (Lambda, "Configuring maximum concurrency for Amazon SQS event sources").
            scaling_config={"maximum_concurrency": settings.reserved_concurrency} if settings.reserved_concurrency else None,
            opts=self.child(),
        )
        self.register_outputs({function: made.arn for function, made in self.by_name.items()})

    def _function(self, function: Function) -> aws.lambda_.Function:
        settings, args = self._settings, self._args
        variables = told([function], store_of(self.environment), args.variables)
        physical = self.environment.names(function.name, naming.FUNCTION)
        arn = self.environment.arn("lambda", f"function:{physical}")
        logs = LogGroup(function.name, self.environment, LogGroupArgs(log_group=f"/aws/lambda/{physical}", key_arn=args.network.log_key_arn), self.child())
        role = Role(
            function.name,
            self.environment,
            RoleArgs(
                service="lambda.amazonaws.com",
                description=f"Function {function.name}",
                statements=function_statements(Use(self.environment, args.reach, [function]), variables, log_group_arn=logs.arn, arn=arn),
            ),
            self.child(),
        )
        return aws.lambda_.Function(
            function.name,
            name=physical,
            description=f"Payment service: {function.name}",
            code=package(function.name),
            handler=function.handler,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            memory_size=settings.memory,
            timeout=_MIGRATION_SECONDS if function is MIGRATE_DATABASE else settings.timeout,
            reserved_concurrent_executions=settings.reserved_concurrency,
            role=role.arn,
            kms_key_arn=args.reach.key_arn,
            environment={"variables": {variable.value: value for variable, value in variables.items()}},
            vpc_config={"subnet_ids": args.network.private_subnet_ids, "security_group_ids": [args.network.group("functions")]},
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            # Lambda looks at the role's permissions when it makes the function.
            opts=self.child(depends_on=[role.policy]),
        )
