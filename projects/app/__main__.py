"""The payment service: functions behind an API, a queue between them, one by the clock, events for whoever listens."""

import pulumi

from projects.app.api import Api, ApiArgs
from projects.app.domain import Domain
from projects.app.functions import Functions, FunctionsArgs
from projects.app.messaging import app_key, payment_events, work_queue
from projects.app.roles import Reach
from projects.app.routes import ROUTES
from projects.app.schedules import Schedules
from projects.app.settings import AppSettings, domain_of
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.stack import Stack

stack = Stack(AppSettings)
environment, settings = stack.environment, stack.settings
network, data = stack.upstream(NetworkingOutputs), stack.upstream(DataOutputs)

key = app_key(environment)
work, events = work_queue(environment, settings, key), payment_events(environment, key)
reach = Reach(data=data, work=work, events_arn=events.arn, key_arn=key.arn, processor=settings.processor)
functions = Functions("functions", environment, settings, FunctionsArgs(network=network, reach=reach, key_arn=key.arn))
Schedules("schedules", environment, functions=functions.by_name)
api = Api("payments", environment, settings.api, ApiArgs(functions=functions.by_name, log_key_arn=network.log_key_arn))
wanted = domain_of(settings, environment)
domain = Domain("domain", environment, wanted, api=api) if wanted else None
url = domain.url if domain else api.url

stack.publish(
    AppOutputs(
        api_url=url,
        endpoint_urls=pulumi.Output.all(**{route.path: pulumi.Output.concat(url, "/", route.path) for route in ROUTES}),
        api_name=api.api.name,
        api_stage=api.stage.stage_name,
        api_key=api.key,
        function_names=functions.names,
        function_arns=functions.arns,
        service_names=pulumi.Output.from_input({}),
        task_definition_arns=pulumi.Output.from_input({}),
        work_queue_name=work.queue.name,
        work_queue_url=work.queue.url,
        dead_letter_queue_name=work.dead_letters.name,
        dead_letter_queue_url=work.dead_letters.url,
        payment_events_topic_arn=events.arn,
    )
)
