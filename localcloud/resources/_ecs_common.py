"""What the types of Amazon ECS share."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.kinds import Props
from localcloud.resources import _tags


def retag(aws: Aws, arn: str, new: Props, old: Props) -> None:
    """Brings the tags of anything in ECS from the old inputs' to the new."""
    ecs = aws.client("ecs")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: ecs.tag_resource(resourceArn=arn, tags=_tags.as_list(tags, "key", "value")),
        untag=lambda keys: ecs.untag_resource(resourceArn=arn, tagKeys=keys),
    )
