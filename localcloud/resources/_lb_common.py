"""What the types of Elastic Load Balancing share: attributes (settings that AWS keeps as text under dotted keys), tags, and values shown as asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from localcloud.aws import Aws
from localcloud.kinds import Props
from localcloud.resources import _tags

# Pulumi's name: (AWS's key, AWS's default, which also says the type of the value).
Attributes = Mapping[str, tuple[str, bool | int | str]]


def written(table: Attributes, inputs: Props) -> list[Props]:
    """The attributes as AWS takes them; those that the inputs leave out get AWS's default, so that a setting that was dropped goes back to it."""
    return [
        {"Key": key, "Value": _text(default if inputs.get(name) is None else inputs[name])}
        for name, (key, default) in table.items()
        if default != "" or inputs.get(name) is not None
    ]


def shown(table: Attributes, live: Iterable[Mapping[str, str]]) -> Props:
    """The attributes as Pulumi shows them."""
    values = {each["Key"]: each["Value"] for each in live}
    return {name: _value(default, values[key]) for name, (key, default) in table.items() if key in values}


def _text(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(default: bool | int | str, text: str) -> bool | int | str:
    if isinstance(default, bool):
        return text == "true"
    return int(text) if isinstance(default, int) else text


def as_asked(live: Props, known: Props, defaults: Props) -> Props:
    """What is there, without the members that nobody asked for and that have their default."""
    return {name: value for name, value in live.items() if name in known or value != defaults.get(name)}


def live_tags(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of a load balancer, target group, listener or rule."""
    return _tags.as_map(aws.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def retag(aws: Aws, arn: str, new: Props) -> None:
    """Gives it the new tags, and no others. moto takes an eleventh tag only when none is there yet; AWS takes fifty at any time."""
    elb, before, after = aws.client("elbv2"), live_tags(aws, arn), new.get("tags") or {}
    if before == after:
        return
    if before:
        elb.remove_tags(ResourceArns=[arn], TagKeys=sorted(before))
    if after:
        elb.add_tags(ResourceArns=[arn], Tags=_tags.as_list(after))
