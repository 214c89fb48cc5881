"""The key of the app's messages, the work queue, and the topic of payment events."""

from __future__ import annotations

from projects.app.settings import AppSettings
from shared import naming
from shared.components.key import Key, KeyArgs
from shared.components.queue import Queue, QueueArgs
from shared.components.topic import Topic, TopicArgs
from shared.environment import Environment

CONTAINER_SECONDS = 20
"""A sixth of the time for which the container hides a message that it took (HIDDEN_SECONDS), so that the queue hides it as long."""


def app_key(environment: Environment) -> Key:
    """Encrypts messages and the functions' environment variables."""
    return Key("app", environment, KeyArgs(description="Messages, and environment variables of functions"))


def work_queue(environment: Environment, settings: AppSettings, key: Key) -> Queue:
    """Payments that were taken in and wait for the worker."""
    seconds = settings.functions.timeout if settings.functions else CONTAINER_SECONDS
    args = QueueArgs(consumer_timeout=seconds, key_arn=key.arn, max_receives=settings.queue.max_receives)
    return Queue("payment-work", environment, args)


def payment_events(environment: Environment, key: Key) -> Topic:
    """Tells whoever subscribes what became of a payment."""
    return Topic("payment-events", environment, TopicArgs(key_arn=key.arn))


def api_log_group(environment: Environment) -> str:
    """The name of the API's access log."""
    return f"/aws/apigateway/{environment.names('payments', naming.LOG_GROUP)}/access"
