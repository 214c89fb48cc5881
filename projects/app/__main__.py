"""The payment service, as functions or as containers; a queue within it, and events for whoever listens."""

from projects.app.fargate import on_fargate
from projects.app.grants import Reach
from projects.app.messaging import app_key, payment_events, work_queue
from projects.app.serverless import on_lambda
from projects.app.settings import AppSettings
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.stack import Stack

stack = Stack(AppSettings)
environment, settings = stack.environment, stack.settings
network, data = stack.upstream(NetworkingOutputs), stack.upstream(DataOutputs)

key = app_key(environment)
work, events = work_queue(environment, settings, key), payment_events(environment, key)
reach = Reach(data=data, work=work, events_arn=events.arn, key_arn=key.arn, processor=settings.processor)
host = on_fargate if environment.shape.compute == "containers" else on_lambda

stack.publish(
    AppOutputs(
        **host(environment, settings, network, reach),
        work_queue_name=work.queue.name,
        work_queue_url=work.queue.url,
        dead_letter_queue_name=work.dead_letters.name,
        dead_letter_queue_url=work.dead_letters.url,
        payment_events_topic_arn=events.arn,
    )
)
