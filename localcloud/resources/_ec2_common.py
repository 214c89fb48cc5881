"""What Amazon EC2's types have in common: ids, tags, CIDR blocks, and rules about inputs that exclude one another."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, text
from localcloud.kinds import Props
from localcloud.resources._tags import apply, as_list


def an_id(prefix: str, **about: Any) -> Field:
    """The id of an EC2 resource: its prefix and 8 or 17 hexadecimal digits."""
    return text(pattern=rf"{prefix}-[0-9a-f]{{8,17}}", **about)


def tag_specification(resource_type: str, tags: dict[str, str] | None) -> dict[str, Any]:
    """The argument of a create call that tags what it makes; none where there are no tags, as EC2 refuses an empty list."""
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": as_list(tags)}]} if tags else {}


def retag(aws: Aws, id_: str, new: dict[str, str] | None, old: dict[str, str] | None) -> None:
    """Brings the tags of an EC2 resource from `old` to `new`."""
    ec2 = aws.client("ec2")
    apply(
        old,
        new,
        tag=lambda tags: ec2.create_tags(Resources=[id_], Tags=as_list(tags)),
        untag=lambda keys: ec2.delete_tags(Resources=[id_], Tags=[{"Key": key} for key in keys]),
    )


def only_tags(aws: Aws, id_: str, new: Props, old: Props) -> None:
    """The update of a type in which nothing but tags changes in place."""
    retag(aws, id_, new.get("tags"), old.get("tags"))


def first(found: Sequence[Any]) -> Any | None:
    """The first of what a describe call found, or None."""
    return found[0] if found else None


def cidr_block(widest: int, narrowest: int) -> Callable[[str], str | None]:
    """A rule for IPv4 networks: the prefix between /`widest` and /`narrowest`, and no bits set behind it (AWS would drop them silently)."""

    def check(value: str) -> str | None:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            return f"{value!r} is not an IPv4 network: {error}"
        if "/" not in value or not widest <= network.prefixlen <= narrowest:
            return f"{value!r}: the prefix must be between /{widest} and /{narrowest}"
        return None

    return check


def ipv6_network(value: str) -> str | None:
    """The rule for IPv6 networks."""
    try:
        ipaddress.IPv6Network(value)
    except ValueError as error:
        return f"{value!r} is not an IPv6 network: {error}"
    return None


def exactly_one(*names: str) -> Callable[[Props], Iterator[Refusal]]:
    """A rule: one of the inputs must be set, and no more than one."""

    def check(inputs: Props) -> Iterator[Refusal]:
        given = [name for name in names if inputs.get(name) is not None]
        if not given:
            yield Refusal(names[0], f"one of {', '.join(names)} is required")
        for name in given if len(given) > 1 else ():
            yield Refusal(name, f"only one of {', '.join(given)} can be set")

    return check
