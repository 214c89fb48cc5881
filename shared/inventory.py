"""What a program made: every resource of AWS, by type, name, ID and ARN, exported beside the contract for those who keep an inventory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from shared.outputs import known

INVENTORY_OUTPUT = "inventory"


class Inventory:
    """Notes each resource that is made from here on; to be made before the program's first resource.

    What it tells of a resource is what AWS calls it. It reads no other property, so that no secret gets into it.
    """

    def __init__(self) -> None:
        self._made: list[tuple[str, str, pulumi.CustomResource, bool]] = []
        pulumi.runtime.register_stack_transformation(self._note)

    def output(self) -> pulumi.Output[list[dict[str, str]]]:
        """The resources made so far, sorted by type, name and ID: `type`, `name` (logical), `id`, and `arn` where the resource has one."""
        return known([_described(*one) for one in self._made]).apply(_sorted)

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        if args.type_.startswith("aws:") and isinstance(args.resource, pulumi.CustomResource):
            # A policy that is given an ARN is given that of what it belongs to.
            has_arn = args.props.get("arn") is None and _has_arn(type(args.resource))
            self._made.append((args.type_, args.name, args.resource, has_arn))


def _has_arn(made_by: type[pulumi.CustomResource]) -> bool:
    """Whether resources of the class have an ARN; what the SDK calls deprecated there is that of another resource."""
    found: Any = getattr(made_by, "arn", None)
    return found is not None and not hasattr(found.fget, "_pulumi_deprecated_callable")


def _described(type_: str, name: str, resource: pulumi.CustomResource, has_arn: bool) -> dict[str, Any]:
    arn: dict[str, Any] = {"arn": pulumi.get(resource, "arn")} if has_arn else {}
    return {"type": type_, "name": name, "id": resource.id, **arn}


def _sorted(found: Sequence[dict[str, str | None]]) -> list[dict[str, str]]:
    told = [{key: str(value) for key, value in one.items() if value} for one in found]
    return sorted(told, key=lambda one: (one["type"], one["name"], one["id"]))
