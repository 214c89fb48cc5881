"""Who is told of alarms: the topic, its key, and its subscribers."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.observability.settings import NotificationSettings
from shared.component import Component
from shared.components.key import PUBLISHES, Key, KeyArgs, use_by_service
from shared.components.topic import Topic, TopicArgs
from shared.environment import Environment

# CloudWatch cannot publish to a topic with AWS's own key (alias/aws/sns): that key's policy does not know it, and cannot be changed.
_CLOUDWATCH = "cloudwatch.amazonaws.com"


class Notifications(Component):
    """Produces the alarm topic with a key that CloudWatch may use, and an e-mail subscription for each address.

    Outputs: `arn` of the topic; `actions`: what alarms do, which is nothing without paging.
    """

    arn: pulumi.Output[str]
    actions: list[pulumi.Output[str]]

    def __init__(self, name: str, environment: Environment, settings: NotificationSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        cloudwatch = use_by_service(environment, _CLOUDWATCH, sid="CloudWatchAlarms", actions=PUBLISHES)
        key = Key("alarms", environment, KeyArgs(description="Alarm notifications", users=[cloudwatch]), self.child())
        topic = Topic("alarms", environment, TopicArgs(key_arn=key.arn, publishers=[_CLOUDWATCH]), self.child())
        for address in settings.emails:
            aws.sns.TopicSubscription(f"email-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=self.child())
        self.arn = topic.arn
        self.actions = [topic.arn] if settings.paging else []
        self.register_outputs({"arn": self.arn})
