"""The Lambda functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from payments.functions import ARCHITECTURE, FUNCTIONS, MIGRATE_DATABASE, PAYMENT_WORKER, RUNTIME, Function, Variable
from projects.app.roles import Reach, statements_for
from projects.app.routes import ROUTES
from projects.app.settings import AppSettings
from shared import naming
from shared.component import Component
from shared.components.log_group import LogGroup, LogGroupArgs
from shared.components.role import Role, RoleArgs
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from shared.packages import package

# They run as often at once as there is load; of the others one at a time is all that there is work for.
_BY_LOAD = (*(route.function for route in ROUTES), PAYMENT_WORKER)

# Lambda's longest, in seconds ("Lambda quotas"). Nobody waits for it at the API's door, and a migration of a large table takes its time.
_MIGRATION_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class FunctionsArgs:
    """network: where they run. reach: what they work with. key_arn: encrypts their environment variables."""

    network: NetworkingOutputs
    reach: Reach
    key_arn: pulumi.Input[str]


class Functions(Component):
    """Produces each function of the payment service with its role and log group, and feeds the worker from the work queue.

    Outputs: `by_name`: the functions by their name in `payments.functions`; `names`, `arns`: their own, by the same.
    """

    by_name: Mapping[str, aws.lambda_.Function]
    names: pulumi.Output[dict[str, str]]
    arns: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, environment: Environment, settings: AppSettings, args: FunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self._settings, self._args = settings, args
        self.by_name = {function.name: self._function(function) for function in FUNCTIONS}
        self.names = pulumi.Output.all(**{function: made.name for function, made in self.by_name.items()})
        self.arns = pulumi.Output.all(**{function: made.arn for function, made in self.by_name.items()})
        aws.lambda_.EventSourceMapping(
            "work",
            event_source_arn=args.reach.work.queue.arn,
            function_name=self.by_name[PAYMENT_WORKER.name].arn,
            batch_size=settings.queue.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            # Without it the pollers take more than the reserved concurrency can work on; what is throttled counts as received, and would
            # end in the dead-letter queue untried (Lambda, "Configuring maximum concurrency for Amazon SQS event sources").
            scaling_config={"maximum_concurrency": settings.functions.reserved_concurrency} if settings.functions.reserved_concurrency else None,
            opts=self.child(),
        )
        self.register_outputs({function: made.arn for function, made in self.by_name.items()})

    def _function(self, function: Function) -> aws.lambda_.Function:
        settings, args = self._settings.functions, self._args
        physical = self.environment.names(function.name, naming.FUNCTION)
        arn = self.environment.arn("lambda", f"function:{physical}")
        logs = LogGroup(function.name, self.environment, LogGroupArgs(log_group=f"/aws/lambda/{physical}", key_arn=args.network.log_key_arn), self.child())
        role = Role(
            function.name,
            self.environment,
            RoleArgs(
                service="lambda.amazonaws.com",
                description=f"Function {function.name}",
                statements=statements_for(function, self.environment, args.reach, log_group_arn=logs.arn, arn=arn),
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
            reserved_concurrent_executions=settings.reserved_concurrency and (settings.reserved_concurrency if function in _BY_LOAD else 1),
            role=role.arn,
            kms_key_arn=args.key_arn,
            environment={"variables": self._variables(function)},
            vpc_config={"subnet_ids": args.network.private_subnet_ids, "security_group_ids": [args.network.group("functions")]},
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            # Lambda looks at the role's permissions when it makes the function.
            opts=self.child(depends_on=[role.policy]),
        )

    def _variables(self, function: Function) -> dict[str, pulumi.Input[str]]:
        given = {variable: value for variable, value in self._values().items() if value is not None}
        wanted = [*function.needs("relational"), *(variable for variable in function.optional if variable in given)]
        return {variable.value: given[variable] for variable in wanted}

    def _values(self) -> dict[Variable, pulumi.Input[str] | None]:
        """What each variable is; None where the page does not set what it stands for."""
        reach, platform = self._args.reach, self.environment.platform
        data, processor = reach.data, reach.processor
        return {
            Variable.STAGE: f"{platform.stage}-{platform.environment_suffix}",
            Variable.TRANSACTION_LOG_TABLE: data.transaction_log_table_name,
            Variable.SESSIONS_TABLE: data.sessions_table_name,
            Variable.DOCUMENTS_BUCKET: data.documents_bucket_name,
            Variable.AUDIT_BUCKET: data.audit_bucket_name,
            Variable.DATABASE_URL: data.database_url,
            Variable.DATABASE_SECRET_ARN: data.database_secret_arn,
            Variable.PAYMENT_EVENTS_TOPIC_ARN: reach.events_arn,
            Variable.WORK_QUEUE_URL: reach.work.queue.url,
            Variable.DEAD_LETTER_QUEUE_URL: reach.work.dead_letters.url,
            Variable.MAX_RECEIVES: str(self._settings.queue.max_receives),
            Variable.PROCESSOR: processor.name,
            Variable.PROCESSOR_SECRET_ARN: processor.secret_arn,
            Variable.PROCESSOR_ENDPOINT: processor.endpoint,
        }
